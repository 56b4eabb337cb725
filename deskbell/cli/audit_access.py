"""`deskbell audit access`: who read what."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deskbell.cli.commands import As, Json, command
from deskbell.cli.console import note, say_json, say_table, when
from deskbell.cli.ticket_past import Cursor, Limit, moment
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deskbell.audit.access_queries import AccessFilter
    from deskbell.audit.models import AccessKind

Number = Annotated[str, typer.Argument(metavar="[NUMBER]", help="A ticket's number, like DB-1042.", show_default=False)]
User = Annotated[str, typer.Option(metavar="EMAIL", help="Only what this person read.", show_default=False)]
Kind = Annotated[
    str, typer.Option(metavar="TEXT", help="Only this: ticket, 'ticket list', search…", show_default=False)
]
Since = Annotated[str, typer.Option(metavar="TIME", help="The first that counts.", show_default=False)]
Until = Annotated[str, typer.Option(metavar="TIME", help="The first that no longer counts.", show_default=False)]


def access(  # noqa: PLR0917 - options
    number: Number = "",
    user: User = "",
    kind: Kind = "",
    since: Since = "",
    until: Until = "",
    limit: Limit = 50,
    cursor: Cursor = "",
    as_: As = "",
    as_json: Json = False,
) -> None:
    """Show who read what, last readings first; with a ticket's number, who has looked at it.

    A ticket is looked at when it is opened: also its history, its comments and its attachments. Lists and searches in
    which it was a row count as such. For administrators; that you looked is recorded as well.
    """
    from deskbell.audit.access_queries import NEWEST_ACCESS_FIRST, accesses
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import actor, note_reading, open_desk
    from deskbell.kernel.paging import Cursor as Place
    from deskbell.kernel.paging import keyset, page

    asked = " ".join(part for part in (number, user, kind, since, until) if part)
    with open_desk(reading=True) as desk:
        who = actor(desk, as_)
        place = Place.unseal(cursor, desk.key) if cursor else None
        with desk.database.transaction(who) as session:
            _require_admin(who.kind.value)
            statement = accesses(_filter(session, number, user, _kind(kind), (since, until)))
            limited = keyset(statement, NEWEST_ACCESS_FIRST, limit=limit, cursor=place, query=f"access {asked}")
            rows = session.execute(limited).all()
        found = page(rows, NEWEST_ACCESS_FIRST, limit=limit, query=f"access {asked}")
        note_reading(desk, who, AccessKind.ACCESS, query=asked, shown=len(found.items))
        next_cursor = found.next_cursor.seal(desk.key) if found.next_cursor else None
    entries = [row._asdict() for row in found.items]
    if as_json:
        say_json({"entries": entries, "next_cursor": next_cursor})
        return
    _say(entries)
    if next_cursor:
        note(f"There are more: add --cursor {next_cursor}", "dim")


def _require_admin(kind: str) -> None:
    from deskbell.kernel.errors import ForbiddenError

    if kind not in {"admin", "system"}:
        raise ForbiddenError("Only an administrator may see who read what.")


def _filter(
    session: "Session", number: str, user: str, kind: "AccessKind | None", span: tuple[str, str]
) -> "AccessFilter":
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.audit.access_queries import AccessFilter
    from deskbell.tickets.queries import get_ticket

    since, until = (moment(text) if text else None for text in span)
    return AccessFilter(
        user_id=get_user_by_email(session, user).id if user else None,
        ticket_id=get_ticket(session, number, deleted=True).id if number else None,
        kind=kind,
        since=since,
        until=until,
    )


def _kind(text: str) -> "AccessKind | None":
    from deskbell.audit.models import AccessKind

    try:
        return AccessKind(text.strip().lower()) if text else None
    except ValueError:
        known = ", ".join(repr(each.value) if " " in each else each.value for each in AccessKind)
        raise InvalidError(f"{text!r} is nothing that is read. Known are {known}.", field="kind") from None


def _say(entries: list[dict[str, Any]]) -> None:
    if not entries:
        note("Nobody has read that since the log began.")
        return
    rows = [
        (
            when(each["at"]),
            each["user_name"] or (f"user {each['user_id']}" if each["user_id"] else "the system"),
            each["channel"],
            " ".join(part for part in (each["kind"], each["ticket_number"]) if part),
            "-" if each["shown"] is None else str(each["shown"]),
            each["address"] or "-",
            each["query"] or each["act"],
        )
        for each in entries
    ]
    say_table(("When", "Who", "Through", "What", "Rows", "From", "Asked"), rows, flexible="Asked")


def register(app: typer.Typer) -> None:
    """Add the command to its group."""
    command(
        app,
        "audit access",
        "deskbell audit access DB-1042",
        "deskbell audit access --user sam@example.org --since 2026-11-01 --json",
    )(access)
