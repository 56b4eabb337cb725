"""What customers are told of where their requests stand: fewer and plainer words than the desk's."""

from enum import StrEnum
from typing import Final

from deskbell.tickets.models import TicketStatus
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked


class Standing(StrEnum):
    """Where a request stands for its requester."""

    OURS = "ours"
    YOURS = "yours"
    SOLVED = "solved"

    @property
    def words(self) -> str:
        """What it is called."""
        return _(_WORDS[self])

    @property
    def statuses(self) -> tuple[TicketStatus, ...]:
        """The desk's statuses that are shown like this."""
        return tuple(status for status in TicketStatus if standing_of(status) is self)


_WORDS: Final = {
    Standing.OURS: marked("We are on it"),
    Standing.YOURS: marked("Waiting for you"),
    Standing.SOLVED: marked("Solved"),
}


def standing_of(status: TicketStatus) -> Standing:
    """Return what a status is for a customer."""
    if status.is_done:
        return Standing.SOLVED
    return Standing.YOURS if status is TicketStatus.WAITING_ON_CUSTOMER else Standing.OURS


def shown(status: TicketStatus) -> dict[str, str]:
    """Show where a request stands."""
    standing = standing_of(status)
    return {"code": standing.value, "words": standing.words}
