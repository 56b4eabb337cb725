"""Proving who one is: passwords, browser sessions, API tokens.

The first statement of a request's transaction looks the secret up and becomes that person, in one round trip.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session, undefer

from deskbell.accounts.models import LoginSession, Role, User
from deskbell.accounts.queries import users, with_email
from deskbell.kernel.crypto import hash_token, new_token
from deskbell.kernel.text import clean, one_line

SESSION_PREFIX = "dbs"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is compared with. `user_id` is None where nobody active has the address."""

    user_id: int | None
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody turned out to be."""

    user_id: int
    role: Role
    email: str
    full_name: str
    time_zone: str
    scopes: tuple[str, ...] = ()


_BECOME = """
select h.*,
       set_config('role', 'deskbell_' || h.role, true), set_config('deskbell.actor', h.user_id::text, true),
       set_config('deskbell.channel', :channel, true), set_config('deskbell.act', :act, true)
  from {holder}(:hash) h
"""
_BECOME_TOKEN_HOLDER = text(_BECOME.format(holder="deskbell_token_holder"))
_BECOME_SESSION_HOLDER = text(_BECOME.format(holder="deskbell_session_holder"))


def become(session: Session, secret: str, *, channel: str, act: str) -> Identity | None:
    """Act as whom the secret stands for until the transaction ends; None when it stands for nobody."""
    by_session = secret.startswith(SESSION_PREFIX)
    statement = _BECOME_SESSION_HOLDER if by_session else _BECOME_TOKEN_HOLDER
    row = session.execute(statement, {"hash": hash_token(secret), "channel": channel, "act": act}).one_or_none()
    if row is None:
        return None
    scopes = () if by_session else tuple(row.scopes)
    return Identity(row.user_id, Role(row.role), row.email, row.full_name, row.time_zone, scopes)


def credentials(session: Session, email: str) -> Credentials:
    """Return what the password of this address is compared with. For the system alone."""
    statement = with_email(users(), clean(email)).where(User.is_active).options(undefer(User.password_hash))
    user = session.scalar(statement)
    return Credentials(user.id, user.password_hash) if user else Credentials(None, None)


def open_session(
    session: Session, user_id: int, *, lifetime: timedelta, now: datetime, address: str = "", user_agent: str = ""
) -> str:
    """Log somebody in and return the secret for their cookie."""
    secret = new_token(SESSION_PREFIX)
    session.add(
        LoginSession(
            user_id=user_id,
            token_hash=hash_token(secret),
            expires_at=now + lifetime,
            address=one_line(address, 64),
            user_agent=one_line(user_agent, 255),
        )
    )
    session.execute(update(User).where(User.id == user_id).values(last_login=now))
    return secret


def close_session(session: Session, secret: str) -> bool:
    """Log out; return whether anybody was logged in with this. For the system alone."""
    statement = delete(LoginSession).where(LoginSession.token_hash == hash_token(secret)).returning(LoginSession.id)
    return bool(session.execute(statement).all())


def close_all_sessions(session: Session, user_id: int) -> None:
    """Log somebody out everywhere."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def remove_expired_sessions(session: Session) -> int:
    """Forget the sessions that have ended; return how many."""
    statement = delete(LoginSession).where(LoginSession.expires_at < func.clock_timestamp()).returning(LoginSession.id)
    return len(session.execute(statement).all())


def anybody_here(session: Session) -> bool:
    """Whether there is an active administrator."""
    statement = select(User.id).where(User.role == Role.ADMIN, User.is_active).limit(1)
    return session.scalar(statement) is not None
