"""`deskbell mail show`, `release`, `reject`, `replay`, `gaps` and `compare`: looking at a message, and deciding."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deskbell.cli.commands import As, Json, command
from deskbell.cli.console import counted, note, safe, say, say_json, say_table, when
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deskbell.mail.inbound.models import Arrival, InboundMessage

Id = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="As `deskbell mail list` shows it.")]
MaybeId = Annotated[
    int | None, typer.Argument(metavar="[ID]", min=1, max=2**63 - 1, help="One message.", show_default=False)
]
Again = Annotated[
    Literal["failed", "suspended", "automatic", "bounce", "duplicate", "rejected"] | None,
    typer.Option("--all", help="Instead of one: all messages in this state."),
]
Raw = Annotated[bool, typer.Option("--raw", help="Print it as it came, byte for byte.")]
Fill = Annotated[bool, typer.Option("--fill", help="Have them fetched.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(app, "mail show", "deskbell mail show 1042", "deskbell mail show 1042 --raw > message.eml")(show)
    command(app, "mail release", "deskbell mail release 1042 --as sam@example.org")(release)
    command(app, "mail reject", "deskbell mail reject 1042 --why 'not meant for us'")(reject)
    command(app, "mail replay", "deskbell mail replay 1042", "deskbell mail replay --all failed")(replay)
    command(app, "mail gaps", "deskbell mail gaps", "deskbell mail gaps --fill")(gaps)
    command(app, "mail compare", "deskbell mail compare")(compare)


def show(message: Id, raw: Raw = False, as_json: Json = False) -> None:
    """Show a message: what became of it and why, how it came, what it says."""
    import sys

    from sqlalchemy.orm import undefer

    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import note_reading, open_desk, system
    from deskbell.mail.inbound.errors import NoSuchMailError
    from deskbell.mail.inbound.models import InboundMessage
    from deskbell.mail.inbound.queries import arrivals_of
    from deskbell.mail.parsing import parse
    from deskbell.tickets.models import Ticket

    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found = session.get(InboundMessage, message, options=[undefer(InboundMessage.raw)])
        if found is None:
            raise NoSuchMailError(f"There is no message {message} in the ledger.")
        ticket = session.get(Ticket, found.ticket_id) if found.ticket_id else None
        arrivals = arrivals_of(session, found.id)
        note_reading(desk, system(), AccessKind.MAIL, record_id=found.id, shown=1)
    if raw:
        sys.stdout.flush()
        sys.stdout.buffer.write(found.raw)
    elif as_json:
        say_json(_document(found, ticket.ticket_number if ticket else None, arrivals) | {"text": parse(found.raw).text})
    else:
        _tell(found, ticket.ticket_number if ticket else "-", arrivals)
        say("", safe(parse(found.raw).text) or "It has no text.")


def release(message: Id, as_: As = "") -> None:
    """Let a suspended message in: to the ticket that it claims to answer, else as a new one. Say who decides."""
    from deskbell.cli.desks import actor, open_desk
    from deskbell.mail.inbound import decisions

    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        decisions.release(session, message)
    say(f"Message {message} is filed as soon as a worker is free.")


def reject(
    message: Id, why: Annotated[str, typer.Option(help="For whoever looks at it later.")] = "", as_: As = ""
) -> None:
    """Turn a message away: it stays in the ledger and in no ticket. Its sender is not told."""
    from deskbell.cli.desks import actor, open_desk
    from deskbell.mail.inbound import decisions

    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        decisions.reject(session, message, why)
    say(f"Message {message} was turned away.")


def replay(message: MaybeId = None, every: Again = None, as_: As = "") -> None:
    """Have one message read and filed again, or all in a state, after what stopped them was put right."""
    from deskbell.cli.desks import actor, open_desk
    from deskbell.mail.inbound import decisions
    from deskbell.mail.inbound.models import MailState

    if (message is None) == (every is None):
        raise InvalidError("Name one message, or a state with --all.")
    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        if every is not None:
            count = decisions.replay_all(session, state=MailState(every))
        else:
            decisions.replay(session, message or 0)
            count = 1
    say(f"{counted(count, 'message')} will be read again as soon as a worker is free.")


def gaps(fill: Fill = False, as_json: Json = False) -> int:
    """List what lies on the mail servers and is not in the ledger, by the last comparison; 1 if there is anything."""
    from sqlalchemy import func, select

    from deskbell.cli.desks import open_desk, system
    from deskbell.mail.mailboxes.models import Mailbox, MailboxFolder
    from deskbell.mail.sources.comparing import fill_gaps

    lacking = select(Mailbox.address, MailboxFolder).join(MailboxFolder, MailboxFolder.mailbox_id == Mailbox.id)
    with open_desk(reading=not fill) as desk, desk.database.transaction(system()) as session:
        found = session.execute(lacking.where(func.cardinality(MailboxFolder.missing) > 0).order_by(Mailbox.id)).all()
        told = [(address, each.name, list(each.missing), each.compared_at) for address, each in found]
        if fill:
            for _, each in found:
                fill_gaps(session, each.id)
    if as_json:
        names = ("mailbox", "folder", "missing", "compared_at")
        say_json({"gaps": [dict(zip(names, one, strict=True)) for one in told]})
    elif told:
        rows = [(a, f, str(len(uids)), ", ".join(map(str, uids[:20])), when(at)) for a, f, uids, at in told]
        say_table(("Mailbox", "Folder", "Missing", "UIDs", "Compared"), rows, flexible="UIDs")
    else:
        note("Nothing is missing.")
    if fill and told:
        note("They are fetched as soon as a worker is free.")
    return 1 if told and not fill else 0


def compare() -> None:
    """Have all folders on the mail servers compared with the ledger now, as happens each night."""
    from deskbell.cli.desks import open_desk, system
    from deskbell.mail.sources.comparing import compare_all

    with open_desk() as desk, desk.database.transaction(system()) as session:
        count = compare_all(session)
    say(f"{counted(count, 'folder')} will be compared as soon as a worker is free. See `deskbell mail gaps`.")


def _tell(message: "InboundMessage", ticket: str, arrivals: "Sequence[Arrival]") -> None:
    facts = {
        "Message": str(message.id),
        "State": message.state.value + (f": {message.reason}" if message.reason else ""),
        "Ticket": ticket,
        "From": message.sender or "-",
        "Subject": message.subject or "-",
        "Message-ID": message.message_id or "-",
        "Came": when(message.created_at),
        "Filed": when(message.filed_at),
    }
    for name, value in facts.items():
        say(f"{name + ':':<12} {safe(value)}")
    for each in arrivals:
        to = f" for {', '.join(each.envelope_to)}" if each.envelope_to else ""
        say(f"{'Way:':<12} {safe(each.source + to)}, {when(each.created_at)}")
    for defect in message.defects:
        say(f"{'Defect:':<12} {safe(defect)}")


def _document(message: "InboundMessage", ticket: str | None, arrivals: "Sequence[Arrival]") -> dict[str, object]:
    names = ("id", "state", "reason", "source", "size", "sha256", "message_id", "sender", "subject", "sent_at")
    more = ("created_at", "filed_at", "defects", "mailbox_id", "released_by_id")
    ways = ("source", "mailbox_id", "folder_id", "uid_validity", "uid", "envelope_from", "envelope_to", "created_at")
    came = [{name: getattr(each, name) for name in ways} for each in arrivals]
    return {name: getattr(message, name) for name in (*names, *more)} | {"ticket": ticket, "arrivals": came}
