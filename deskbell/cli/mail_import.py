"""The import of mail: everything is written down first, then each message is filed in a transaction of its own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.cli.commands import invocation
from deskbell.cli.console import counted, note, say, say_json, say_table
from deskbell.cli.desks import open_desk
from deskbell.cli.interrupts import STOPPED, between_steps
from deskbell.cli.progress import Meter, meter
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.errors import DeskbellError
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.files import FoundMessage, Skipped, read_messages
from deskbell.mail.inbound.ledger import Taken, receive, unread
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.runtime import Desk
from deskbell.tickets.models import Ticket

BATCH_BYTES = 16 * 1024 * 1024
"""Messages are written down in transactions of about this size, or larger by one message."""
AGAIN = "Run the same command again to go on."
_SHOWN = 20
_ROWS = 1000
_UNREADABLE = ("could not be read", "does not exist")


@dataclass(slots=True)
class Tally:
    """What has become of the messages so far."""

    received: int = 0
    known: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    filed: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one message."""

    source: str
    state: MailState
    reason: str
    ticket: str | None


def run_import(paths: Sequence[Path], *, as_json: bool) -> int:
    """Do it, and return the exit code: 1 when something could not be read or filed."""
    tally, stopped = Tally(), False
    actor = Actor.system(Channel.MAIL, act=invocation().act)
    with open_desk() as desk:
        try:
            with between_steps() as check:
                with meter("Writing down", "messages", None) as bar:
                    for batch in _batches(read_messages(paths), tally, bar):
                        check()
                        _receive(desk, actor, batch, tally, bar)
                _file_all(desk, actor, tally, check)
        except KeyboardInterrupt:
            stopped = True
        except DeskbellError:
            note(f"{counted(tally.received, 'message')} written down before this happened. {AGAIN}")
            raise
        with desk.database.transaction(actor) as session:
            filed = list(_filed(session, tally.filed))
    if as_json:
        say_json(_document(tally, filed, stopped=stopped))
    else:
        _tell(tally, filed)
    if stopped:
        note(f"Stopped. What was written down is safe. {AGAIN}")
        return STOPPED
    return int(
        any(_is_fault(each, paths) for each in tally.skipped) or any(each.state is MailState.FAILED for each in filed)
    )


def _is_fault(skipped: Skipped, paths: Sequence[Path]) -> bool:
    """Say whether something was to be read and could not be; other files that lie in a folder are only mentioned."""
    return skipped.reason.startswith(_UNREADABLE) or skipped.source in {str(path) for path in paths}


def _receive(desk: Desk, actor: Actor, batch: list[FoundMessage], tally: Tally, bar: Meter) -> None:
    with desk.database.transaction(actor) as session:
        new = sum(_written(session, each).is_new for each in batch)
    tally.received += new
    tally.known += len(batch) - new
    bar.show(items=tally.received + tally.known, position=0)


def _written(session: Session, found: FoundMessage) -> Taken:
    return receive(session, found.raw, source=found.source, is_delivered=False)


def _batches(found: Iterable[FoundMessage | Skipped], tally: Tally, bar: Meter) -> Iterator[list[FoundMessage]]:
    batch: list[FoundMessage] = []
    size = 0
    for each in found:
        if isinstance(each, Skipped):
            tally.skipped.append(each)
            bar.complain(f"{each.source}: {each.reason}.")
            continue
        batch.append(each)
        size += len(each.raw)
        if size >= BATCH_BYTES or len(batch) >= _ROWS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _file_all(desk: Desk, actor: Actor, tally: Tally, check: Callable[[], None]) -> None:
    """File all that nobody has filed yet, also what an interrupted run left behind."""
    with desk.database.transaction(actor) as session:
        waiting = session.scalars(unread()).all()
    with meter("Filing", "messages", len(waiting)) as bar:
        for number, message_id in enumerate(waiting, 1):
            check()
            with desk.database.transaction(actor) as session:
                if file_message(session, message_id) is not None:
                    tally.filed.append(message_id)
            bar.show(items=number, position=number)


def _filed(session: Session, ids: Sequence[int]) -> Iterator[Filed]:
    columns = (InboundMessage.source, InboundMessage.state, InboundMessage.reason, Ticket.ticket_number)
    for start in range(0, len(ids), _ROWS):
        chunk = ids[start : start + _ROWS]
        statement = select(*columns).outerjoin(Ticket, Ticket.id == InboundMessage.ticket_id)
        for row in session.execute(statement.where(InboundMessage.id.in_(chunk)).order_by(InboundMessage.id)):
            yield Filed(*row)


def _tell(tally: Tally, filed: list[Filed]) -> None:
    states = {state: sum(each.state is state for each in filed) for state in MailState}
    became = ", ".join(f"{number:,} {state.value}" for state, number in states.items() if number)
    again = tally.known and not (tally.received or filed)
    nothing = " Nothing new: these messages are there already." if again else ""
    figures = f"{tally.known:,} known already, {len(tally.skipped):,} skipped"
    say(f"{counted(tally.received, 'message')} added, {figures}.{nothing}")
    if became:
        say(f"Filed as: {became}.")
    unclear = [each for each in filed if each.reason]
    if unclear:
        say_table(
            ("State", "Message", "Why"), [(e.state.value, e.source, e.reason) for e in unclear[:_SHOWN]], flexible="Why"
        )
    if len(unclear) > _SHOWN:
        say(f"… and {len(unclear) - _SHOWN:,} more: deskbell mail list")


def _document(tally: Tally, filed: list[Filed], *, stopped: bool) -> dict[str, object]:
    return {
        "added": tally.received,
        "known": tally.known,
        "skipped": [{"source": each.source, "reason": each.reason} for each in tally.skipped],
        "filed": [{"source": f.source, "state": f.state, "reason": f.reason, "ticket": f.ticket} for f in filed],
        "interrupted": stopped,
    }
