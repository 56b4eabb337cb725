"""Links in mails that let somebody in: to confirm an address, to set a new password, to log in without one.

All of it is done by the system. Whether an address is known shows in the mailbox alone: whoever asks for a link gets
the same answer, and a job finds out afterwards. Until a link is followed no account is made or changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from deskbell.accounts.actions import find_or_create_customer, set_password
from deskbell.accounts.link_models import LinkPurpose, SignInLink
from deskbell.accounts.models import Role, User
from deskbell.accounts.queries import users, with_email
from deskbell.kernel.crypto import hash_token, new_token
from deskbell.kernel.errors import NotFoundError
from deskbell.kernel.text import clean, clean_email, one_line

LINK_PREFIX: Final = "dbl"
NAME_LENGTH: Final = 255
LOCALE_LENGTH: Final = 35
LIFETIMES: Final[Mapping[LinkPurpose, timedelta]] = {
    LinkPurpose.REGISTER: timedelta(days=1),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.LOG_IN: timedelta(minutes=15),
}
MOST_IN_AN_HOUR: Final = 5
"""Links to one address, whoever asks for them: nobody's mailbox is filled through us."""


class LinkGoneError(NotFoundError):
    """This link does not work any more: it was used, it is too old, or it was not copied whole. Ask for a new one."""

    code = "link_gone"


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A new link and its secret, which cannot be read again.

    `is_known` says that somebody wanted to register who has an account: the link is one to set a new password.
    """

    link: SignInLink
    secret: str
    is_known: bool = False


def make_link(session: Session, purpose: LinkPurpose, email: str, *, locale: str, now: datetime) -> MadeLink | None:
    """Make the link that an address is to be sent; None where it is to be sent nothing. Raises InvalidError."""
    address = clean_email(email)
    person = session.scalar(with_email(users(), address))
    if (person is None and purpose is not LinkPurpose.REGISTER) or (person is not None and not person.is_active):
        return None
    if _sent_lately(session, address, now) >= MOST_IN_AN_HOUR:
        return None
    is_known = purpose is LinkPurpose.REGISTER and person is not None and not _may_register(session, person)
    secret = new_token(LINK_PREFIX)
    link = SignInLink(
        purpose=LinkPurpose.RESET if is_known else purpose,
        email=address,
        user_id=person.id if person else None,
        locale=one_line(person.locale if person else locale, LOCALE_LENGTH),
        token_hash=hash_token(secret),
        created_at=now,
        expires_at=now + LIFETIMES[purpose],
    )
    session.add(link)
    session.flush()  # for the id
    return MadeLink(link, secret, is_known)


def find_link(session: Session, secret: str, *, now: datetime) -> SignInLink:
    """Return a link that still works, without using it up: programs that look through mail follow links too.

    Raises LinkGoneError.
    """
    link = session.scalar(select(SignInLink).where(*_works(secret, now)))
    if link is None or not _leads_to_whom_it_did(session, link):
        raise LinkGoneError
    return link


def confirm_registration(session: Session, secret: str, *, full_name: str, password_hash: str, now: datetime) -> int:
    """Make the account of who followed the link, or give one without a password its first; return the user's id.

    Raises LinkGoneError, also where somebody of the desk, or with a password, has the address by now.
    """
    link = _use_up(session, secret, LinkPurpose.REGISTER, now)
    person = find_or_create_customer(session, link.email, full_name)
    if not person.is_active or not _may_register(session, person):
        raise LinkGoneError
    if link.user_id is None:
        person.locale = link.locale
    if not person.full_name:
        person.full_name = one_line(full_name, NAME_LENGTH)
    session.flush()  # subscribers act on what is written
    return _let_in_with(session, person.id, password_hash, link, now)


def reset_password(session: Session, secret: str, *, password_hash: str, now: datetime) -> int:
    """Give who followed the link a new password, logged out everywhere; return the user's id. Raises LinkGoneError."""
    link = _use_up(session, secret, LinkPurpose.RESET, now)
    if link.user_id is None:
        raise LinkGoneError
    return _let_in_with(session, link.user_id, password_hash, link, now)


def use_login_link(session: Session, secret: str, *, now: datetime) -> int:
    """Return the id of the user that the link lets in, once. Raises LinkGoneError."""
    link = _use_up(session, secret, LinkPurpose.LOG_IN, now)
    if link.user_id is None:
        raise LinkGoneError
    return link.user_id


def remove_old_links(session: Session) -> int:
    """Forget the links that ended more than a day ago; return how many."""
    old = SignInLink.expires_at < func.clock_timestamp() - timedelta(days=1)
    return len(session.execute(delete(SignInLink).where(old).returning(SignInLink.id)).all())


def _works(secret: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    mine = SignInLink.token_hash == hash_token(secret)
    return mine, SignInLink.used_at.is_(None), SignInLink.expires_at > now


def _use_up(session: Session, secret: str, purpose: LinkPurpose, now: datetime) -> SignInLink:
    """Use a link up; of two who come at once one gets in."""
    used = update(SignInLink).where(*_works(secret, now), SignInLink.purpose == purpose).values(used_at=now)
    link: SignInLink | None = session.scalar(used.returning(SignInLink))
    if link is None or not _leads_to_whom_it_did(session, link):
        raise LinkGoneError
    return link


def _leads_to_whom_it_did(session: Session, link: SignInLink) -> bool:
    """Whether the account is active and still has the address that the link was sent to."""
    if link.user_id is None:
        return True
    theirs = with_email(users(), link.email).where(User.id == link.user_id, User.is_active)
    return session.scalar(theirs) is not None


def _let_in_with(session: Session, user_id: int, password_hash: str, link: SignInLink, now: datetime) -> int:
    set_password(session, user_id, password_hash)
    others = func.lower(SignInLink.email) == func.lower(link.email)
    session.execute(update(SignInLink).where(others, SignInLink.used_at.is_(None)).values(used_at=now))
    return user_id


def _may_register(session: Session, person: User) -> bool:
    """Whether registering may give this person a password: a customer who wrote to the desk and has none yet."""
    has_password = select(User.id).where(User.id == person.id, User.password_hash.is_not(None))
    return person.role is Role.CUSTOMER and session.scalar(has_password) is None


def _sent_lately(session: Session, address: str, now: datetime) -> int:
    mine = func.lower(SignInLink.email) == func.lower(clean(address))
    statement = select(func.count()).where(mine, SignInLink.created_at > now - timedelta(hours=1))
    return session.scalar(statement) or 0
