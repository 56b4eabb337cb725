"""What can go wrong with mailboxes, and which constraints say so."""

from deskbell.kernel.errors import ConflictError, ConstraintErrors, InvalidError


class AddressTakenError(ConflictError):
    """There is a mailbox with this address already. Change that one, or activate it again."""

    code = "address_taken"


CONSTRAINT_ERRORS: ConstraintErrors = {
    "uq_mailboxes_address": lambda: AddressTakenError(None, field="address"),
    "fk_mailboxes_team_id": lambda: InvalidError("There is no such team.", field="team_id"),
    "fk_mailbox_tags_tag_id": lambda: InvalidError("There is no such tag.", field="tags"),
    "ck_mailboxes_address_form": lambda: InvalidError("This is not an e-mail address.", field="address"),
    "ck_mailboxes_ports": lambda: InvalidError("A port is a number from 1 to 65535."),
    "ck_mailboxes_rate": lambda: InvalidError("At least one message must be allowed to leave.", field="rate"),
}
