"""`deskbell user`: who may come in, and as what."""

import secrets
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deskbell.cli.commands import Json, command, group
from deskbell.cli.console import counted, note, say, say_json, say_table, when
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deskbell.accounts.models import User

app = group(
    "People: customers, agents and administrators.",
    "deskbell user create sam@example.org --role agent --generate-password",
)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their address.")]
RoleName = Literal["customer", "agent", "admin"]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Generated = Annotated[bool, typer.Option("--generate-password", help="Make up a password and show it once.")]
_PASSWORD_BYTES = 15


@command(
    app,
    "user create",
    "deskbell user create kim@example.org --name 'Kim Doe'",
    "deskbell user create sam@example.org --role agent --generate-password",
    "deskbell user create pat@example.org --role admin --password-stdin < password.txt",
)
def create(
    email: Email,
    name: Annotated[str, typer.Option(help="What to call them.", show_default=False)] = "",
    role: Annotated[RoleName, typer.Option(help="What they are to the desk.")] = "customer",
    organization: Annotated[str, typer.Option(metavar="NAME", help="Their organization.", show_default=False)] = "",
    password_stdin: FromInput = False,
    generate_password: Generated = False,
    as_json: Json = False,
) -> None:
    """Add somebody. Without a password they cannot log in, but write and be answered."""
    from deskbell.accounts.actions import create_user
    from deskbell.accounts.models import Role
    from deskbell.accounts.passwords import hash_password
    from deskbell.cli.desks import open_desk, system

    password = _password(from_input=password_stdin, generate=generate_password)
    hashed = hash_password(password) if password else None
    with open_desk() as desk, desk.database.transaction(system()) as session:
        user = create_user(
            session,
            email=email,
            full_name=name,
            role=Role(role),
            organization_id=_organization(session, organization),
            password_hash=hashed,
        )
    shown = password if generate_password else None
    if as_json:
        say_json(user_document(user) | ({"password": shown} if shown else {}))
        return
    say(f"{user.email} was added as {role} (user {user.id}).")
    if shown:
        say(f"Password, shown this once: {shown}")


@command(app, "user list", "deskbell user list", "deskbell user list --role agent --json")
def list_users(
    role: Annotated[RoleName | None, typer.Option(help="Only these.")] = None, as_json: Json = False
) -> None:
    """List people by address."""
    from deskbell.accounts.models import Role, User
    from deskbell.accounts.queries import users
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import note_reading, open_desk, system

    statement = users().order_by(User.email, User.id)
    if role:
        statement = statement.where(User.role == Role(role))
    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found = session.scalars(statement).all()
        note_reading(desk, system(), AccessKind.USERS, query=f"role={role}" if role else "", shown=len(found))
    if as_json:
        say_json({"users": [user_document(user) for user in found]})
    elif found:
        rows = [
            (u.email, u.full_name or "-", u.role.value, "yes" if u.is_active else "no", when(u.last_login))
            for u in found
        ]
        say_table(("E-mail", "Name", "Role", "Active", "Last login"), rows, flexible="Name")
    else:
        note("There is nobody.")


@command(app, "user deactivate", "deskbell user deactivate sam@example.org")
def deactivate(email: Email) -> None:
    """Log somebody out everywhere and let them in no longer. Their tickets become nobody's; what they wrote stays."""
    _set_active(email, active=False)
    say(f"{email} is deactivated.")


@command(app, "user activate", "deskbell user activate sam@example.org")
def activate(email: Email) -> None:
    """Let somebody in again."""
    _set_active(email, active=True)
    say(f"{email} is active.")


@command(
    app,
    "user password",
    "deskbell user password sam@example.org",
    "deskbell user password sam@example.org --password-stdin < password.txt",
    "deskbell user password sam@example.org --end-tokens",
)
def password(
    email: Email,
    password_stdin: FromInput = False,
    end_tokens: Annotated[bool, typer.Option("--end-tokens", help="Make all their API tokens worthless too.")] = False,
) -> None:
    """Give somebody a new password, made up unless it is piped in, and log them out everywhere.

    Their API tokens live on, as programs use them: end them where the old password was in wrong hands.
    """
    from deskbell.accounts.actions import set_password
    from deskbell.accounts.passwords import hash_password
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.cli.desks import open_desk, system

    new = _password(from_input=password_stdin, generate=not password_stdin)
    hashed = hash_password(new or "")
    with open_desk() as desk, desk.database.transaction(system()) as session:
        alive = set_password(session, get_user_by_email(session, email).id, hashed, end_tokens=end_tokens)
    say(f"{email} has a new password." if password_stdin else f"New password of {email}, shown this once: {new}")
    if alive:
        note(f"{counted(alive, 'API token')} of theirs still work. --end-tokens ends them; see `deskbell token list`.")


def _set_active(email: str, *, active: bool) -> None:
    from deskbell.accounts.actions import set_active
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.cli.desks import open_desk, system

    with open_desk() as desk, desk.database.transaction(system()) as session:
        set_active(session, get_user_by_email(session, email).id, active=active)


def _password(*, from_input: bool, generate: bool) -> str | None:
    if from_input and generate:
        raise InvalidError("Use either --password-stdin or --generate-password.")
    if generate:
        return secrets.token_urlsafe(_PASSWORD_BYTES)
    if not from_input:
        return None
    if sys.stdin.isatty():
        typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


def _organization(session: "Session", name: str) -> int | None:
    if not name:
        return None
    from deskbell.cli.groups import organization_named

    return organization_named(session, name).id


def user_document(user: "User") -> dict[str, object]:
    """Return a person as JSON values."""
    return {
        "id": user.id,
        "email": user.email,
        "name": user.full_name,
        "role": user.role,
        "active": user.is_active,
        "organization_id": user.organization_id,
        "created_at": user.created_at,
        "last_login": user.last_login,
    }
