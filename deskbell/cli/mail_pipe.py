"""`deskbell mail receive`: one message from a pipe of a mail server, which learns by the exit code what to do with it.

The codes are those of sysexits(3), by which Postfix, Exim, procmail and maildrop go. Whatever goes wrong here is tried
again later: a message is bounced only when it is none, or larger than allowed.
"""

import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from deskbell.cli.commands import command
from deskbell.cli.console import note, say
from deskbell.cli.faults import fault_of

if TYPE_CHECKING:
    from deskbell.kernel.actor import Actor
    from deskbell.mail.inbound.ledger import Taken
    from deskbell.runtime import Desk

USAGE: Final = 64
DATAERR: Final = 65
NOINPUT: Final = 66
TEMPFAIL: Final = 75
NOPERM: Final = 77
_ENVELOPE: Final = re.compile(rb"From (\S+|) *.*\d:\d\d.*\n")  # RFC 4155: what delivery to a program puts in front

Source = Annotated[str, typer.Argument(metavar="FILE", help="The message; - is standard input.")]
Sender = Annotated[
    str | None,
    typer.Option("--from", metavar="ADDRESS", help="Who the mail server says it is from, empty for a bounce."),
]
Recipients = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="ADDRESS", help="To whom it was to go; may be repeated."),
]
FileNow = Annotated[bool, typer.Option("--file-now", help="File it at once, and say what became of it.")]


class PipeCommand(TyperCommand):
    """A command that mail servers call: asked wrongly it exits as sysexits(3) has it."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - typer's
        """Read the command line."""
        try:
            return super().make_context(*arguments, **options)
        except typer.TyperException as error:
            error.exit_code = USAGE
            raise


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "mail receive",
        "deskbell mail receive < message.eml",
        "deskbell mail receive --from kim@example.org --to help@example.org < message.eml",
        "deskbell mail receive message.eml --file-now",
    )(receive)
    app.registered_commands[-1].cls = PipeCommand


def receive(source: Source = "-", sender: Sender = None, to: Recipients = None, file_now: FileNow = False) -> int:
    """Take in one message from a pipe, as mail servers deliver to a program.

    It exits with 0 only when the message is written down; a worker files it. With 75 the mail server tries again
    later, whatever went wrong; 65 says that there is no message or one that is larger than DESKBELL_MAIL_ACCEPT_BYTES,
    64 that the command is wrong, 66 and 77 that FILE is not there or may not be read.
    """
    try:
        raw = _read(source)
    except OSError as error:
        note(f"{source} cannot be read: {error.strerror or error}.")
        return {FileNotFoundError: NOINPUT, PermissionError: NOPERM}.get(type(error), TEMPFAIL)
    first, raw = _without_envelope_line(raw)
    if not raw.strip():
        note("There is no message: nothing came in.")
        return DATAERR
    try:
        return _take_in(raw, first if sender is None else sender, tuple(to or ()), file_now=file_now)
    except (KeyboardInterrupt, SystemExit):
        note("Stopped before the message was written down.")
        return TEMPFAIL
    except Exception as error:  # noqa: BLE001 - a mistake of ours bounces nobody's mail
        note(fault_of(error).message)
        if "--debug" in sys.argv:
            traceback.print_exception(error)
        return TEMPFAIL


def _read(source: str) -> bytes:
    return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()


def _without_envelope_line(raw: bytes) -> tuple[str | None, bytes]:
    """Return the sender in the line that mbox has before a message, where there is one, and the message."""
    found = _ENVELOPE.match(raw)
    if found is None:
        return None, raw
    sender = found[1].decode("utf-8", "replace")
    return "" if sender.upper() == "MAILER-DAEMON" else sender, raw[found.end() :]


def _take_in(raw: bytes, sender: str | None, recipients: tuple[str, ...], *, file_now: bool) -> int:
    from deskbell.cli.commands import invocation
    from deskbell.cli.desks import open_desk
    from deskbell.kernel.actor import Actor, Channel

    actor = Actor.system(Channel.MAIL, act=invocation().act)
    with open_desk() as desk:
        most = desk.resources.delivery_bytes
        if len(raw) > most:
            note(f"The message has {len(raw):,} bytes. At most {most:,} are taken: see DESKBELL_MAIL_ACCEPT_BYTES.")
            return DATAERR
        taken = _write_down(desk, actor, raw, sender, recipients)
        if file_now:
            say(_filed(desk, actor, taken))
    return 0


def _write_down(desk: "Desk", actor: "Actor", raw: bytes, sender: str | None, recipients: tuple[str, ...]) -> "Taken":
    from deskbell.mail.sources.taking import envelope_of, take

    with desk.database.transaction(actor) as session:
        return take(session, raw, source="pipe", envelope=envelope_of(sender, recipients))


def _filed(desk: "Desk", actor: "Actor", taken: "Taken") -> str:
    """File the message unless that was done, and say in a line what it is now. A failure leaves it to the worker."""
    from deskbell.mail.filing.actions import file_message
    from deskbell.mail.inbound.models import InboundMessage
    from deskbell.tickets.models import Ticket

    with desk.database.transaction(actor) as session:
        file_message(session, taken.id)
    with desk.database.transaction(actor) as session:
        message = session.get_one(InboundMessage, taken.id)
        ticket = session.get(Ticket, message.ticket_id) if message.ticket_id else None
    where = f" of {ticket.ticket_number}" if ticket is not None else ""
    why = f": {message.reason.removesuffix('.')}" if message.reason else ""
    return f"Message {taken.id} is {message.state.value}{where}{why}."
