"""Logging in with a password and out again: for the API and for the pages.

Hashing runs in a thread and takes as long for an address that nobody has. Attempts are limited by network address and
by account, in the memory of this process.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from anyio import to_thread
from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from deskbell.accounts.errors import WrongCredentialsError
from deskbell.accounts.login import close_session, credentials, open_session
from deskbell.accounts.passwords import verify_password
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.clock import Clock
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import Database
from deskbell.kernel.errors import TooManyError
from deskbell.kernel.text import clean, normalized_email
from deskbell.web.csrf import COOKIE
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked
from deskbell.web.rates import network_of

_SYSTEM: Final = Actor.system(Channel.WEB)
_TOO_OFTEN: Final = marked("Too many attempts to log in. Wait, then try again.")


class LoginLimits:
    """How many attempts one network address may make, and how many in a row may fail for one account."""

    def __init__(self, rate: str, clock: Clock, *, account_rate: str = "", message: str = _TOO_OFTEN) -> None:
        """Rates are written like `10/minute`; that of an account is the same unless another is given."""
        self._rates: dict[str, RateLimitItem] = {"address": parse(rate), "account": parse(account_rate or rate)}
        self._message = message
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._clock = clock

    def count(self, address: str, email: str) -> None:
        """Count an attempt. Raises TooManyError with the seconds to wait."""
        for kind, who in (("address", network_of(address)), ("account", _account(email))):
            if not self._limiter.hit(self._rates[kind], kind, who):
                reset = self._limiter.get_window_stats(self._rates[kind], kind, who).reset_time
                wait = ceil(reset - self._clock.now().timestamp())
                raise TooManyError(_(self._message), retry_after=max(wait, 1))

    def forget(self, email: str) -> None:
        """Forget the attempts for an account: its owner got in. Those of the address stay counted."""
        self._limiter.clear(self._rates["account"], "account", _account(email))


async def log_in(
    database: Database,
    limits: LoginLimits,
    *,
    email: str,
    password: str,
    lifetime: timedelta,
    now: datetime,
    address: str = "",
    user_agent: str = "",
) -> str:
    """Return the secret of a new session, for the cookie. Raises WrongCredentialsError or TooManyError.

    No connection is held while the password is hashed.
    """
    limits.count(address, email)
    async with database.async_transaction(_SYSTEM.doing("log in")) as session:
        known = await session.run_sync(credentials, email)
    fits = await to_thread.run_sync(verify_password, password, known.password_hash)
    if not fits or known.user_id is None:
        raise WrongCredentialsError
    limits.forget(email)
    async with database.async_transaction(_SYSTEM.doing("log in")) as session:
        return await session.run_sync(
            open_session, known.user_id, lifetime=lifetime, now=now, address=address, user_agent=user_agent
        )


async def log_out(database: Database, secret: str) -> bool:
    """End a session; return whether there was one."""
    async with database.async_transaction(_SYSTEM.doing("log out")) as session:
        return await session.run_sync(close_session, secret)


def session_cookie(request: Request, secret: str, lifetime: timedelta) -> dict[str, Any]:
    """Return the arguments of `Response.set_cookie`: out of reach of scripts, other sites and, over TLS, plain HTTP."""
    return {
        "key": COOKIE,
        "value": secret,
        "max_age": int(lifetime.total_seconds()),
        "path": "/",
        "httponly": True,
        "samesite": "lax",
        "secure": request.url.scheme == "https",
    }


def client_address(request: Request) -> str:
    """Return the address the request came from, as the server sees it."""
    return request.client.host if request.client else ""


def _account(email: str) -> str:
    """Name the account as the database finds it; hashed, as somebody may have typed a password here."""
    return hash_token(normalized_email(clean(email))).hex()
