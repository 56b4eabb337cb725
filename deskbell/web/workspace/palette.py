"""The command palette: tickets, people, views and actions that fit a few typed letters, as JSON for its script."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Role
from deskbell.kernel.resources import resources_of
from deskbell.search.completion import complete
from deskbell.search.finding import find
from deskbell.search.language import And, Words
from deskbell.search.language import Query as SearchQuery
from deskbell.search.language.printing import quote as quoted
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import numbers_and_titles
from deskbell.web.dependencies import STAFF_ONLY, Me, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked, speaking
from deskbell.web.language import language_of
from deskbell.web.schemas.base import Text
from deskbell.web.workspace.frame import list_address, rail

router = APIRouter(include_in_schema=False)

EACH: Final = 6
"""Entries of a kind, at most."""
MOST_WORDS: Final = 6
DIGITS: Final = 15
"""A longer number is no ticket's."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A place to go. `is_text` is written by people; other labels are translated."""

    label: str
    href: str
    icon: str
    detail: str = ""


ACTIONS: Final = (
    Entry(marked("New ticket"), "/tickets/new", "plus"),
    Entry(marked("All tickets"), "/tickets", "ticket"),
    Entry(marked("Deleted tickets"), list_address("is:deleted"), "trash"),
    Entry(marked("Views: order, change, delete"), "/views", "view"),
    Entry(marked("Reports"), "/reports", "chart"),
    Entry(marked("Profile and settings"), "/profile", "settings"),
)
FOR_ADMINS: Final = (Entry(marked("Administration"), "/admin", "shield"),)


@router.get("/workspace/palette", dependencies=[STAFF_ONLY])
async def find_in_palette(
    request: Request, session: Transaction, me: Me, q: Annotated[Text, Query(max_length=200)] = ""
) -> Response:
    """Return what fits, in groups, the likeliest kind first."""
    written = q.strip()
    tickets, people = await session.run_sync(_written_by_people, written)
    views = [
        Entry(view.name, view.href, view.icon, "" if view.is_built_in else view.query)
        for views in await session.run_sync(rail)
        for view in views
    ]
    request.state.shown = len(tickets) + len(people)
    with speaking(language_of(request)):
        groups = _groups(written, tickets, people, views, me)
    return JSONResponse({"groups": groups}, headers={"Cache-Control": "private, no-store"})


def _groups(
    written: str, tickets: Sequence[Entry], people: Sequence[Entry], views: Sequence[Entry], me: Identity
) -> list[dict[str, Any]]:
    actions = (*ACTIONS, *(FOR_ADMINS if me.role is Role.ADMIN else ()))
    search = [Entry(written, list_address(written), "search")] if written else []
    known = [
        (_("Views"), _fitting(written, views)),
        (_("Actions"), _fitting(written, actions)),
    ]
    found = [(_("Tickets"), tickets), (_("People"), people)]
    groups = [*found, *known] if written[:1].isdigit() or not known[0][1] + known[1][1] else [*known, *found]
    groups.append((_("Search tickets"), search))
    return [{"name": name, "items": [_item(entry) for entry in entries]} for name, entries in groups if entries]


def _item(entry: Entry) -> dict[str, str]:
    return {"label": entry.label, "detail": entry.detail, "href": entry.href, "icon": entry.icon}


def _fitting(written: str, entries: Iterable[Entry]) -> list[Entry]:
    """Return those whose letters come in this order, best first; without anything written, all of them."""
    named = [Entry(_(entry.label), entry.href, entry.icon, entry.detail) for entry in entries]
    if not written:
        return named[: 2 * EACH]
    ranked = ((fitness(written, entry.label), place, entry) for place, entry in enumerate(named))
    return [entry for fit, _place, entry in sorted(ranked, key=lambda it: it[:2]) if fit < _NO_FIT][:EACH]


_NO_FIT: Final = 3


def fitness(written: str, label: str) -> int:
    """How well letters fit a label: 0 begins it, 1 begins a word, 2 stands in it in this order, 3 does not fit."""
    wanted, text = written.lower(), label.lower()
    if text.startswith(wanted):
        return 0
    if f" {wanted}" in text:
        return 1
    letters = iter(text)
    return 2 if all(letter in letters for letter in wanted if not letter.isspace()) else _NO_FIT


def _written_by_people(session: Session, written: str) -> tuple[list[Entry], list[Entry]]:
    if not written:
        return [], []
    return _tickets(session, written), _people(session, written)


def _tickets(session: Session, written: str) -> list[Entry]:
    """Find tickets by number, and the newest with all the words, of which the last may be unfinished."""
    number = written.upper()
    wanted = resources_of(session).ticket_prefix + number if number.isdecimal() else number
    by_number = select(Ticket.id).where(Ticket.ticket_number == wanted[: DIGITS + 10])
    ids = [*session.scalars(by_number)]
    if len(written) > 1 and not number.isdecimal():
        words = written.split()[:MOST_WORDS]
        leaves = [Words(word, is_prefix=word is words[-1]) for word in words]
        query = SearchQuery(And(tuple(leaves)) if len(leaves) > 1 else leaves[0])
        ids += [found for found in find(session, query, limit=EACH, widen=False).ids if found not in ids]
    called = numbers_and_titles(session, ids[:EACH]) if ids else {}
    pairs = (called[found] for found in ids if found in called)
    return [Entry(title, f"/tickets/{quote(name, safe='')}", "ticket", name) for name, title in pairs]


def _people(session: Session, written: str) -> list[Entry]:
    """Find people by how their name or address begins: to the tickets that they asked for."""
    text = "requester:" + quoted(written)
    offers = [offer for offer in complete(session, text, len(text) - 1) if offer.kind == "person"]
    return [
        Entry(offer.detail or offer.label, list_address(f"requester:{offer.insert}"), "person", offer.label)
        for offer in offers[:EACH]
    ]
