"""Whom a host's user is at the desk, by e-mail address."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.accounts.actions import find_or_create_customer
from deskbell.accounts.models import Role, User
from deskbell.accounts.queries import get_user, with_email
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, UnauthenticatedError
from deskbell.kernel.text import clean

SYSTEM = Actor.system(Channel.WEB, act="find the host's user")
_RANKS = (Role.CUSTOMER, Role.AGENT, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class HostUser:
    """Somebody whom the host has logged in. The host answers for it that the address is theirs."""

    email: str
    full_name: str = ""


def actor_for(session: Session, user: HostUser, *, at_most: Role = Role.CUSTOMER, create: bool = False) -> Actor:
    """Return the actor that a host's user is. For the system alone.

    They act as what they are at the desk, but as nothing higher than `at_most`: the host's word that somebody owns an
    address makes nobody an agent unless the host was told that it does. With `create` who is not known at the desk
    becomes a customer. Raises ForbiddenError for who is not known, or not active any more.
    """
    person = _find(session, user, create=create)
    if not person.is_active:
        raise ForbiddenError("Your account at the helpdesk is not active any more. Ask the helpdesk to open it again.")
    role = min(person.role, at_most, key=_RANKS.index)
    return Actor(ActorKind(role.value), person.id, Channel.WEB)


def current_user(session: Session) -> User:
    """Return the person who acts in this session. Raises UnauthenticatedError where the system does."""
    user_id = actor_of(session).user_id
    if user_id is None:
        raise UnauthenticatedError("Log in to do this.")
    return get_user(session, user_id)


def _find(session: Session, user: HostUser, *, create: bool) -> User:
    email = clean(user.email).strip()
    if not email:
        raise ForbiddenError("Your account here has no e-mail address, by which the helpdesk could know you. Add one.")
    if create:
        return find_or_create_customer(session, email, user.full_name)
    person = session.scalar(with_email(select(User), email))
    if person is None:
        raise ForbiddenError(f"The helpdesk knows nobody with the address {email}. Ask it to add you.")
    return person
