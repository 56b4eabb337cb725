"""`deskbell serve`: from nothing to a page in the browser."""

import secrets
import time
from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import command
from deskbell.cli.console import say, say_last

if TYPE_CHECKING:
    from deskbell.runtime import Desk

ADMIN_EMAIL = "admin@deskbell.localhost"
_PASSWORD_BYTES = 15

Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Listen here. [dim](DESKBELL_WEB_HOST; 127.0.0.1)[/]", show_default=False)
]
Port = Annotated[
    int | None,
    typer.Option(
        min=0, max=65535, help="Listen on this port, 0 for any that is free. [dim](DESKBELL_WEB_PORT; 8000)[/]"
    ),
]
Worker = Annotated[
    bool | None,
    typer.Option(
        "--worker/--no-worker",
        help="Run jobs here, or leave them to `deskbell worker`. [dim](DESKBELL_WEB_RUN_WORKER)[/]",
    ),
]
Demo = Annotated[bool, typer.Option("--demo/--no-demo", help="Load a few example tickets when the database is empty.")]
AdminEmail = Annotated[
    str,
    typer.Option(
        metavar="EMAIL",
        envvar="DESKBELL_ADMIN_EMAIL",
        help="Address of the administrator that is made when there is none.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(
        app,
        "serve",
        "deskbell serve",
        "deskbell serve --host 0.0.0.0 --port 80 --no-demo",
        "DESKBELL_DATABASE_URL=postgresql://admin:secret@db.example.org/deskbell deskbell serve",
    )(serve)


def serve(
    host: Host = "",
    port: Port = None,
    worker: Worker = None,
    demo: Demo = True,
    admin_email: AdminEmail = ADMIN_EMAIL,
) -> None:
    """Start Deskbell: database, web server and worker, until Ctrl-C.

    Without DESKBELL_DATABASE_URL it starts its own PostgreSQL in the data directory. The first start makes the schema,
    an administrator, whose password is shown this once, and a few example tickets. Data are kept.
    """
    started = time.perf_counter()
    from deskbell.cli.desks import load_settings, open_desk
    from deskbell.cli.listening import listen, url_of

    settings = load_settings()
    host, port = host or settings.web.host, settings.web.port if port is None else port
    with_worker = settings.web.run_worker if worker is None else worker
    with listen(host, port) as listener, open_desk(upgrade=True) as desk:
        from deskbell.cli.logs import configure_logging
        from deskbell.cli.serving import serve as run

        configure_logging()
        url = url_of(host, listener)
        _prepare(desk, url, admin_email, demo=demo)
        run(
            desk,
            listener,
            with_worker=with_worker,
            on_ready=lambda: say(
                f"Deskbell is ready: {url}  (started in {time.perf_counter() - started:.1f} s, Ctrl-C stops it)"
            ),
            on_stop=lambda: say_last("Stopping; what is in flight may finish. Ctrl-C again does not wait."),
        )
    say_last("Stopped.")


def _prepare(desk: "Desk", url: str, admin_email: str, *, demo: bool) -> None:
    """Make what a new desk needs before anybody can come in."""
    if demo and _is_empty(desk):
        from deskbell.cli.desks import system
        from deskbell.curation.demo import load_demo

        with desk.database.transaction(system()) as session:
            load_demo(session)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    email = _first_administrator(desk, admin_email, password)
    if email is not None:
        say(
            "",
            "  An administrator was made. The password is shown this once:",
            "",
            f"    address    {url}",
            f"    e-mail     {email}",
            f"    password   {password}",
            "",
            f"  Another one later: deskbell user password {email}",
            "",
        )


def _is_empty(desk: "Desk") -> bool:
    from sqlalchemy import select

    from deskbell.accounts.models import User
    from deskbell.cli.desks import system

    with desk.database.transaction(system()) as session:
        return session.scalar(select(User.id).limit(1)) is None


def _first_administrator(desk: "Desk", email: str, password: str) -> str | None:
    """Make an administrator where there is none; return the address, or None when there is one already."""
    from deskbell.accounts.actions import create_user
    from deskbell.accounts.login import anybody_here
    from deskbell.accounts.models import Role
    from deskbell.accounts.passwords import hash_password
    from deskbell.cli.desks import system

    with desk.database.transaction(system()) as session:
        if anybody_here(session):
            return None
        user = create_user(
            session, email=email, full_name="Administrator", role=Role.ADMIN, password_hash=hash_password(password)
        )
        return user.email
