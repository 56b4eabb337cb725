"""What messages add to the query language."""

from collections.abc import Sequence

from sqlalchemy import and_, exists

from deskbell.accounts.models import User
from deskbell.composing.models import Mention
from deskbell.kernel.fields import Expression, Fields, Name, one_of
from deskbell.tickets.fields import PEOPLE
from deskbell.tickets.models import Ticket

_MENTION, _USER = Mention.__table__.c, User.__table__.c


def _mentioned(ids: Sequence[int]) -> Expression:
    return exists().where(_MENTION.ticket_id == Ticket.id, one_of(_MENTION.user_id, ids))


FIELDS = Fields(
    fields={
        "mentions": Name(
            help="who is mentioned in a reply or note: an e-mail address or `me`",
            examples=("mentions:me",),
            staff_only=True,
            catalog=PEOPLE,
            having=_mentioned,
            me=True,
            offered=and_(_USER.is_staff, _USER.is_active),
        ),
    }
)
