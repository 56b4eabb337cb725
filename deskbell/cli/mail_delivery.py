"""`deskbell mail listen` and `deskbell mail receive`: mail servers and pipes deliver to the desk."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import command
from deskbell.cli.console import say, say_last

if TYPE_CHECKING:
    from deskbell.runtime import Desk

Where = Annotated[
    list[str] | None,
    typer.Option("--address", metavar="ADDRESS", help="Listen here; may be repeated. [dim](DESKBELL_MAIL_LISTEN)[/]"),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    command(
        app,
        "mail listen",
        "deskbell mail listen --address lmtp://127.0.0.1:2424",
        "DESKBELL_MAIL_LISTEN=lmtp+unix:///run/deskbell/lmtp deskbell mail listen",
    )(listen)


def listen(address: Where = None) -> None:
    """Take mail from mail servers by SMTP or LMTP, until Ctrl-C.

    `deskbell serve` and `deskbell worker` do so too where DESKBELL_MAIL_LISTEN is set. This command alone files
    nothing: that is the worker's.
    """
    from deskbell.cli.desks import open_desk

    with open_desk() as desk:
        _listen(desk, " ".join(address or ()) or desk.settings.mail.listen)
    say_last("Stopped.")


def _listen(desk: "Desk", addresses: str) -> None:
    from deskbell.cli.logs import configure_logging
    from deskbell.cli.serving import receive
    from deskbell.kernel.doors import doors_in
    from deskbell.kernel.errors import InvalidError

    try:
        doors = doors_in(addresses)
    except ValueError:
        doors = ()
    if not doors:
        raise InvalidError(
            f"{addresses or 'Nothing'} is no address to listen at: give one with --address or DESKBELL_MAIL_LISTEN, "
            "like lmtp://127.0.0.1:2424, smtp://0.0.0.0:2525 or lmtp+unix:///run/deskbell/lmtp.",
            field="address",
        )
    configure_logging()
    receive(
        desk,
        doors,
        on_ready=lambda open_doors: say(f"Mail is taken at {', '.join(open_doors)}; Ctrl-C stops it."),
        on_stop=lambda: say_last("Stopping; messages under way may finish. Ctrl-C again does not wait."),
    )
