"""What tickets do when something happens elsewhere."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from deskbell.accounts.events import AgentDemoted, UserDeactivated
from deskbell.tickets.models import Ticket


def release_tickets(session: Session, event: UserDeactivated | AgentDemoted) -> None:
    """Unassign the unresolved tickets of an agent who left, so that they show up as nobody's."""
    theirs = (Ticket.assignee_id == event.user_id, Ticket.resolved_at.is_(None), Ticket.deleted_at.is_(None))
    session.execute(update(Ticket).where(*theirs).values(assignee_id=None))
