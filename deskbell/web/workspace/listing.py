"""What the list of tickets shows, as functions over a session: a fixed number of statements, however many rows."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.database import actor_of
from deskbell.kernel.paging import Cursor
from deskbell.search.finding import BEST, BY_RELEVANCE, Found, find
from deskbell.search.language import Query, QueryError, parse, print_query
from deskbell.search.models import SavedView
from deskbell.search.names import Hint
from deskbell.search.snippets import snippets
from deskbell.search.views import get_view, may_change, query_of
from deskbell.tickets.last_replies import last_replies
from deskbell.tickets.models import TicketStatus
from deskbell.tickets.queries import listed_by_ids
from deskbell.web.i18n import marked
from deskbell.web.pages import present
from deskbell.web.worded import worded
from deskbell.web.workspace.frame import BUILT_IN, address_with, list_address
from deskbell.web.workspace.rows import SORTS, Beside, columns_of, row_of

ROWS: Final = 50
UnreadAmong = Callable[[Session, Sequence[int]], AbstractSet[int]]


def nothing_unread(_session: Session, _ticket_ids: Sequence[int]) -> AbstractSet[int]:
    """Say that everything was read: where nobody keeps marks."""
    return frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """Which list: `text` is a query, or that of `view`; `sort` is as after `sort:` and outweighs the query's own."""

    text: str = ""
    sort: str = ""
    cursor: Cursor | None = None
    view: SavedView | None = None

    @property
    def path(self) -> str:
        """The address of the list, without parameters."""
        return f"/views/{self.view.id}" if self.view else "/tickets"

    def address(self, *, sort: str | None = None, cursor: str = "") -> str:
        """Return the address of this list, otherwise sorted or at another place."""
        chosen = self.sort if sort is None else sort
        if self.view is None:
            text = self.text if sort is None else without_sort(self.text)
            return list_address(text, sort=chosen, cursor=cursor)
        return address_with(self.path, sort=chosen, cursor=cursor)

    def query(self) -> Query:
        """Read it. Raises QueryError, and InvalidError for a sort that is none."""
        if self.sort:
            return replace(parse(self.text), sort=query_of("", self.sort).sort)
        return query_of(self.text, self.view.sort) if self.view else parse(self.text)


def view_asked_for(session: Session, view_id: int, sort: str, cursor: Cursor | None) -> Asked:
    """Return what a saved view asks for. Raises NoSuchViewError."""
    view = get_view(session, view_id)
    return Asked(view.query, sort, cursor, view)


def without_sort(text: str) -> str:
    """Return a query without its `sort:`; as it is where it has none, or cannot be read."""
    try:
        query = parse(text)
    except QueryError:
        return text
    return print_query(replace(query, sort=())) if query.sort else text


def ticket_list(
    session: Session, asked: Asked, key: bytes, unread_among: UnreadAmong = nothing_unread
) -> dict[str, Any]:
    """Return one page of the tickets that a query finds; where it cannot be read, where and why."""
    actor = actor_of(session)
    try:
        query = asked.query()
        found = _find(session, asked, query, actor)
    except QueryError as wrong:
        return _frame(asked, actor, "") | {
            "page": _NO_PAGE,
            "query": {"text": asked.text, "error": _error(asked, wrong)},
        }
    sort = ",".join(value.text.lower() for value in query.sort) or (
        "relevance" if _is_ranked(asked, found) else "updated"
    )
    rows = _rows(session, found, unread_among)
    return _frame(asked, actor, sort) | {
        "page": _page(asked, found, rows, key),
        "query": {"text": asked.text, "error": None},
        "run_query": print_query(replace(found.query, sort=())),
        "corrections": [{"word": word, "similar": list(similar)} for word, similar in found.corrections.items()],
        "hints": [_hint(asked, hint) for hint in found.hints],
    }


_NO_PAGE: Final[dict[str, Any]] = {"items": [], "has_more": False, "next": "", "previous": "", "first": ""}


def _find(session: Session, asked: Asked, query: Query, actor: Actor) -> Found:
    scope = f"{actor.user_id} {asked.path}"
    if asked.view is not None:
        return find(session, query, limit=ROWS, cursor=asked.cursor, scope=scope, widen=False)
    limit = BEST if query.has_words and not query.sort else ROWS
    return find(session, query, limit=limit, cursor=asked.cursor, scope=scope, default=BY_RELEVANCE)


def _is_ranked(asked: Asked, found: Found) -> bool:
    return asked.view is None and found.words is not None


def _rows(session: Session, found: Found, unread_among: UnreadAmong) -> list[dict[str, Any]]:
    if not found.ids:
        return []
    beside = Beside(
        last_replies(session, found.ids),
        snippets(session, found.ids, found.words) if found.words is not None else {},
        unread_among(session, found.ids),
    )
    return [row_of(ticket, beside) for ticket in listed_by_ids(session, found.ids)]


def _page(asked: Asked, found: Found, rows: list[dict[str, Any]], key: bytes) -> dict[str, Any]:
    following = asked.address(cursor=found.next_cursor.seal(key)) if found.next_cursor else ""
    previous = asked.address(cursor=found.previous_cursor.seal(key)) if found.previous_cursor else ""
    first = asked.address() if asked.cursor else ""
    return {"items": rows, "has_more": bool(following), "next": following, "previous": previous, "first": first}


def _frame(asked: Asked, actor: Actor, sort: str) -> dict[str, Any]:
    """Return what the list shows around its rows."""
    view = asked.view
    columns = columns_of(view.columns if view else (), sort)
    has_words = sort == "relevance"
    sorts = [
        {"name": name, "label": label, "href": asked.address(sort=name), "is_current": name == sort}
        for name, label in SORTS.items()
        if name != "relevance" or has_words
    ]
    return {
        "heading": "" if view else _heading(asked.text),
        "view": {"id": view.id, "name": view.name, "may_change": may_change(view, actor)} if view else None,
        "columns": [
            {"column": column, "href": asked.address(sort=column.sort) if column.sort else ""} for column in columns
        ],
        "sorts": sorts,
        "sort": sort,
        "here": asked.address(),
        "list_path": asked.path,
        "statuses": present.choices(TicketStatus),
        "run_query": "",
        "corrections": (),
        "hints": (),
    }


def _heading(text: str) -> str:
    name = next((view.name for view in BUILT_IN if view.query == text.strip()), None)
    if name is not None:
        return name
    return marked("Search results") if text.strip() else marked("All tickets")


def _error(asked: Asked, wrong: QueryError) -> dict[str, Any]:
    """Say where and why a query cannot be read, with the query as it was probably meant."""
    start, suggestion = wrong.position or 0, wrong.details.get("suggestion")
    end = max(int(str(wrong.details.get("end") or start)), start)
    return {
        "message": worded(wrong),
        "position": start,
        "end": end,
        "suggestion": suggestion,
        "fixed": _replaced(asked, start, end, str(suggestion)) if suggestion else "",
    }


def _hint(asked: Asked, hint: Hint) -> dict[str, Any]:
    fixed = _replaced(asked, hint.span.start, hint.span.end, hint.suggestion) if hint.suggestion else ""
    return {"message": worded(hint.message), "suggestion": hint.suggestion, "fixed": fixed}


def _replaced(asked: Asked, start: int, end: int, suggestion: str) -> str:
    """Put the suggestion in its place. Of a field it brings the colon along, which stands behind the place already."""
    if asked.text[end : end + 1] in set(":<>="):
        suggestion = suggestion.removesuffix(":")
    return list_address(asked.text[:start] + suggestion + asked.text[end:], sort=asked.sort)
