"""`deskbell audit`: who changed what, when, through what and why."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import note, say_json, say_table, shown, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    Names = dict[tuple[str, int], str]

app = group("The audit log, in which every change is recorded.", "deskbell audit show DB-1042")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket's number, like DB-1042.")]


@command(app, "audit show", "deskbell audit show DB-1042", "deskbell audit show DB-1042 --json")
def show(number: Number, as_: As = "", as_json: Json = False) -> None:
    """Show the history of a ticket, of its comments, attachments and tags, oldest change first."""
    from deskbell.audit.models import AccessKind
    from deskbell.audit.queries import changes_of_ticket
    from deskbell.audit.retention import removed_before
    from deskbell.cli.desks import actor, note_reading, open_desk
    from deskbell.tickets.history_words import WHAT
    from deskbell.tickets.queries import get_thread

    with open_desk(reading=True) as desk, desk.database.transaction(who := actor(desk, as_)) as session:
        ticket = get_thread(session, number)
        statement = changes_of_ticket(ticket.id)
        found = session.execute(
            statement.order_by(*(column.asc() for column in statement.selected_columns if column.key == "id"))
        )
        changes = [row._asdict() for row in found]
        names = {} if as_json else _names(session, changes)
        removed = removed_before(session, "tickets", ticket.id)
        note_reading(desk, who, AccessKind.HISTORY, number=number, shown=len(changes))
    if as_json:
        say_json({"ticket": ticket.ticket_number, "changes": changes, "removed_before": removed})
        return
    if removed:
        note(f"What happened before {when(removed)} was removed by retention.")
    columns = ("When", "Who", "Through", "What", "Change")
    rows = [
        (
            when(each["created_at"]),
            _who(each),
            _through(each),
            WHAT.get(each["table_name"], each["table_name"]),
            line,
        )
        for each in changes
        for line in _lines(each, names)
    ]
    say_table(columns, rows, flexible="Change")


def _who(change: "Mapping[str, Any]") -> str:
    if change["user_id"] is None:
        return "the system"
    return change["user_name"] or f"user {change['user_id']}"


def _through(change: "Mapping[str, Any]") -> str:
    """Name the channel, what was done there, and for what reason where no person asked for it."""
    details = [part for part in (change["act"], change["cause"]) if part]
    return f"{change['channel']} ({', '.join(details)})" if details else str(change["channel"])


def _lines(change: "Mapping[str, Any]", names: "Names") -> "Iterable[str]":
    """Write a change as lines: `status: open → resolved`."""
    values = change["changes"] or {}
    if change["table_name"] == "ticket_tags":
        verb = "added" if change["action"] == "CREATE" else "removed"
        yield f"{verb}: {_shown('tag_id', _tag_of(change), names)}"
    elif change["action"] == "UPDATE":
        for name, (old, new) in sorted(values.items()):
            yield f"{name.removesuffix('_id')}: {_shown(name, old, names)} → {_shown(name, new, names)}"
    else:
        yield {"CREATE": "created", "DELETE": "deleted for good"}.get(change["action"], change["action"])


def _names(session: "Session", changes: "Iterable[Mapping[str, Any]]") -> "Names":
    """Return what to call the tags and agents whose ids the changes hold, by column and id."""
    from sqlalchemy import select

    from deskbell.accounts.models import Person, display_name
    from deskbell.tickets.models import Tag

    tag_ids = {_tag_of(each) for each in changes if each["table_name"] == "ticket_tags"}
    agent_ids = {each for change in changes for each in (change["changes"] or {}).get("assignee_id", ()) if each}
    found: Names = {("tag_id", tag.id): tag.name for tag in session.scalars(select(Tag).where(Tag.id.in_(tag_ids)))}
    people = session.scalars(select(Person).where(Person.id.in_(agent_ids)))
    return found | {("assignee_id", person.id): display_name(person) for person in people}


def _tag_of(change: "Mapping[str, Any]") -> int | None:
    """Return the id of the tag: a CREATE names it as a change from nothing, a DELETE as part of the row."""
    value = (change["changes"] or {}).get("tag_id")
    return value[1] if isinstance(value, list) else value


def _shown(column: str, value: object, names: "Names") -> str:
    if isinstance(value, int) and (column, value) in names:
        return names[column, value]
    return shown(value)
