"""Decisions about tickets: values in, values out."""

from deskbell.tickets.models import TicketStatus


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
