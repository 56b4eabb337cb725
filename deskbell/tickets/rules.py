"""Decisions about tickets: values in, values out."""

from enum import StrEnum
from typing import TypeVar

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import one_line
from deskbell.tickets.models import TicketPriority, TicketStatus

E = TypeVar("E", bound=StrEnum)


def status_after_reply(status: TicketStatus, *, by_staff: bool, wanted: TicketStatus | None = None) -> TicketStatus:
    """Return where a ticket stands after a public reply.

    Staff say so themselves. A customer's reply brings back what was waiting for them or done; otherwise nothing moves.
    """
    if by_staff:
        return wanted or status
    if status is TicketStatus.WAITING_ON_CUSTOMER or status.is_done:
        return TicketStatus.OPEN
    return status


def status_after_assignment(status: TicketStatus, *, assigned: bool) -> TicketStatus:
    """Return where a ticket stands once somebody has it: an open one is in progress."""
    return TicketStatus.IN_PROGRESS if assigned and status is TicketStatus.OPEN else status


def status_named(name: TicketStatus | str, *, field: str = "status") -> TicketStatus:
    """Return the status of this name. Raises InvalidError that lists them."""
    return _named(TicketStatus, name, field)


def priority_named(name: TicketPriority | str, *, field: str = "priority") -> TicketPriority:
    """Return the priority of this name. Raises InvalidError that lists them."""
    return _named(TicketPriority, name, field)


def _named(kind: type[E], name: str, field: str) -> E:
    try:
        return kind(name)
    except ValueError:
        expected = ", ".join(member.value for member in kind)
        raise InvalidError(
            f"{field} cannot be {one_line(repr(name), 40)}. It is one of {expected}.", field=field
        ) from None
