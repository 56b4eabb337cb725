"""What is shown of a match: a few words around those that were looked for, with marks around them.

Made from the texts that the actor may read, so that a customer's snippet has nothing of an internal note.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.dialects.postgresql import REGCONFIG, aggregate_order_by
from sqlalchemy.orm import Session

from deskbell.kernel.arrays import in_array
from deskbell.tickets.models import Comment, Ticket

CONFIGURATION: Final = literal("public.deskbell", REGCONFIG)
READ: Final = 6_000
"""Characters of a thread that are read for its snippet: marking words takes as long as indexing them."""
_BEGIN, _END = "\x02", "\x03"
_LESS, _MORE = "\x04", "\x05"
"""Stand for angle brackets meanwhile: PostgreSQL takes what is in these for a tag, and leaves it out."""
_MARKS = f"StartSel={_BEGIN}, StopSel={_END}"
_FRAGMENTS = f'{_MARKS}, MaxFragments=2, MaxWords=20, MinWords=8, FragmentDelimiter=" … "'


@dataclass(frozen=True, slots=True)
class Snippet:
    """HTML that is safe to show: the text is escaped, and the words that were found are in `<mark>`."""

    title: str
    text: str


def snippets(session: Session, ticket_ids: Sequence[int], words: ColumnElement[Any]) -> dict[int, Snippet]:
    """Return the snippet of each ticket. `words` is a tsquery of which any word is marked. One statement."""
    rows = session.execute(_snippets(ticket_ids, words))
    return {ticket_id: Snippet(_html(title), _html(text)) for ticket_id, title, text in rows}


def _snippets(ticket_ids: Sequence[int], words: ColumnElement[Any]) -> Select[int, str, str]:
    """Select id, title and text with marks in them."""
    said = (
        select(func.string_agg(Comment.content, aggregate_order_by(literal("\n"), Comment.id)))
        .where(Comment.ticket_id == Ticket.id)
        .scalar_subquery()
    )
    thread = func.left(func.concat_ws("\n", Ticket.description, said), READ)
    return select(
        Ticket.id,
        _marked(Ticket.title, words, f"{_MARKS}, HighlightAll=true"),
        _marked(thread, words, _FRAGMENTS),
    ).where(in_array(Ticket.__table__.c.id, ticket_ids))


def _marked(text: ColumnElement[str] | Any, words: ColumnElement[Any], options: str) -> ColumnElement[str]:  # noqa: ANN401 - a mapped attribute is no ColumnElement to the checker
    plain = func.translate(text, f"<>{_BEGIN}{_END}{_LESS}{_MORE}", _LESS + _MORE)
    return func.ts_headline(CONFIGURATION, plain, words, options)


def _html(marked: str) -> str:
    text = marked.replace(_LESS, "<").replace(_MORE, ">")
    return escape(text, quote=False).replace(_BEGIN, "<mark>").replace(_END, "</mark>")
