"""Tags: the desk's labels, and which ticket bears which."""

from typing import Annotated

from fastapi import Path, Request, Response

from deskbell.kernel.session_reading import SessionReading
from deskbell.tickets import labels
from deskbell.tickets.queries import TAGS_BY_ID, tags
from deskbell.tickets.thread import thread_of
from deskbell.web.conditional import tagged_response
from deskbell.web.dependencies import ADMIN_ONLY, STAFF_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.problems import problem_responses
from deskbell.web.routes import api_router
from deskbell.web.schemas.base import Number, PathId, Text
from deskbell.web.schemas.tickets import TagIn, TagOut, TicketOut

router = api_router("", "tags")
TagName = Annotated[Text, Path(max_length=100, description="Case does not matter.", examples=["billing"])]


@router.get("/tags", summary="List tags", dependencies=[STAFF_ONLY])
async def list_tags(session: Transaction, pages: Pages) -> PageOf[TagOut]:
    """Return all tags, oldest first."""
    return await pages.read(session, tags(), TAGS_BY_ID, TagOut.of)


@router.post("/tags", status_code=201, summary="Add a tag", dependencies=[STAFF_ONLY], responses=problem_responses(409))
async def add_tag(session: Transaction, wanted: TagIn) -> TagOut:
    """Add a tag; its name differs from the others by more than case."""
    tag = await session.run_sync(
        labels.create_tag, name=wanted.name, color=wanted.color, description=wanted.description
    )
    return TagOut.of(tag)


@router.delete("/tags/{tag_id}", status_code=204, summary="Delete a tag", dependencies=[ADMIN_ONLY])
async def delete_tag(session: Transaction, tag_id: PathId) -> None:
    """Take a tag off all tickets and remove it for good. For administrators."""
    await session.run_sync(labels.delete_tag, tag_id)


@router.put(
    "/tickets/{number}/tags/{name}", response_model=TicketOut, summary="Tag a ticket", responses=problem_responses(409)
)
async def tag_ticket(request: Request, session: Transaction, number: Number, name: TagName) -> Response:
    """Put a tag on a ticket; a new one is made. Doing it twice is no error."""
    await session.run_sync(labels.tag, number, name)
    version, document = await thread_of(SessionReading(session), number)
    return tagged_response(request, document, version)


@router.delete(
    "/tickets/{number}/tags/{name}", status_code=204, summary="Untag a ticket", responses=problem_responses(409)
)
async def untag_ticket(session: Transaction, number: Number, name: TagName) -> None:
    """Take a tag off a ticket. Doing it twice is no error."""
    await session.run_sync(labels.untag, number, name)
