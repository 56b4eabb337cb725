"""What can go wrong with tickets, and which constraints say so."""

from deskbell.kernel.errors import ConflictError, ConstraintErrors, InvalidError, NotFoundError


class NoSuchTicketError(NotFoundError):
    """There is no such ticket."""

    code = "no_such_ticket"


class PastRemovedError(NotFoundError):
    """What this ticket was like then is not known any more: retention removed that part of the audit log."""

    code = "past_removed"


class TicketDeletedError(ConflictError):
    """This ticket was deleted. Restore it first."""

    code = "ticket_deleted"


CONSTRAINT_ERRORS: ConstraintErrors = {
    "fk_tickets_creator_id": lambda: InvalidError("There is no such requester.", field="requester_id"),
    "fk_tickets_assignee_id": lambda: InvalidError("There is no such assignee.", field="assignee_id"),
    "fk_tickets_team_id": lambda: InvalidError("There is no such team.", field="team_id"),
    "fk_tickets_organization_id": lambda: InvalidError("There is no such organization.", field="organization_id"),
    "fk_attachments_comment_id": lambda: InvalidError("This ticket has no such comment.", field="comment_id"),
    "ck_tickets_times": lambda: InvalidError("A time lies beyond those that there are."),
    "uq_tags_name": lambda: ConflictError("There is a tag of this name already."),
    "ck_tags_color": lambda: InvalidError("A color is written like #1d4ed8.", field="color"),
    "ck_tags_name": lambda: InvalidError("A tag needs a name.", field="name"),
}
