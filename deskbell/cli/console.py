"""What a person reads on the terminal, and what a program reads instead.

Results go to standard output, all else to standard error. Without a terminal there are no colours and no progress bars.
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 160
"""Columns of a table that nobody sees: wide enough to be searched, narrow enough to be read."""
_LONGEST = 60
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def stdout() -> Console:
    """Return the console of results."""
    return _console(sys.stdout)


def stderr() -> Console:
    """Return the console of everything else."""
    return _console(sys.stderr)


def _console(stream: IO[str]) -> Console:
    width = None if stream.isatty() else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def say(*lines: str) -> None:
    """Print lines of a result as they are."""
    for line in lines:
        stdout().print(line, soft_wrap=True)


def say_last(*lines: str) -> None:
    """Print lines that nobody may wait for: where nobody reads any more they are left out, and work goes on."""
    with suppress(BrokenPipeError, SystemExit):  # rich makes the one of the other
        say(*lines)


def note(message: str, style: str = "") -> None:
    """Tell a person something that is not the result."""
    stderr().print(Text(message, style=style), soft_wrap=True)


def say_error(message: str) -> None:
    """Say in one line what went wrong."""
    stderr().print(Text.assemble(("Error: ", "bold red"), safe(message)), soft_wrap=True)


def say_json(document: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=_plain) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    message = f"{type(value).__name__} has no JSON form here"
    raise TypeError(message)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: str = "") -> None:
    """Print a table. Where it is too wide, the column named `flexible` gives way."""
    console = stdout()
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for name in columns:
        if name == flexible:
            table.add_column(name, ratio=1, no_wrap=True, overflow="ellipsis", min_width=12)
        else:
            table.add_column(name, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(safe(cell)) for cell in row))
    console.print(table)


def safe(text: str) -> str:
    """Take out what could move the cursor, change colours or turn the reading direction: others wrote this text."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def when(moment: datetime | None) -> str:
    """Write a time as people read it, in the time zone of this machine."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else "-"


def shown(value: object) -> str:
    """Write a value of the audit log in one line, cut where it is long."""
    text = value if isinstance(value, str) else "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"


def counted(number: int, singular: str, plural: str = "") -> str:
    """Write `1 row`, `1,042 rows`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
