"""Tickets as people name them, by number or id, as ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Text, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from deskbell.kernel.ids import is_id
from deskbell.kernel.text import clean
from deskbell.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class References:
    """What was named: ids, each with its name, and the numbers that no ticket has, or none that the actor may see."""

    names: Mapping[int, str]
    unknown: tuple[str, ...]


def resolve_references(session: Session, named: Iterable[str]) -> References:
    """Find out which tickets are named: by number in any case, or by id in plain digits. One statement.

    Whether there is a ticket with an id is not looked up.
    """
    cleaned = dict.fromkeys(name for text in named if (name := clean(text).strip().upper()))
    names = {int(name): name for name in cleaned if name.isascii() and name.isdecimal() and is_id(int(name))}
    numbers = [name for name in cleaned if not (name.isascii() and name.isdecimal())]
    wanted = func.unnest(literal(numbers, ARRAY(Text))).column_valued("wanted")
    found = session.execute(select(wanted, Ticket.id).join(Ticket, Ticket.ticket_number == wanted))
    known = {number: ticket for number, ticket in found}  # noqa: C416 - Row
    taken = {*known, *names.values()}
    return References(
        names={**names, **{ticket: number for number, ticket in known.items()}},
        unknown=tuple(name for name in cleaned if name not in taken),
    )
