"""What is sent to browsers: entries of the audit log and presence as server-sent events (HTML standard, 9.2). Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from deskbell.audit.feed import Entry, Found
from deskbell.audit.models import AuditAction
from deskbell.composing.presence import Presence

MOST_TICKETS: Final = 100
"""Where more have changed at once, nobody is told which."""
RETRY: Final = b"retry: 1000\n\n"
"""Milliseconds after which a browser that has lost its connection tries again."""
HEARTBEAT: Final = b"event: beat\ndata: 1\n\n"
"""Sent in silence, as an event: so that a browser notices when it does not come any more."""
ENDED: Final = b"event: ended\ndata: {}\n\n"
"""Who listens is no longer logged in, or no longer who they were."""
REPLACED: Final = b"event: replaced\ndata: {}\n\n"
"""There are too many streams: a newer one has taken this one's place."""
ANYBODY: Final = 0

KINDS: Final[Mapping[str, str]] = {
    "tickets": "ticket",
    "comments": "comment",
    "ticket_tags": "tags",
    "attachments": "attachments",
    "ticket_copies": "copies",
    "ticket_links": "links",
}
"""What an entry about a table says has changed of a ticket."""


def message(event: str, data: object, cursor: int | None = None) -> bytes:
    """Write an event. With a cursor it tells the browser from where on it wants to know more when it comes back."""
    position = f"id: {cursor}\n" if cursor else ""
    return f"{position}event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def messages(found: Found, cursor: int | None) -> list[bytes]:
    """Return the events that tell of entries: of tickets, and of saved views."""
    if found.many:
        return [everything(cursor)]
    tickets = _tickets(found.entries)
    if len(tickets) > MOST_TICKETS:
        return [everything(cursor)]
    told = [message("changed", {"tickets": tickets}, cursor)] if tickets else []
    if any(entry.table_name == "saved_views" for entry in found.entries):
        told.append(message("views", {}, cursor))
    return told


def everything(cursor: int | None) -> bytes:
    """Say that so much has changed, or may have, that all is to be looked at anew."""
    return message("everything", {}, cursor)


def presence(changed: Presence, *, whole: bool = False) -> bytes:
    """Tell who is at which tickets; `whole`: at no others is anybody."""
    tickets = {
        number: [{"id": one.user_id, "name": one.name, "doing": one.doing.value} for one in people]
        for number, people in changed.items()
    }
    return message("presence", {"tickets": tickets, "whole": whole})


def difference(old: Presence, new: Presence) -> Presence:
    """Return the tickets where somebody came, went or did something else, with who is there now."""
    return {number: new.get(number, ()) for number in sorted({*old, *new}) if old.get(number) != new.get(number)}


def concerned(entries: Iterable[Entry]) -> set[int]:
    """Return the people who may have been demoted, deactivated or logged out; `ANYBODY` where it may be anybody."""
    accounts = {entry.record_id for entry in entries if entry.table_name == "users"}
    return accounts | {ANYBODY for entry in entries if _is_logged_out(entry)}


def _is_logged_out(entry: Entry) -> bool:
    return entry.table_name == "login_sessions" and entry.action is AuditAction.DELETE


def _tickets(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Gather what happened to each ticket, in the order in which it began to."""
    tickets: dict[int, dict[str, Any]] = {}
    for entry in entries:
        kind = KINDS.get(entry.table_name)
        if kind is None or not entry.ticket_id:
            continue
        fresh = {"id": entry.ticket_id, "number": entry.ticket_number, "new": False}
        ticket = tickets.setdefault(entry.ticket_id, {**fresh, "kinds": [], "by": [], "operations": []})
        for name, value in (("kinds", kind), ("by", entry.user_id), ("operations", entry.operation_id)):
            if value not in ticket[name]:
                ticket[name].append(value)
        ticket["new"] |= kind == "ticket" and entry.action is AuditAction.CREATE
    return list(tickets.values())
