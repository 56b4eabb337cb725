"""A query as a statement over tickets."""

from sqlalchemy import ColumnElement, Select, func, or_
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.sql import literal

from deskbell.kernel.actor import Actor
from deskbell.search.fields import condition
from deskbell.search.language import Condition, Words, parse
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import tickets

LANGUAGE = literal("english", REGCONFIG)


def compile_query(text: str, *, actor: Actor) -> Select[Ticket]:
    """Return the tickets for which all terms of the query hold. Raises QueryError with the position."""
    terms = parse(text)
    conditions = [condition(term, actor) for term in terms if isinstance(term, Condition)]
    words = [_words(term) for term in terms if isinstance(term, Words)]
    return tickets().where(*conditions, *words)


def _words(term: Words) -> ColumnElement[bool]:
    """Find words in title and description, by their stem; a word may also be a ticket's number.

    A word that is in every text ("the", or a mark) has no stem to search by and excludes nothing.
    """
    parsed = (func.phraseto_tsquery if term.is_phrase else func.plainto_tsquery)(LANGUAGE, term.text)
    found = or_(func.numnode(parsed) == 0, Ticket.search_vector.op("@@")(parsed))
    looks_like_number = any(c.isdigit() for c in term.text) and any(c.isalpha() for c in term.text)
    return or_(found, Ticket.ticket_number == term.text.upper()) if looks_like_number else found
