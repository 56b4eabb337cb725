"""`deskbell audit`: who changed what, when, through what and why."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import say_json, say_table, when

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

app = group("The audit log, in which every change is recorded.", "deskbell audit show DB-1042")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The ticket's number, like DB-1042.")]
_THINGS = {"tickets": "ticket", "comments": "comment", "attachments": "attachment", "ticket_tags": "tag"}
_LONGEST = 60


@command(app, "audit show", "deskbell audit show DB-1042", "deskbell audit show DB-1042 --json")
def show(number: Number, as_: As = "", as_json: Json = False) -> None:
    """Show the history of a ticket, of its comments, attachments and tags, oldest change first."""
    from deskbell.audit.queries import changes_of_ticket
    from deskbell.cli.desks import actor, open_desk
    from deskbell.tickets.queries import get_thread

    with open_desk(reading=True) as desk, desk.database.transaction(actor(desk, as_)) as session:
        ticket = get_thread(session, number)
        statement = changes_of_ticket(ticket.id)
        found = session.execute(statement.order_by(*(column.asc() for column in statement.selected_columns if column.key == "id")))
        changes = [row._asdict() for row in found]
        tags = {tag.id: tag.name for tag in ticket.tags} if changes else {}
    if as_json:
        say_json({"ticket": ticket.ticket_number, "changes": changes})
        return
    columns = ("When", "Who", "Through", "What", "Change")
    rows = [
        (when(each["created_at"]), _who(each), _through(each), f"{_THINGS.get(each['table_name'], each['table_name'])}", line)
        for each in changes
        for line in _lines(each, tags)
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


def _lines(change: "Mapping[str, Any]", tags: "Mapping[int, str]") -> "Iterable[str]":
    """Write a change as lines: `status: open → resolved`."""
    values = change["changes"] or {}
    if change["table_name"] == "ticket_tags":
        tag = values.get("tag_id")
        verb = "added" if change["action"] == "CREATE" else "removed"
        yield f"{verb}: {tags.get(tag, f'tag {tag}')}"
    elif change["action"] == "UPDATE":
        for name, (old, new) in sorted(values.items()):
            yield f"{name}: {_shown(old)} → {_shown(new)}"
    else:
        yield {"CREATE": "created", "DELETE": "deleted for good"}.get(change["action"], change["action"])


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 1] + "…"
