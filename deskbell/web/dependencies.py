"""What routes ask for: the transaction of the request, who acts in it, and what the application was opened with.

The transaction is function-scoped, so it commits before the answer is sent: a failing commit is an error, not a 200.
"""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell.accounts.login import SESSION_PREFIX, Identity, become
from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import ACTOR_KEY, Database
from deskbell.kernel.errors import ForbiddenError, UnauthenticatedError
from deskbell.kernel.resources import Resources
from deskbell.web.access import STATE, Reader
from deskbell.web.csrf import COOKIE, SAFE_METHODS, check_csrf
from deskbell.web.headers import header_of
from deskbell.web.idempotency import claim_key, read_attempt
from deskbell.web.rates import Rates, UnknownSecretError

IDENTITY_KEY = "deskbell.identity"
READ_SCOPE = "read"
MAIL_SCOPE = "mail"
DELIVERY = "POST /api/v1/mail/inbound"
"""What the scope `mail` is for, and all that it allows."""


async def open_transaction(request: Request) -> AsyncIterator[AsyncSession]:
    """Open the request's transaction: find out who asks and act as them, in one statement; commit if all goes well.

    What takes as long as the client likes, such as waiting for the body, comes before.
    """
    secret, channel = _presented(request)
    if channel is Channel.WEB:
        await check_csrf(request, request.app.state.key, secret)
    attempt = await read_attempt(request) if _is_api(request) else None
    request.state.live = request.app.state.live.cursor  # before the page is read, so that nothing falls in between
    database: Database = request.app.state.database
    async with database.async_unidentified_transaction() as session:
        identity = await session.run_sync(admit, request, secret, channel)
        if attempt is not None:
            await claim_key(session, request, identity.user_id, attempt)
        yield session


Transaction = Annotated[AsyncSession, Depends(open_transaction, scope="function")]


async def current_identity(session: Transaction) -> Identity:
    """Return who asks."""
    return cast("Identity", session.info[IDENTITY_KEY])


Me = Annotated[Identity, Depends(current_identity, scope="function")]


async def require_staff(me: Me) -> None:
    """Refuse customers."""
    if me.role is Role.CUSTOMER:
        raise ForbiddenError("Only the desk may do this.")


async def require_admin(me: Me) -> None:
    """Refuse all but administrators."""
    if me.role is not Role.ADMIN:
        raise ForbiddenError("Only an administrator may do this.")


STAFF_ONLY = Depends(require_staff, scope="function")
ADMIN_ONLY = Depends(require_admin, scope="function")


def resources(request: Request) -> Resources:
    """Return the clock, the storage and the limits."""
    return cast("Resources", request.app.state.resources)


def signing_key(request: Request) -> bytes:
    """Return the key that cursors are signed with."""
    return cast("bytes", request.app.state.key)


Tools = Annotated[Resources, Depends(resources)]
Key = Annotated[bytes, Depends(signing_key)]


def _is_api(request: Request) -> bool:
    """Whether this is a route of the API: pages know neither tokens nor idempotency keys."""
    return getattr(request.scope.get("route"), "is_api", False)


def _presented(request: Request) -> tuple[str, Channel]:
    """Return the secret that came with the request. Raises UnauthenticatedError, and TooManyError to who guesses."""
    secret, channel = _secret_in(request)
    rates: Rates = request.app.state.rates
    rates.check_stranger(request, secret)
    return secret, channel


def token_in(request: Request) -> str:
    """Return the API token that the request came with, or nothing where somebody is logged in."""
    secret, channel = _secret_in(request)
    return secret if channel is Channel.API else ""


def _secret_in(request: Request) -> tuple[str, Channel]:
    """A token is explicit, so it goes before a cookie."""
    scheme, _, token = header_of(request.scope, b"authorization").partition(" ")
    if scheme and _is_api(request):
        if scheme.lower() != "bearer" or token.strip().startswith(SESSION_PREFIX):
            raise UnauthenticatedError("Send `Authorization: Bearer dbt_…`, with one of your API tokens.")
        return token.strip(), Channel.API
    secret = request.cookies.get(COOKIE, "")
    if not secret.startswith(SESSION_PREFIX):
        raise UnauthenticatedError
    return secret, Channel.WEB


def identify(session: Session, secret: str, channel: Channel, act: str) -> Identity:
    """Become whom a token or a session stands for, for the rest of the transaction. Raises UnauthenticatedError."""
    identity = known(become(session, secret, channel=channel.value, act=act))
    session.info[ACTOR_KEY] = actor_for(identity, channel, act)
    session.info[IDENTITY_KEY] = identity
    return identity


def admit(session: Session, request: Request, secret: str, channel: Channel) -> Identity:
    """Become who asks, if they may: see `welcome`. Raises UnauthenticatedError too."""
    identity = identify(session, secret, channel, _act(request))
    welcome(request, identity, channel, hash_token(secret))
    return identity


def known(identity: Identity | None) -> Identity:
    """Return who it is. Raises UnknownSecretError."""
    if identity is None:
        raise UnknownSecretError
    return identity


def actor_for(identity: Identity, channel: Channel, act: str) -> Actor:
    """Return whom the rest of the transaction acts as."""
    return Actor(ActorKind(identity.role.value), identity.user_id, channel, act, time_zone=identity.time_zone)


def _act(request: Request) -> str:
    path: str = getattr(request.scope.get("route"), "path", "") or request.url.path
    return f"{request.scope['method']} {path}"


def welcome(request: Request, identity: Identity, channel: Channel, by: bytes) -> None:
    """Note for the logs who asks, by the secret with this hash. Refuse what a token is not for, and who asks too often.

    Raises ForbiddenError or TooManyError.
    """
    state, act = request.scope.setdefault("state", {}), _act(request)
    state["user_id"], state[STATE] = identity.user_id, Reader(identity, channel, by)
    check_scopes(identity, request.method, act)
    rates: Rates = request.app.state.rates
    rates.count(request, identity, channel, act)


def check_scopes(identity: Identity, method: str, act: str = "") -> None:
    """No scopes allow everything, `read` what changes nothing, `mail` to deliver mail; no other allows anything."""
    reads, delivers = READ_SCOPE in identity.scopes, MAIL_SCOPE in identity.scopes
    if identity.scopes and not ((reads and method in SAFE_METHODS) or (delivers and act == DELIVERY)):
        may = " and ".join(["read"] * reads + ["deliver mail"] * delivers) or "do nothing"
        raise ForbiddenError(f"This token may only {may}. Use one without scopes for changes.")
