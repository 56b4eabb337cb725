"""Mail over HTTP: delivering it, and the ledger of all that came, with what people decide about it."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Query, Request, Response
from pydantic import AwareDatetime
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import ACTOR_KEY, Database, act_as, actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.paging import SortKey
from deskbell.mail.inbound import decisions
from deskbell.mail.inbound.errors import NoSuchMailError
from deskbell.mail.inbound.ledger import Envelope
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.inbound.queries import arrivals_of, came_to, raw_of
from deskbell.mail.sources.taking import envelope_of, take
from deskbell.tickets.models import Ticket
from deskbell.tickets.queries import get_ticket
from deskbell.web.csrf import check_csrf
from deskbell.web.dependencies import DELIVERY, STAFF_ONLY, Transaction, _presented, check_scopes, identify
from deskbell.web.downloads import content_disposition
from deskbell.web.paging import PageOf, Pages
from deskbell.web.problems import problem_responses
from deskbell.web.routes import PREFIX, api_router
from deskbell.web.schemas.base import BIGGEST, PathId, Text
from deskbell.web.schemas.mail import (
    DeliveredOut,
    MailDetails,
    MailSummary,
    RejectIn,
    ReplayedOut,
    ReplayIn,
)

router = api_router("/mail", "mail")

INBOUND: Final = f"{PREFIX}/mail/inbound"
MEDIA_TYPE: Final = "message/rfc822"
NEWEST_FIRST: Final = (SortKey(InboundMessage.id, descending=True),)
_RAW: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_EXAMPLE = "From: Kim <kim@example.org>\r\nTo: help@example.org\r\nSubject: My card\r\n\r\nIt has not arrived.\r\n"
_BODY = {
    "requestBody": {
        "required": True,
        "description": "The message as it came, byte by byte (RFC 5322).",
        "content": {MEDIA_TYPE: {**_RAW, "example": _EXAMPLE}},
    }
}


async def _message(request: Request) -> bytes:
    """Return what is delivered, after somebody who may deliver has asked: strangers' 64 MB are not waited for."""
    secret, channel = _presented(request)
    if channel is Channel.WEB:
        await check_csrf(request, request.app.state.key, secret)
    database: Database = request.app.state.database
    async with database.async_unidentified_transaction() as session:
        identity = await session.run_sync(identify, secret, channel, DELIVERY)
    check_scopes(identity, request.method, DELIVERY)
    if identity.role is not Role.ADMIN:
        raise ForbiddenError("Only an administrator may deliver mail, or a token of theirs with the scope mail.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise InvalidError(f"Send the message as it is, with Content-Type: {MEDIA_TYPE}.", field="Content-Type")
    body = await request.body()
    if not body.strip():
        raise InvalidError("There is no message: the body is empty.", field="body")
    return body


Message = Annotated[bytes, Depends(_message)]


@router.post(
    "/inbound",
    status_code=202,
    summary="Deliver a message",
    responses=problem_responses(409, 413),
    openapi_extra={**_BODY, "security": [{"token": []}, {"session": []}]},
)
async def deliver(
    request: Request,
    response: Response,
    message: Message,
    session: Transaction,
    envelope_from: Annotated[
        Text | None, Query(max_length=1000, description="Who the server said it is from; empty for a bounce.")
    ] = None,
    envelope_to: Annotated[list[Text], Query(max_length=1000, description="To whom it was to go; once for each.")] = [],  # noqa: B006 - FastAPI copies it
) -> DeliveredOut:
    """Write a message down. 202 says that it is in the ledger and cannot be lost; it is filed in a moment.

    For administrators, and tokens of theirs with the scope `mail`, which allows nothing else. The same message again is
    known and makes nothing new, so whoever got no answer asks again.
    """
    envelope = envelope_of(envelope_from, envelope_to)
    client = request.client.host if request.client else ""
    found = await session.run_sync(_as_system, partial(_take, message, envelope, f"http from {client}".strip()))
    response.headers["Location"] = f"{PREFIX}/mail/messages/{found.id}"
    return found


def _as_system(session: Session, work: Callable[[Session], DeliveredOut]) -> DeliveredOut:
    """Let the system write mail down, as whatever way it comes; then it is again who asked, unless that has failed."""
    actor = actor_of(session)
    system = Actor.system(Channel.MAIL, act=actor.act)
    session.info[ACTOR_KEY] = system
    act_as(session.connection(), system)
    done = work(session)
    session.info[ACTOR_KEY] = actor
    act_as(session.connection(), actor)
    return done


def _take(raw: bytes, envelope: Envelope | None, source: str, session: Session) -> DeliveredOut:
    taken = take(session, raw, source=source, envelope=envelope)
    state = session.scalars(select(InboundMessage.state).where(InboundMessage.id == taken.id)).one()
    return DeliveredOut(id=taken.id, state=state, is_known=not taken.is_new)


@router.get("/messages", summary="List messages", dependencies=[STAFF_ONLY])
async def list_messages(
    session: Transaction,
    pages: Pages,
    state: Annotated[MailState | None, Query(description="What became of them.")] = None,
    mailbox_id: Annotated[int | None, Query(ge=1, le=BIGGEST, description="Where they came to.")] = None,
    sender: Annotated[Text | None, Query(max_length=1000, description="From this address.")] = None,
    ticket: Annotated[Text | None, Query(max_length=50, description="Of this ticket.", examples=["DB-1042"])] = None,
    since: Annotated[AwareDatetime | None, Query(description="That came then or later.")] = None,
) -> PageOf[MailSummary]:
    """Return the ledger, newest first. What agents and customers wrote elsewhere is not in it."""

    def wanted(session: Session) -> Select[*tuple[Any, ...]]:
        ticket_id = None if ticket is None else get_ticket(session, ticket, deleted=True).id
        conditions = (
            state is not None and InboundMessage.state == state,
            mailbox_id is not None and came_to(mailbox_id),
            sender is not None and func.lower(InboundMessage.sender) == sender.strip().lower(),
            ticket_id is not None and InboundMessage.ticket_id == ticket_id,
            since is not None and InboundMessage.created_at >= since,
        )
        return _entries().where(*(each for each in conditions if each is not False))

    return await pages.read(session, wanted, NEWEST_FIRST, MailSummary.of)


@router.get("/messages/{message_id}", summary="About a message", dependencies=[STAFF_ONLY])
async def read_message(session: Transaction, message_id: PathId) -> MailDetails:
    """Return what is known of a message, and by which ways it came."""
    return await session.run_sync(_details, message_id)


@router.get(
    "/messages/{message_id}/raw",
    summary="A message as it came",
    dependencies=[STAFF_ONLY],
    response_class=Response,
    responses={200: {"description": "Its bytes", "content": {MEDIA_TYPE: _RAW}}},
)
async def read_raw(session: Transaction, message_id: PathId) -> Response:
    """Return the very bytes that were delivered."""
    raw = await session.run_sync(raw_of, message_id)
    if raw is None:
        raise _none(message_id)
    headers = {"Content-Disposition": content_disposition("attachment", f"message-{message_id}.eml")}
    return Response(raw, media_type=MEDIA_TYPE, headers=headers)


@router.post(
    "/messages/{message_id}/release",
    summary="Let a message in",
    dependencies=[STAFF_ONLY],
    responses=problem_responses(409),
)
async def release(session: Transaction, message_id: PathId) -> MailDetails:
    """Let a suspended message in: into the ticket that it claims to answer, or as a new one, in a moment."""
    return await _decide(session, partial(decisions.release, inbound_id=message_id), message_id)


@router.post(
    "/messages/{message_id}/reject",
    summary="Turn a message away",
    dependencies=[STAFF_ONLY],
    responses=problem_responses(409),
)
async def reject(session: Transaction, message_id: PathId, wanted: RejectIn) -> MailDetails:
    """Turn a suspended or failed message away. It stays in the ledger."""
    return await _decide(session, partial(decisions.reject, inbound_id=message_id, why=wanted.why), message_id)


@router.post(
    "/messages/{message_id}/replay",
    summary="Read a message again",
    dependencies=[STAFF_ONLY],
    responses=problem_responses(409),
)
async def replay(session: Transaction, message_id: PathId) -> MailDetails:
    """Have a message that is in no ticket read and filed again, after a fix for example."""
    return await _decide(session, partial(decisions.replay, inbound_id=message_id), message_id)


@router.post("/replay", status_code=202, summary="Read many messages again", dependencies=[STAFF_ONLY])
async def replay_many(session: Transaction, wanted: ReplayIn) -> ReplayedOut:
    """Have all messages in a state read and filed again; those of a mailbox or since a time, if you say so."""
    again = partial(decisions.replay_all, state=wanted.state, mailbox_id=wanted.mailbox_id, since=wanted.since)
    return ReplayedOut(count=await session.run_sync(again))


async def _decide(session: Transaction, decision: Callable[[Session], None], message_id: int) -> MailDetails:
    await session.run_sync(decision)
    return await session.run_sync(_details, message_id)


def _details(session: Session, message_id: int) -> MailDetails:
    statement = _entries().where(InboundMessage.id == message_id).execution_options(populate_existing=True)
    row = session.execute(statement).one_or_none()
    if row is None:
        raise _none(message_id)
    return MailDetails.complete(row, list(arrivals_of(session, message_id)))


def _none(message_id: int) -> NoSuchMailError:
    return NoSuchMailError(f"There is no message {message_id} in the ledger.")


def _entries() -> Select[*tuple[Any, ...]]:
    statement = select(InboundMessage, Ticket.ticket_number, InboundMessage.id)
    joined = statement.outerjoin(Ticket, Ticket.id == InboundMessage.ticket_id)
    return cast("Select[*tuple[Any, ...]]", joined)
