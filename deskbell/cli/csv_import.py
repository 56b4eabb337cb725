"""The import of a CSV file: batches, progress, bad rows, and what to say in the end."""

import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.orm import Session

from deskbell.cli.commands import invocation
from deskbell.cli.console import counted, note, say, say_json
from deskbell.cli.desks import open_desk
from deskbell.cli.interrupts import STOPPED, between_steps
from deskbell.cli.progress import Meter, meter
from deskbell.curation.csv_fields import BadRow, Row
from deskbell.curation.csv_reader import read_rows
from deskbell.curation.imports import KeyedRow, Outcome, batches, check_batch, import_batch, keyed
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.errors import DeskbellError, InvalidError
from deskbell.runtime import Desk

AGAIN = "Run the same command again to go on."


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for."""

    file: Path
    mapping: dict[str, str]
    requester: str
    encoding: str = "utf-8"
    delimiter: str | None = None
    strict: bool = False
    force_new: bool = False
    dry_run: bool = False
    batch_size: int = 1000


@dataclass(slots=True)
class Tally:
    """What has become of the rows so far."""

    added: int = 0
    known: int = 0
    refused: list[BadRow] = field(default_factory=list)
    seconds: float = 0

    def take(self, outcome: Outcome) -> None:
        """Add what became of a batch."""
        self.added += outcome.added
        self.known += outcome.known
        self.refused += outcome.refused

    @property
    def seen(self) -> int:
        """How many rows were looked at."""
        return self.added + self.known + len(self.refused)


class _RefusedError(Exception):
    """Not every row is good, and nothing is to be kept."""


def run_import(plan: Plan, *, as_json: bool) -> int:
    """Do it, and return the exit code."""
    started, stopped = time.perf_counter(), False
    with (
        _opened(plan.file) as stream,
        open_desk() as desk,
        meter(plan.file.name, "rows", _size(stream)) as bar,
        between_steps() as check,
    ):
        work = _Import(plan, desk, stream, bar, check)
        try:
            work.run()
        except KeyboardInterrupt:
            stopped = True
        except DeskbellError:
            if work.tally.added:
                note(f"{counted(work.tally.added, 'ticket')} added before this happened. {AGAIN}")
            raise
    tally = work.tally
    tally.seconds = time.perf_counter() - started
    if as_json:
        say_json(_document(plan, tally, stopped=stopped))
    elif stopped:
        note(f"Stopped: {_figures(plan, tally)}. {AGAIN}")
    else:
        say(f"{plan.file}: {_figures(plan, tally)}{_verdict(plan, tally)}")
    return STOPPED if stopped else int(bool(tally.refused))


@dataclass
class _Import:
    """An import under way. `check` is called between batches and raises KeyboardInterrupt when it is to stop."""

    plan: Plan
    desk: Desk
    stream: io.BufferedReader
    bar: Meter
    check: Callable[[], None]
    tally: Tally = field(default_factory=Tally)

    def run(self) -> None:
        """Import, or only look, or import all or nothing."""
        actor = Actor.system(Channel.IMPORT, act=f"{invocation().act} {self.plan.file.name}")
        if self.plan.dry_run:
            with self.desk.database.transaction(actor) as session:
                for batch in self._batches():
                    self._report(check_batch(session, batch))
        elif self.plan.strict:
            self._all_or_nothing(actor)
        else:
            for batch in self._batches():
                with self.desk.database.transaction(actor) as session:
                    outcome = self._import(session, batch)
                actor = replace(actor, operation=outcome.operation)  # all batches are one operation
                self._report(outcome)

    def _all_or_nothing(self, actor: Actor) -> None:
        """Read all before anything is written; then write all in one transaction, which has the last word."""
        bad = [row for row in self._read() if isinstance(row, BadRow)]
        if bad:
            self._report(Outcome(refused=bad))
            return
        self.stream.seek(0)
        try:
            with self.desk.database.transaction(actor) as session:
                for batch in self._batches():
                    self._report(self._import(session, batch))
                self._insist()
        except BaseException as error:
            self.tally.added = 0
            if not isinstance(error, _RefusedError):
                raise

    def _insist(self) -> None:
        if self.tally.refused:
            raise _RefusedError

    def _read(self) -> Iterator[Row | BadRow]:
        plan = self.plan
        return read_rows(self.stream, plan.mapping, encoding=plan.encoding, delimiter=plan.delimiter)

    def _batches(self) -> Iterator[list[KeyedRow | BadRow]]:
        rows = keyed(self._read(), self.plan.requester, force_new=self.plan.force_new)
        for batch in batches(rows, self.plan.batch_size):
            self.check()
            yield batch

    def _import(self, session: Session, batch: list[KeyedRow | BadRow]) -> Outcome:
        return import_batch(session, batch, requester=self.plan.requester, now=self.desk.resources.clock.now())

    def _report(self, outcome: Outcome) -> None:
        self.tally.take(outcome)
        for row in sorted(outcome.refused, key=lambda row: row.line):
            self.bar.complain(f"{self.plan.file}:{row.line}: {row.reason}")
        self.bar.show(items=self.tally.seen, position=self.stream.tell())


@contextmanager
def _opened(file: Path) -> Iterator[io.BufferedReader]:
    try:
        stream = file.open("rb")
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}. Check the path.", field="file") from error
    with stream:
        if not stream.seekable():  # a pipe is read twice with --strict, and measured for the progress bar
            yield io.BufferedReader(io.BytesIO(stream.read()))
        else:
            yield stream


def _size(stream: io.BufferedReader) -> int:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return size


def _figures(plan: Plan, tally: Tally) -> str:
    rate = f" ({tally.seen / tally.seconds:,.0f} rows/s)" if tally.seen >= plan.batch_size else ""
    would = "would be " if plan.dry_run else ""
    return (
        f"{counted(tally.added, 'ticket')} {would}added, {counted(tally.known, 'row')} known already,"
        f" {counted(len(tally.refused), 'bad row')}, in {tally.seconds:.1f} s{rate}"
    )


def _verdict(plan: Plan, tally: Tally) -> str:
    if tally.refused:
        return ". Nothing was kept (--strict)." if plan.strict else ". The bad rows are named above."
    if tally.known and not tally.added:
        return ". Nothing new: this was imported before (--force-new adds it again)."
    return "."


def _document(plan: Plan, tally: Tally, *, stopped: bool) -> dict[str, object]:
    return {
        "file": plan.file,
        "added": tally.added,
        "known": tally.known,
        "bad_rows": [{"line": row.line, "reason": row.reason} for row in tally.refused],
        "dry_run": plan.dry_run,
        "strict": plan.strict,
        "interrupted": stopped,
        "seconds": round(tally.seconds, 3),
    }
