"""What can go wrong when somebody decides about a message that came in."""

from deskbell.kernel.errors import ConflictError, ForbiddenError, NotFoundError


class NoSuchMailError(NotFoundError):
    """There is no such message in the ledger."""

    code = "no_such_mail"


class NotWaitingError(ConflictError):
    """This message does not wait for a decision any more."""

    code = "mail_not_waiting"


class AlreadyFiledError(ConflictError):
    """This message is in its ticket already. Filing it again would repeat it."""

    code = "mail_already_filed"


class NobodyDecidesError(ForbiddenError):
    """The system lets nobody in by itself; say who decides."""

    code = "nobody_decides"
