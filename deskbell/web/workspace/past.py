"""A ticket's history, and the ticket as it was: read-only, at an address of its own."""

from bisect import bisect_right
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from deskbell.kernel.paging import Cursor
from deskbell.tickets.as_of import as_of
from deskbell.tickets.glance import NEWEST, Glance, moments_of
from deskbell.tickets.history import Act, history_page
from deskbell.tickets.queries import get_ticket
from deskbell.web.dependencies import STAFF_ONLY, Key, Me, Transaction
from deskbell.web.workspace import thread
from deskbell.web.workspace.frame import show

router = APIRouter(include_in_schema=False)
AT_ONCE = 50


@router.get("/tickets/{number}/history", dependencies=[STAFF_ONLY])
async def show_history(
    request: Request,
    session: Transaction,
    me: Me,
    key: Key,
    number: str,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Show who changed what, newest first."""
    after = Cursor.unseal(cursor, key) if cursor else None
    context = await session.run_sync(partial(history, number=number, cursor=after, key=key))
    return await show(request, session, me, "workspace/history.html", **context)


def history(session: Session, number: str, cursor: Cursor | None, key: bytes) -> dict[str, Any]:
    """Return a page of the history."""
    ticket = get_ticket(session, number, deleted=True)
    found = history_page(session, number, limit=AT_ONCE, cursor=cursor, query=ticket.ticket_number)
    following = found.next_cursor.seal(key) if found.next_cursor else None
    base = f"/tickets/{quote(ticket.ticket_number, safe='')}"
    acts = [_act(act, base) for act in found.items]
    return {
        "ticket": {"number": ticket.ticket_number, "title": ticket.title},
        "history": acts,
        "next_cursor": following,
    }


def past(session: Session, number: str, at: datetime, *, shown: int = NEWEST) -> dict[str, Any]:
    """Return the ticket as it was, in the shape of `thread.ticket`, with the moments at which it changed."""
    ticket = get_ticket(session, number, deleted=True)
    moments = moments_of(session, ticket)
    then = as_of(session, ticket.ticket_number, at)
    it = then.ticket
    it.version = ticket.version  # not known of the past, and shown nowhere
    it.updated_at = then.at
    cut = min(max(shown, NEWEST), len(it.comments) or NEWEST)
    files = [file for file in it.attachments if file.comment_id is None]
    found = Glance(it, it.comments[-cut:], max(len(it.comments) - cut, 0), files)
    base = f"/tickets/{quote(ticket.ticket_number, safe='')}"
    return {**thread.shown_thread(found, staff=True), "past": _slider(then.at, moments, base)}


def _slider(at: datetime, moments: list[datetime], base: str) -> dict[str, Any]:
    index = max(bisect_right(moments, at) - 1, 0)
    before = moments[index - 1] if index else None
    after = moments[index + 1] if index + 1 < len(moments) else None
    return {
        "at": at,
        "index": index,
        "moments": [{"at": moment, "url": address(base, moment)} for moment in moments],
        "previous": address(base, before) if before else None,
        "next": address(base, after) if after else None,
        "is_now": after is None,
    }


def address(base: str, at: datetime) -> str:
    """Return where the ticket is shown as it was then, to the microsecond."""
    return f"{base}?at={at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _act(act: Act, base: str) -> dict[str, Any]:
    fields = [(change, name, pair) for change in act.changes for name, pair in change.fields.items()]
    comments = [change.id for change in act.changes if change.what == "comment"]
    return {
        "at": act.at,
        "actor": act.actor,
        "channel": act.channel,
        "cause": act.cause,
        "act": act.act,
        "summary": act.summary,
        "changes": [{"field": name, "old": old, "new": new} for _, name, (old, new) in fields],
        "comment": f"{base}#comment-{comments[0]}" if comments else None,
        "then": address(base, act.at) if act.changes else None,
    }
