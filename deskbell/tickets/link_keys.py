"""Signed links to one request, for its requester, who needs no account: what stands in them, and whether one is good.

Nothing is kept of them. What is signed names the ticket, the requester and the address that the link was sent to: a
ticket that goes to somebody else, or somebody who gets another address, makes the link worthless, and so does time,
and a higher `link_generation`.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.crypto import sign, unsign
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.reach import Reach
from deskbell.kernel.text import clean, normalized_email
from deskbell.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """Whom a good link stands for, and the one ticket that it opens."""

    user_id: int
    number: str
    email: str
    full_name: str
    time_zone: str


def link_to(reach: Reach, ticket: Ticket, requester: User, now: datetime) -> str:
    """Return the address at which the requester reads and answers this ticket, without logging in."""
    until = int((now + reach.link_lifetime).timestamp())
    what = [ticket.ticket_number, requester.id, until, _mark_of(requester.email)]
    key = sign(reach.key, _purpose(reach), json.dumps(what).encode())
    return f"{reach.site_url}/requests/{quote(ticket.ticket_number, safe='')}?key={key}"


def holder_of(session: Session, reach: Reach, number: str, key: str, now: datetime) -> LinkHolder | None:
    """Return whom a link's key stands for where it opens this ticket; None otherwise. For the system alone."""
    try:
        signed, user_id, until, mark = json.loads(unsign(reach.key, _purpose(reach), key))
    except InvalidError:
        return None
    wanted = clean(number).strip().upper()
    if signed != wanted or until <= now.timestamp():
        return None
    theirs = select(User).join(Ticket, Ticket.creator_id == User.id)
    theirs = theirs.where(User.id == user_id, User.is_active, Ticket.ticket_number == wanted)
    user = session.scalar(theirs.where(Ticket.deleted_at.is_(None)))
    if user is None or _mark_of(user.email) != mark:
        return None
    return LinkHolder(user.id, wanted, user.email, user.full_name, user.time_zone)


def _purpose(reach: Reach) -> str:
    return f"request-link/{reach.link_generation}"


def _mark_of(email: str) -> str:
    return hashlib.sha256(normalized_email(email).encode()).hexdigest()[:16]
