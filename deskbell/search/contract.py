"""`search_tickets`: plain words and filters, for programs. People have the query language."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.paging import check_limit
from deskbell.kernel.plans import plan_for_values
from deskbell.kernel.text import clean
from deskbell.kernel.worlds import both_worlds
from deskbell.search.language.tree import And, Query, Words
from deskbell.search.queries import prepare
from deskbell.search.sizes import window_of
from deskbell.search.totals import CAP, count_up_to
from deskbell.search.windows import matches
from deskbell.tickets.filters import TagMatch, TicketFilter, filtered
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus
from deskbell.tickets.queries import NEWEST_FIRST, listed_by_ids

MOST_COUNTED: Final = CAP
"""Matches that are counted; a total of one more stands for more than these."""
DEEPEST: Final = 10_000
MOST_WORDS: Final = 50
LONGEST_TERM: Final = 2_000


class SearchPage(NamedTuple):
    """A page of tickets, and how many match in all: at most 10,001, which stands for more than 10,000."""

    tickets: list[Ticket]
    total: int

    @property
    def is_capped(self) -> bool:
        """Whether there are more than were counted."""
        return self.total > MOST_COUNTED


@both_worlds
def search_tickets(  # noqa: PLR0913 - what a person can search by
    session: Session,
    search_term: str = "",
    status_list: Sequence[TicketStatus | str] | None = None,
    priority: TicketPriority | str | None = None,
    assignee_id: int | None = None,
    created_after: datetime | None = None,
    tags: Sequence[str] | None = None,
    *,
    tag_match: TagMatch = "all",
    limit: int = 50,
    offset: int = 0,
) -> SearchPage:
    """Return the tickets with all words of `search_term` that fit the filters, last changed first, and their total.

    The words are plain: no character in them has a meaning. `assignee_id` 0 asks for tickets that nobody has,
    `tag_match` whether all or any of the tags must be there, `created_after` is an aware time. `limit` is 1 to 200,
    `offset` up to 10,000: beyond, follow the cursors of the API, or of `deskbell.kernel.paging`. The tickets have
    people, organization, team and tags loaded, not their texts. Raises InvalidError that names the field.
    """
    check_limit(limit)
    _check_offset(offset)
    wanted = TicketFilter(status_list, priority, assignee_id, created_after, tags, tag_match)
    actor = actor_of(session)
    plan_for_values(session)
    prepared = prepare(session, _words(search_term))
    further = filtered(select(Ticket), wanted, actor).whereclause
    conditions = () if further is None else (further,)
    counted = count_up_to(session, prepared.narrow(select(Ticket)).where(*conditions), MOST_COUNTED)
    total = counted.count if counted.is_exact else MOST_COUNTED + 1
    if offset >= total and counted.is_exact:
        return SearchPage([], total)
    window = window_of(session, prepared)
    found = matches(prepared, NEWEST_FIRST, limit=offset + limit - 1, further=conditions, window=window)
    rows = session.execute(found).all()
    return SearchPage(listed_by_ids(session, [row.id for row in rows[offset:]]), total)


def _words(term: str) -> Query:
    """Return a query for all words of `term`, whatever characters these have; without words, for everything."""
    if len(term) > LONGEST_TERM:
        raise InvalidError(f"search_term has at most {LONGEST_TERM:,} characters.", field="search_term")
    words = tuple(map(Words, clean(term).split()))
    if len(words) > MOST_WORDS:
        raise InvalidError(f"search_term has at most {MOST_WORDS} words.", field="search_term")
    return Query(And(words) if len(words) > 1 else words[0] if words else None)


def _check_offset(offset: int) -> None:
    if not 0 <= offset <= DEEPEST:
        message = f"offset is {offset}: it may be 0 to {DEEPEST:,}. For what lies deeper follow the cursors of a list."
        raise InvalidError(message, field="offset")
