"""The import of a CSV file: batches, progress, bad rows, and what to say in the end."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.orm import Session

from deskbell.cli.commands import invocation
from deskbell.cli.console import counted, note, say, say_json
from deskbell.cli.desks import open_desk
from deskbell.cli.progress import Meter, meter
from deskbell.curation.csv_fields import BadRow, Row
from deskbell.curation.csv_reader import read_rows
from deskbell.curation.imports import Outcome, batches, check_batch, import_batch, keyed
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.errors import DeskbellError, InvalidError
from deskbell.runtime import Desk

STOPPED = 130


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
    tally, started, stopped = Tally(), time.perf_counter(), False
    with _opened(plan.file) as stream, open_desk() as desk, meter(plan.file.name, "rows", _size(stream)) as bar:
        try:
            _import_all(desk, plan, stream, tally, bar)
        except _RefusedError:
            tally.added = 0
        except KeyboardInterrupt:
            tally.added = 0 if plan.strict else tally.added
            stopped = True
        except DeskbellError:
            if tally.added and not (plan.strict or plan.dry_run):
                note(
                    f"{counted(tally.added, 'ticket')} added before this happened. Run the same command again to go on."
                )
            raise
    tally.seconds = time.perf_counter() - started
    if as_json:
        say_json(_document(plan, tally, stopped=stopped))
    elif stopped:
        note(f"Stopped: {_figures(plan, tally)}. Run the same command again to go on.")
    else:
        say(f"{plan.file}: {_figures(plan, tally)}{_verdict(plan, tally)}")
    return STOPPED if stopped else int(bool(tally.refused))


def _import_all(desk: Desk, plan: Plan, stream: io.BufferedReader, tally: Tally, bar: Meter) -> None:
    if plan.strict:
        _check_readable(plan, stream, tally, bar)
        stream.seek(0)
    actor = Actor.system(Channel.IMPORT, act=f"{invocation().act} {plan.file.name}")
    if plan.strict or plan.dry_run:  # one transaction, in which all is well or nothing happens
        with desk.database.transaction(actor) as session:
            for outcome in _outcomes(session, desk, plan, stream):
                _report(plan, stream, tally, outcome, bar)
            if plan.strict and tally.refused:
                raise _RefusedError
        return
    for batch in batches(_rows(plan, stream), plan.batch_size):
        with desk.database.transaction(actor) as session:
            outcome = import_batch(session, batch, requester=plan.requester, now=desk.resources.clock.now())
        actor = replace(actor, operation=outcome.operation)  # all batches are one operation
        _report(plan, stream, tally, outcome, bar)


def _outcomes(session: Session, desk: Desk, plan: Plan, stream: io.BufferedReader) -> Iterator[Outcome]:
    for batch in batches(_rows(plan, stream), plan.batch_size):
        if plan.dry_run:
            yield check_batch(session, batch)
        else:
            yield import_batch(session, batch, requester=plan.requester, now=desk.resources.clock.now())


def _check_readable(plan: Plan, stream: io.BufferedReader, tally: Tally, bar: Meter) -> None:
    """Read everything before anything is written."""
    bad = [row for row in _read(plan, stream) if isinstance(row, BadRow)]
    if bad:
        _report(plan, stream, tally, Outcome(refused=bad), bar)
        raise _RefusedError


def _read(plan: Plan, stream: io.BufferedReader) -> Iterator[Row | BadRow]:
    return read_rows(stream, plan.mapping, encoding=plan.encoding, delimiter=plan.delimiter)


def _rows(plan: Plan, stream: io.BufferedReader) -> Iterator:
    return keyed(_read(plan, stream), plan.requester, force_new=plan.force_new)


def _report(plan: Plan, stream: io.BufferedReader, tally: Tally, outcome: Outcome, bar: Meter) -> None:
    tally.take(outcome)
    for row in sorted(outcome.refused, key=lambda row: row.line):
        bar.complain(f"{plan.file}:{row.line}: {row.reason}")
    bar.show(items=tally.seen, position=stream.tell())


@contextmanager
def _opened(file: Path) -> Iterator[io.BufferedReader]:
    try:
        stream = file.open("rb")
    except OSError as error:
        raise InvalidError(f"{file} cannot be read: {error.strerror}. Check the path.", field="file") from error
    with stream:
        if not stream.seekable():  # a pipe is read twice with --strict, and measured for the progress bar
            yield io.BufferedReader(io.BytesIO(stream.read()))  # type: ignore[arg-type]
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
