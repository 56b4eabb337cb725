"""One ticket with its thread, and the forms on it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from deskbell.kernel.database import translating
from deskbell.kernel.errors import ConflictError, InvalidError, StaleError
from deskbell.tickets import labels
from deskbell.tickets.models import TicketPriority, TicketStatus
from deskbell.tickets.queries import get_attachment
from deskbell.web.dependencies import Me, Tools, Transaction
from deskbell.web.downloads import download
from deskbell.web.schemas.base import Text
from deskbell.web.uploads import Inbox
from deskbell.web.workspace import thread
from deskbell.web.workspace.frame import show

router = APIRouter(include_in_schema=False)

MAXIMUM_CONTENT = 1_000_000


@router.get("/tickets/{number}")
async def show_ticket(request: Request, session: Transaction, me: Me, number: str) -> Response:
    """Show one ticket."""
    return await show(request, session, me, "workspace/ticket.html", **await session.run_sync(thread.ticket, number))


@router.get("/attachments/{attachment_id}")
async def show_attachment(
    request: Request, session: Transaction, tools: Tools, attachment_id: Annotated[int, Path(ge=1, lt=2**63)]
) -> Response:
    """Send a file: shown in place where that is safe, downloaded otherwise."""
    return await download(request, await session.run_sync(get_attachment, attachment_id), tools)


class Reply(BaseModel):
    """The composer's fields. Of a select, the first choice is empty: leave it as it is."""

    version: int = Field(ge=1, lt=2**63)
    content: Text = Field("", max_length=MAXIMUM_CONTENT)
    is_internal: bool = False
    status: TicketStatus | Literal[""] = ""
    files: list[UploadFile] = []


class Properties(BaseModel):
    """The fields of the form beside a ticket."""

    version: int = Field(ge=1, lt=2**63)
    status: TicketStatus
    priority: TicketPriority
    assignee_id: Annotated[int, Field(ge=1, lt=2**63)] | Literal[""] = ""


@router.post("/tickets/{number}/reply")
async def send_reply(
    request: Request, inbox: Inbox, session: Transaction, me: Me, number: str, form: Annotated[Reply, Form()]
) -> Response:
    """Reply, or leave a note. Files are stored once the message was accepted, not for nothing."""
    message = thread.Message(form.content, form.is_internal, form.status or None)

    async def change() -> None:
        sent = await session.run_sync(thread.send, number, message, form.version)
        for file in form.files:
            if file.filename:
                await session.run_sync(thread.attach, *sent, await inbox.store(file))

    return await _changed(request, session, me, Target(number, "reply", form.model_dump(exclude={"files"})), change)


@router.post("/tickets/{number}/properties")
async def save_properties(
    request: Request, session: Transaction, me: Me, number: str, form: Annotated[Properties, Form()]
) -> Response:
    """Save status, priority and assignee together."""
    wanted = {"status": form.status, "priority": form.priority, "assignee_id": form.assignee_id or None}
    change = partial(session.run_sync, thread.save_properties, number, wanted, form.version)
    return await _changed(request, session, me, Target(number, "properties"), change)


@router.post("/tickets/{number}/tags")
async def add_tag(
    request: Request, session: Transaction, me: Me, number: str, name: Annotated[Text, Form(max_length=1000)] = ""
) -> Response:
    """Put a tag on the ticket."""
    return await _changed(
        request, session, me, Target(number, "tags"), partial(session.run_sync, labels.tag, number, name)
    )


@router.post("/tickets/{number}/tags/remove")
async def remove_tag(
    request: Request, session: Transaction, me: Me, number: str, name: Annotated[Text, Form(max_length=1000)] = ""
) -> Response:
    """Take a tag off the ticket."""
    return await _changed(
        request, session, me, Target(number, "tags"), partial(session.run_sync, labels.untag, number, name)
    )


@dataclass(frozen=True, slots=True)
class Target:
    """Which form of which ticket was sent, and what was typed into it."""

    number: str
    form: str
    draft: dict[str, Any] | None = None


async def _changed(
    request: Request, session: Transaction, me: Me, target: Target, change: Callable[[], Awaitable[object]]
) -> Response:
    """Make a change and go back to the ticket; where it is refused, show the ticket as it is, with what was typed."""
    try:
        with translating(request.app.state.database.constraint_errors):
            async with session.begin_nested():
                await change()
    except (InvalidError, ConflictError) as error:
        return await _refused(request, session, me, target, error)
    return RedirectResponse(f"/tickets/{quote(target.number, safe='')}", status_code=303)


async def _refused(
    request: Request, session: Transaction, me: Me, target: Target, error: InvalidError | ConflictError
) -> Response:
    session.expunge_all()  # what the refused change left in memory was rolled back
    context = await session.run_sync(thread.ticket, target.number)
    kind = "stale" if isinstance(error, StaleError) else "invalid"
    context["form_error"] = {"form": target.form, "kind": kind, "message": error.message}
    return await show(request, session, me, "workspace/ticket.html", status=error.status, draft=target.draft, **context)
