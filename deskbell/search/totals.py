"""How many tickets fit a query, as far as it is worth counting."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

from deskbell.kernel.plans import plan_for_values
from deskbell.tickets.models import Ticket

CAP: Final = 10_000
"""Counting all that a common condition finds among a million tickets takes a second, and nobody reads them."""
BY_WORDS: Final = 1_000
"""A cap for queries with words, of which each ticket costs more to look at."""


@dataclass(frozen=True, slots=True)
class Total:
    """A number of tickets; where it is not exact there are more."""

    count: int
    is_exact: bool = True

    def __str__(self) -> str:
        """Write `42` or `10,000+`."""
        return f"{self.count:,}{'' if self.is_exact else '+'}"


def count_up_to(session: Session, tickets: Select[Ticket], cap: int = CAP) -> Total:
    """Count the tickets of a statement, but no further than `cap`. One statement."""
    plan_for_values(session)
    found = session.scalar(select(func.count()).select_from(capped(tickets, cap).subquery())) or 0
    return Total(min(found, cap), found <= cap)


def capped(tickets: Select[Ticket], cap: int = CAP) -> Select[int]:
    """Return a row for each ticket of the statement, but at most one more than `cap`."""
    return tickets.with_only_columns(literal(1).label("one")).order_by(None).limit(cap + 1)
