"""Proving who one is: passwords, browser sessions, API tokens.

The first statement of a request's transaction looks the secret up and becomes that person, in one round trip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Text, delete, func, select, text, update
from sqlalchemy.orm import Session, undefer

from deskbell.accounts.models import LoginSession, Role, User
from deskbell.accounts.queries import users, with_email
from deskbell.kernel.crypto import hash_token, new_token
from deskbell.kernel.lanes.pipelining import PipelinedSession
from deskbell.kernel.lanes.reading import Reading, Rows
from deskbell.kernel.lanes.statements import Row, Statement
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


class SomebodyElseError(Exception):
    """Not for people: a secret does not stand for whom it did, so nothing was read. Ask again, expecting nobody."""


_BECOME = """
select h.user_id, h.role, h.email, h.full_name, h.time_zone, {scopes} as scopes,
       set_config('role', 'deskbell_' || h.role, true) as a, set_config('deskbell.actor', h.user_id::text, true) as b,
       set_config('deskbell.channel', :channel, true) as c, set_config('deskbell.act', :act, true) as d
  from {holder}(:hash) h
"""
_WHO = 6
"""Of these columns so many are about who it is."""
_COLUMNS = ("role", "email", "full_name", "time_zone", "scopes", "a", "b", "c", "d")


def _become_holder_of(holder: str, scopes: str) -> Statement:
    statement = text(_BECOME.format(holder=holder, scopes=scopes))  # allow: bound-parameters (two functions of ours)
    return Statement(statement.columns(user_id=BigInteger, **dict.fromkeys(_COLUMNS, Text)), prepared=True)


_BECOME_TOKEN_HOLDER = _become_holder_of("deskbell_token_holder", "array_to_string(h.scopes, ' ')")
_BECOME_SESSION_HOLDER = _become_holder_of("deskbell_session_holder", "''")


def become(session: Session, secret: str, *, channel: str, act: str) -> Identity | None:
    """Act as whom the secret stands for until the transaction ends; None when it stands for nobody."""
    values = {"hash": hash_token(secret), "channel": channel, "act": act}
    row = session.execute(_become(secret).select, values).one_or_none()
    return None if row is None else _identity(row)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a secret stood for, and what the database said of them."""

    identity: Identity
    said: Row


async def become_to_read(reading: Reading, secret: str, *, channel: str, act: str) -> Holder | None:
    """Do the same where one only reads."""
    rows = await reading.rows(_become(secret), {"hash": hash_token(secret), "channel": channel, "act": act})
    if not len(rows):
        return None
    said = rows.row(0)
    return Holder(_identity(said), said[:_WHO])


def expect_to_become(
    reading: Reading | PipelinedSession, secret: str, expected: Holder, *, channel: str, act: str
) -> None:
    """Do the same together with what is run first, which raises SomebodyElseError where that is not who is expected.

    Who it is says the database each time; what is expected only saves waiting for that.
    """

    def check(rows: Rows) -> None:
        if not len(rows) or rows.row(0)[:_WHO] != expected.said:
            raise SomebodyElseError

    reading.expect(_become(secret), {"hash": hash_token(secret), "channel": channel, "act": act}, check)


def _become(secret: str) -> Statement:
    return _BECOME_SESSION_HOLDER if secret.startswith(SESSION_PREFIX) else _BECOME_TOKEN_HOLDER


def _identity(row: Sequence[Any]) -> Identity:
    user_id, role, email, full_name, time_zone, scopes, *_ = row
    return Identity(user_id, Role(role), email, full_name, time_zone, tuple(scopes.split()))


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
