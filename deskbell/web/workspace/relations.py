"""Forms on a ticket's page about its mail and its relations: copies, links, sending again, deciding, the original."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from sqlalchemy.orm import Session

from deskbell.mail.inbound import decisions
from deskbell.tickets import ticket_links
from deskbell.tickets.copies import add_copy, remove_copy
from deskbell.web.dependencies import STAFF_ONLY, Me, Transaction
from deskbell.web.pages import originals
from deskbell.web.pages.rendering import render
from deskbell.web.schemas.base import PathId, Text
from deskbell.web.workspace import correspondence
from deskbell.web.workspace.forms import Target, changed
from deskbell.web.workspace.frame import show

router = APIRouter(include_in_schema=False, prefix="/tickets/{number}", dependencies=[STAFF_ONLY])
Line = Annotated[Text, Form(max_length=1000)]
Images = Annotated[str, Query(max_length=5)]


@router.post("/copies")
async def send_copies_to(
    request: Request, session: Transaction, me: Me, number: str, email: Line = "", name: Line = ""
) -> Response:
    """Send somebody copies of the answers."""
    change = partial(session.run_sync, add_copy, number, email, name)
    target = Target(number, "copies", anchor="#copy", value=email)
    return await changed(request, session, me, target, change)


@router.post("/copies/{copy_id}/remove")
async def send_no_copies_to(request: Request, session: Transaction, me: Me, number: str, copy_id: PathId) -> Response:
    """Send somebody no more copies."""
    change = partial(session.run_sync, remove_copy, number, copy_id)
    return await changed(request, session, me, Target(number, "copies", anchor="#copy"), change)


@router.post("/links")
async def link(request: Request, session: Transaction, me: Me, number: str, other: Line = "") -> Response:
    """Say that another ticket has to do with this one."""
    change = partial(session.run_sync, ticket_links.link, number, other.strip())
    target = Target(number, "links", anchor="#other", value=other)
    return await changed(request, session, me, target, change)


@router.post("/links/remove")
async def unlink(request: Request, session: Transaction, me: Me, number: str, other: Line = "") -> Response:
    """Take a link away."""
    change = partial(session.run_sync, ticket_links.unlink, number, other)
    return await changed(request, session, me, Target(number, "links", anchor="#other"), change)


@router.get("/comments/{comment_id}/deliveries")
async def show_deliveries(request: Request, session: Transaction, me: Me, number: str, comment_id: PathId) -> Response:
    """Show how an answer goes out: a part of the page, which is fetched while something is on its way."""
    context = await session.run_sync(correspondence.deliveries_to_show, number, comment_id)
    return render(request, "workspace/_delivery.html", me=me, **context)


@router.post("/deliveries/{message_id}/resend")
async def send_again(request: Request, session: Transaction, me: Me, number: str, message_id: PathId) -> Response:
    """Send an answer to somebody once more."""
    change = partial(session.run_sync, correspondence.send_again, number, message_id)
    return await changed(request, session, me, Target(number, "delivery", anchor="#thread"), change)


@router.get("/mail/{inbound_id}")
async def show_original(
    request: Request, session: Transaction, me: Me, number: str, inbound_id: PathId, images: Images = ""
) -> Response:
    """Show a message of the ticket as it came."""
    message = await session.run_sync(correspondence.message_of, number, inbound_id)
    shown: dict[str, Any] = correspondence.shown_message(message, number)
    raw = await session.run_sync(originals.raw_of, inbound_id) if message.size <= originals.SHOWN_BYTES else b""
    about = originals.about(await originals.read(raw) if raw else None)
    context: dict[str, Any] = {
        "message": shown,
        "with_images": bool(images),
        "place": f"/tickets/{number}/mail/{inbound_id}",
    }
    return await show(request, session, me, "workspace/original.html", **context, **about)


@router.get("/mail/{inbound_id}/body")
async def show_body(
    session: Transaction, request: Request, number: str, inbound_id: PathId, images: Images = ""
) -> Response:
    """Show what a message says, inside of the frame on its page."""
    return originals.body(request, await originals.read(await _raw(session, number, inbound_id)), images=bool(images))


@router.get("/mail/{inbound_id}/files/{place}")
async def download_file(
    session: Transaction, number: str, inbound_id: PathId, place: Annotated[int, Path(ge=0, lt=10_000)]
) -> Response:
    """Send a file of a message, to be kept."""
    return originals.file(await originals.read(await _raw(session, number, inbound_id)), place)


@router.get("/mail/{inbound_id}/raw")
async def download_message(session: Transaction, number: str, inbound_id: PathId) -> Response:
    """Send a message as it came, to be kept."""
    return originals.as_it_came(await _raw(session, number, inbound_id), inbound_id)


@router.post("/mail/{inbound_id}/release")
async def release(request: Request, session: Transaction, me: Me, number: str, inbound_id: PathId) -> Response:
    """Let a message into the ticket."""

    def change(db: Session) -> None:
        decisions.release(db, correspondence.message_of(db, number, inbound_id).id)

    return await changed(request, session, me, Target(number, "mail"), partial(session.run_sync, change))


@router.post("/mail/{inbound_id}/reject")
async def reject(request: Request, session: Transaction, me: Me, number: str, inbound_id: PathId) -> Response:
    """Turn a message away."""

    def change(db: Session) -> None:
        decisions.reject(db, correspondence.message_of(db, number, inbound_id).id)

    return await changed(request, session, me, Target(number, "mail"), partial(session.run_sync, change))


async def _raw(session: Transaction, number: str, inbound_id: int) -> bytes:
    message = await session.run_sync(correspondence.message_of, number, inbound_id)
    return await session.run_sync(originals.raw_of, message.id)
