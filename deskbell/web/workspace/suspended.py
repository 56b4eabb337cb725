"""Mail that waits for somebody to decide: who wrote does not take part in the ticket, or wrote too much at once."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deskbell.kernel.errors import ConflictError
from deskbell.kernel.paging import SortKey
from deskbell.kernel.plans import plan_for_values
from deskbell.mail.inbound import decisions
from deskbell.mail.inbound.errors import NoSuchMailError
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.tickets.models import Ticket
from deskbell.web.dependencies import STAFF_ONLY, Me, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.pages import originals
from deskbell.web.pages.doors import STAFF_PAGE
from deskbell.web.pages.pager import Paged, Pager
from deskbell.web.schemas.base import PathId
from deskbell.web.workspace.correspondence import shown_message
from deskbell.web.workspace.frame import show

router = APIRouter(include_in_schema=False, prefix="/suspended")
OLDEST_FIRST: Final = (SortKey(InboundMessage.id),)
COUNTED: Final = 1_000
Word = Annotated[str, Query(max_length=20)]


@router.get("", dependencies=[STAFF_PAGE])
async def list_suspended(request: Request, session: Transaction, me: Me, pager: Paged, done: Word = "") -> Response:
    """List what waits, oldest first. `done` is what was decided just now."""
    page = await session.run_sync(waiting, pager)
    return await show(request, session, me, "workspace/suspended.html", page=page, done=done)


@router.get("/{inbound_id}", dependencies=[STAFF_PAGE])
async def show_suspended(
    request: Request, session: Transaction, me: Me, inbound_id: PathId, images: Word = ""
) -> Response:
    """Show a message that waits."""
    return await _page(request, session, me, inbound_id, images=bool(images))


@router.get("/{inbound_id}/body", dependencies=[STAFF_ONLY])
async def show_body(request: Request, session: Transaction, inbound_id: PathId, images: Word = "") -> Response:
    """Show what a message says, inside of the frame on its page."""
    raw = await session.run_sync(_raw, inbound_id)
    return originals.body(request, await originals.read(raw), images=bool(images))


@router.get("/{inbound_id}/files/{place}", dependencies=[STAFF_ONLY])
async def download_file(
    session: Transaction, inbound_id: PathId, place: Annotated[int, Path(ge=0, lt=10_000)]
) -> Response:
    """Send a file of a message, to be kept."""
    return originals.file(await originals.read(await session.run_sync(_raw, inbound_id)), place)


@router.get("/{inbound_id}/raw", dependencies=[STAFF_ONLY])
async def download_message(session: Transaction, inbound_id: PathId) -> Response:
    """Send a message as it came, to be kept."""
    return originals.as_it_came(await session.run_sync(_raw, inbound_id), inbound_id)


@router.post("/{inbound_id}/release", dependencies=[STAFF_ONLY])
async def release(session: Transaction, inbound_id: PathId) -> Response:
    """Let a message in."""
    return await _decide(session, inbound_id, decisions.release, "in")


@router.post("/{inbound_id}/reject", dependencies=[STAFF_ONLY])
async def reject(session: Transaction, inbound_id: PathId) -> Response:
    """Turn a message away."""
    return await _decide(session, inbound_id, decisions.reject, "away")


def waiting(session: Session, pager: Pager) -> dict[str, Any]:
    """Return a page of the messages that wait. One statement."""
    plan_for_values(session)
    joined = select(InboundMessage, Ticket.ticket_number, InboundMessage.id).outerjoin(
        Ticket, Ticket.id == InboundMessage.ticket_id
    )
    statement = joined.where(InboundMessage.state == MailState.SUSPENDED)
    return pager.read(session, statement, OLDEST_FIRST, lambda row: shown_message(row[0], row[1]))


def count_waiting(session: Session) -> int:
    """Return how many messages wait, counted up to 1,000. One statement."""
    some = select(InboundMessage.id).where(InboundMessage.state == MailState.SUSPENDED).limit(COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _message(session: Session, inbound_id: int) -> dict[str, Any]:
    message = session.get(InboundMessage, inbound_id)
    if message is None or message.state is not MailState.SUSPENDED:
        raise NoSuchMailError(_("This message waits for no decision, or is none."))
    number = select(Ticket.ticket_number).where(Ticket.id == message.ticket_id)
    return shown_message(message, session.scalar(number) if message.ticket_id else None)


def _raw(session: Session, inbound_id: int) -> bytes:
    return originals.raw_of(session, _message(session, inbound_id)["id"])


async def _decide(
    session: Transaction, inbound_id: int, decision: Callable[[Session, int], None], done: str
) -> Response:
    try:
        async with session.begin_nested():
            await session.run_sync(decision, inbound_id)
    except ConflictError:  # somebody else was faster: the list shows what is left
        session.expunge_all()
        return RedirectResponse("/suspended?done=before", status_code=303)
    return RedirectResponse(f"/suspended?done={done}", status_code=303)


async def _page(request: Request, session: Transaction, me: Me, inbound_id: int, *, images: bool) -> Response:
    message = await session.run_sync(_message, inbound_id)
    raw = await session.run_sync(originals.raw_of, inbound_id) if message["size"] <= originals.SHOWN_BYTES else b""
    about = originals.about(await originals.read(raw) if raw else None)
    context: dict[str, Any] = {"message": message, "with_images": images, "place": f"/suspended/{inbound_id}"}
    return await show(request, session, me, "workspace/original.html", **context, **about)
