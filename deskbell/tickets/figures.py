"""Tables of figures that are kept for past days, so that questions about a year do not count its tickets again.

Days are whole days of UTC. How they are kept right is told in docs/decisions/0007-kept-figures.md; the triggers and the
functions that do it are `migrations/sql/figures_after.sql`, and nothing else writes here.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    Index,
    Numeric,
    Select,
    String,
    Text,
    column,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.actor import Actor
from deskbell.kernel.orm import Base, Id

FOLLOWS = "it follows from tickets, which are recorded"
Dimension = Literal["status", "priority", "channel", "assignee", "team"]
STAFF_READ = (Allow("agent admin system readonly", "select"),)


class TicketFigure(Base):
    """Tickets of a day with one value of a dimension: status, priority, channel; assignee, team, tag (ids, '' none).

    `created` that day; of those `resolved` by now, in `seconds` altogether, exactly; and `ended`: resolved that day for
    the last time, whichever day they were created. Deleted tickets are in none of them. By tag there are `created` and
    `ended` alone, and a ticket with two tags is in both.
    """

    __tablename__ = "ticket_figures"
    __table_args__ = (
        Index("ix_ticket_figures_day", "day"),
        {"info": {"audit": FOLLOWS, "access": STAFF_READ}},
    )

    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[int] = mapped_column(server_default=text("0"))
    resolved: Mapped[int] = mapped_column(server_default=text("0"))
    seconds: Mapped[Decimal] = mapped_column(Numeric, server_default=text("0"))
    ended: Mapped[int] = mapped_column(server_default=text("0"))


class FigureMark(Base):
    """A day whose figures no longer hold, written by whoever changed a ticket of it, in the same transaction.

    Or a ticket whose tags changed: its days are those that it has when the mark is read.
    """

    __tablename__ = "figure_marks"
    __table_args__ = (
        CheckConstraint("num_nonnulls(day, ticket_id) = 1", name="one"),
        {
            "postgresql_with": {"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 1000},
            "info": {"audit": FOLLOWS, "access": STAFF_READ},
        },
    )

    id: Mapped[Id]
    day: Mapped[date | None]
    ticket_id: Mapped[int | None]


class FigureProgress(Base):
    """One row: the days before `until` have figures; no writer leaves a day before `safe_until` unmarked any more.

    `safe_until` becomes `awaited_until` when all transactions older than `awaited_xid` have ended.
    """

    __tablename__ = "figure_progress"
    __table_args__ = (
        CheckConstraint("id = 1", name="id"),
        {"info": {"audit": FOLLOWS, "access": STAFF_READ}},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default=text("1"))
    until: Mapped[date] = mapped_column(server_default=text("'-infinity'"))
    safe_until: Mapped[date] = mapped_column(server_default=text("'-infinity'"))
    awaited_until: Mapped[date | None]
    awaited_xid: Mapped[int | None]


def figures_of_period(
    actor: Actor, start: datetime, end: datetime, dimensions: Sequence[Dimension]
) -> Select[*tuple[Any, ...]]:
    """Select `dimension`, `value`, `created`, `resolved` and `seconds` of the tickets created from `start` until `end`.

    Each dimension's values sum up to all of the tickets. What is kept is the desk's: a customer's are counted from what
    they may see.
    """
    function = func.deskbell_kept_figures if actor.is_staff else func.deskbell_counted_figures
    times = (literal(moment, TIMESTAMP(timezone=True)) for moment in (start, end))
    rows = function(*times, literal(list(dimensions), ARRAY(Text))).table_valued(
        *(column(name, Text) for name in ("dimension", "value")),
        *(column(name, BigInteger) for name in ("created", "resolved")),
        column("seconds", Numeric),
    )
    return select(*rows.c)
