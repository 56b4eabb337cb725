"""Who comes to one request: its requester or somebody of their organization, logged in; or who holds a link to it.

A link is no session. Its key lies in a cookie of its own that browsers send beneath that one request's address alone,
and nothing but `visiting` reads it: whoever has no session is nobody on every other page. Within, the holder acts as
the requester under the customers' row security, and each function of `thread` takes its ticket by the number in the
address, which the key was signed for. See docs/decisions/0009-links-to-requests.md.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell.accounts.links import LinkGoneError
from deskbell.accounts.login import SESSION_PREFIX, Identity, become
from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import ACTOR_KEY, Database, act_as
from deskbell.kernel.errors import UnauthenticatedError
from deskbell.kernel.resources import Resources
from deskbell.kernel.text import clean
from deskbell.tickets.link_keys import LinkHolder, holder_of
from deskbell.tickets.models import Ticket
from deskbell.web.csrf import COOKIE, SAFE_METHODS, CsrfError, csrf_token_for, same_token, token_of
from deskbell.web.dependencies import _act, actor_for, welcome
from deskbell.web.pages.doors import DESK, lead
from deskbell.web.pages.rendering import WAY_IN
from deskbell.web.pages.visitors import NO_REFERRER
from deskbell.web.rates import Rates

LINK_COOKIE: Final = "deskbell_request"
THROUGH_A_LINK: Final = "signed link"
_SYSTEM: Final = Actor.system(Channel.WEB)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at a request, in an open transaction in which they act. A guest came by a link."""

    session: AsyncSession
    me: Identity
    is_guest: bool


@asynccontextmanager
async def visiting(request: Request, number: str) -> AsyncIterator[Visit]:
    """Open the transaction of a page of one request; it is committed when the block ends.

    Raises UnauthenticatedError, CsrfError, TooManyError, and leads the desk to the ticket.
    """
    token = "" if request.method in SAFE_METHODS else await token_of(request)
    database: Database = request.app.state.database
    async with database.async_unidentified_transaction() as session:
        me, secret = await session.run_sync(partial(_enter, request=request, number=number))
        _check_form(request, token, secret)
        is_guest = secret == request.cookies.get(LINK_COOKIE)
        setattr(request.state, WAY_IN, secret)
        welcome(request, me, Channel.WEB, hash_token(secret))
        yield Visit(session, me, is_guest)


async def follow_link(request: Request, number: str, key: str) -> Response:
    """Take the key of a link out of the address, into its cookie. Raises LinkGoneError."""
    resources: Resources = request.app.state.resources
    database: Database = request.app.state.database
    async with database.async_transaction(_SYSTEM.doing(_act(request))) as session:
        holder = await session.run_sync(_holder, resources, number, key)
    if holder is None:
        raise LinkGoneError
    path = address_of(holder.number)
    response = RedirectResponse(path, status_code=303, headers=NO_REFERRER)
    lifetime = int(resources.reach.link_lifetime.total_seconds())
    secure = request.url.scheme == "https"
    response.set_cookie(LINK_COOKIE, key, lifetime, path=path, httponly=True, samesite="lax", secure=secure)
    return response


def address_of(number: str) -> str:
    """Return where a request is."""
    return f"/requests/{quote(number, safe='')}"


def _enter(session: Session, request: Request, number: str) -> tuple[Identity, str]:
    """Become who may see the request: by their session, else by their link. Return them, and what let them in."""
    secret, key = request.cookies.get(COOKIE, ""), request.cookies.get(LINK_COOKIE, "")
    known = _logged_in(session, request, secret)
    if known is not None and known.role is not Role.CUSTOMER:
        lead(request, DESK)
    if known is not None and (not key or _sees(session, number)):
        return known, secret
    guest = _guest(session, request, number, key) if key else None
    if guest is not None:
        return guest, key
    again = _logged_in(session, request, secret)
    if again is None:
        raise UnauthenticatedError
    return again, secret


def _logged_in(session: Session, request: Request, secret: str) -> Identity | None:
    if not secret.startswith(SESSION_PREFIX):
        return None
    rates: Rates = request.app.state.rates
    rates.check_stranger(request, secret)
    identity = become(session, secret, channel=Channel.WEB.value, act=_act(request))
    if identity is None:
        rates.count_refused(request)
        return None
    session.info[ACTOR_KEY] = actor_for(identity, Channel.WEB, _act(request))
    return identity


def _guest(session: Session, request: Request, number: str, key: str) -> Identity | None:
    """Become the requester: a customer on this page, whatever else they are."""
    act_as(session.connection(), _SYSTEM.doing(_act(request)))
    holder = _holder(session, request.app.state.resources, number, key)
    session.expunge_all()  # what the system read is nobody else's to find
    if holder is None:
        return None
    actor = Actor(ActorKind.CUSTOMER, holder.user_id, Channel.WEB, _act(request), THROUGH_A_LINK)
    act_as(session.connection(), actor)
    session.info[ACTOR_KEY] = actor
    return Identity(holder.user_id, Role.CUSTOMER, holder.email, holder.full_name, holder.time_zone)


def _holder(session: Session, resources: Resources, number: str, key: str) -> LinkHolder | None:
    return holder_of(session, resources.reach, number, key, resources.clock.now())


def _sees(session: Session, number: str) -> bool:
    wanted = Ticket.ticket_number == clean(number).strip().upper()
    return session.scalar(select(Ticket.id).where(wanted)) is not None


def _check_form(request: Request, token: str, secret: str) -> None:
    if request.method not in SAFE_METHODS and not same_token(token, csrf_token_for(request.app.state.key, secret)):
        raise CsrfError
