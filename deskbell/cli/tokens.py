"""`deskbell token`: keys to the API."""

from datetime import timedelta
from typing import Annotated

import typer

from deskbell.cli.commands import Json, command, group
from deskbell.cli.console import note, say, say_json, say_table, when

app = group(
    "Tokens, with which programs use the API.",
    "deskbell token create sam@example.org --name 'nightly report' --scope read",
)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="As whom the program acts.")]


@command(
    app,
    "token create",
    "deskbell token create sam@example.org --name 'nightly report' --scope read --expires-days 90",
    "deskbell token create sam@example.org --name import --json",
)
def create(
    email: Email,
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may do: read, or mail to deliver mail. Without, all that the person may."),
    ] = None,
    expires_days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="Days after which it is worthless.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a token. Its secret is shown this once."""
    from deskbell.accounts.actions import create_token
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.cli.desks import open_desk, system

    with open_desk() as desk, desk.database.transaction(system()) as session:
        expires_at = desk.resources.clock.now() + timedelta(days=expires_days) if expires_days else None
        user = get_user_by_email(session, email)
        token, secret = create_token(session, user.id, name=name, scopes=tuple(scope or ()), expires_at=expires_at)
    if as_json:
        say_json(
            {
                "id": token.id,
                "user": user.email,
                "name": token.name,
                "scopes": token.scopes,
                "expires_at": expires_at,
                "token": secret,
            }
        )
        return
    say(f"Token {token.id} for {user.email}, shown this once:", "", f"  {secret}", "")
    note("Send it as: Authorization: Bearer <token>")


@command(app, "token list", "deskbell token list", "deskbell token list sam@example.org --json")
def list_tokens(
    email: Annotated[str, typer.Argument(metavar="[EMAIL]", help="Only this person's.", show_default=False)] = "",
    as_json: Json = False,
) -> None:
    """List tokens; their secrets cannot be shown again."""
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    from deskbell.accounts.models import ApiToken
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.cli.desks import open_desk, system

    statement = select(ApiToken).options(joinedload(ApiToken.user)).order_by(ApiToken.id)
    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        if email:
            statement = statement.where(ApiToken.user_id == get_user_by_email(session, email).id)
        found = session.scalars(statement).all()
    if as_json:
        say_json({"tokens": [_document(token) for token in found]})
    elif found:
        columns = ("Id", "User", "Name", "Begins", "Scopes", "Expires", "Revoked")
        rows = [
            (
                str(t.id),
                t.user.email,
                t.name,
                t.hint,
                ", ".join(t.scopes) or "all",
                when(t.expires_at),
                when(t.revoked_at),
            )
            for t in found
        ]
        say_table(columns, rows, flexible="Name")
    else:
        note("There are no tokens.")


@command(app, "token revoke", "deskbell token revoke 7")
def revoke(number: Annotated[int, typer.Argument(metavar="ID", help="As `deskbell token list` shows it.")]) -> None:
    """Make a token worthless from now on."""
    from deskbell.accounts.actions import revoke_token
    from deskbell.cli.desks import open_desk, system

    with open_desk() as desk, desk.database.transaction(system()) as session:
        revoke_token(session, number, at=desk.resources.clock.now())
    say(f"Token {number} is revoked.")


def _document(token: "object") -> dict[str, object]:
    names = ("id", "name", "hint", "scopes", "created_at", "expires_at", "revoked_at")
    return {name: getattr(token, name) for name in names} | {"user": token.user.email}  # type: ignore[attr-defined]
