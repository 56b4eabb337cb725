"""Progress on standard error: a bar with rate and time left where somebody watches, nothing where nobody does."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from deskbell.cli.console import safe, stderr


class _Rate(ProgressColumn):
    """How many items are done, and how many a second."""

    def render(self, task: Task) -> Text:
        """Write `2,000 rows  1,234/s`."""
        items = int(task.fields["items"])
        rate = items / task.elapsed if task.elapsed else 0
        return Text(f"{items:,} {task.fields['unit']}  {rate:,.0f}/s", style="progress.data.speed")


class Meter:
    """Tells how far something is: by position of a whole, and by items done."""

    def __init__(self, progress: Progress, what: str, unit: str, total: float | None) -> None:
        """`total` is in the measure of `position`; None where it is not known."""
        self._progress = progress
        self._task = progress.add_task(what, total=total, items=0, unit=unit)

    def show(self, *, items: int, position: float) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=position, items=items)

    def complain(self, line: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(safe(line), soft_wrap=True)


@contextmanager
def meter(what: str, unit: str, total: float | None) -> Iterator[Meter]:
    """Show progress for as long as the block runs."""
    console = stderr()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        yield Meter(progress, what, unit, total)
