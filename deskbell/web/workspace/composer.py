"""The composer: sending with a grace, drafts, files, preview. Each works as a plain form; scripts get JSON."""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response, UploadFile
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from deskbell.accounts.models import Role
from deskbell.composing import actions
from deskbell.composing.actions import Written
from deskbell.composing.guard import Seen, check_seen
from deskbell.composing.queries import get_file
from deskbell.kernel.errors import InvalidError
from deskbell.tickets.files import check_place
from deskbell.tickets.models import BodyFormat, TicketStatus
from deskbell.web.bodies import read_body
from deskbell.web.dependencies import STAFF_ONLY, Me, Tools, Transaction
from deskbell.web.downloads import download
from deskbell.web.pages.rendering import render
from deskbell.web.schemas.base import Text
from deskbell.web.uploads import Inbox
from deskbell.web.workspace import thread
from deskbell.web.workspace.forms import Target, changed, is_script, refused
from deskbell.web.workspace.frame import show

router = APIRouter(include_in_schema=False)
MAXIMUM_CONTENT = 1_000_000
COMPOSER = "#content"
FileId = Annotated[int, Path(ge=1, lt=2**63)]


class Composed(BaseModel):
    """The composer's fields. Of a select, the first choice is empty: leave it as it is. `version` is customers'."""

    version: int = Field(1, ge=1, lt=2**63)
    content: Text = Field("", max_length=MAXIMUM_CONTENT)
    is_internal: bool = False
    status: TicketStatus | Literal[""] = ""
    revision: int = Field(0, ge=0, lt=2**63)
    seen_comment: int | None = Field(None, ge=0, lt=2**63)
    seen_status: TicketStatus | None = None
    seen_requester: int | None = Field(None, ge=1, lt=2**63)
    seen_copy: int | None = Field(None, ge=0, lt=2**63)
    files: list[UploadFile] = []

    @property
    def written(self) -> Written:
        """What was typed."""
        return Written(self.content, self.is_internal, self.status or None)

    @property
    def seen(self) -> Seen:
        """What was before the writer's eyes."""
        return Seen(self.seen_comment, self.seen_status, self.seen_requester, self.seen_copy)

    @property
    def uploads(self) -> list[UploadFile]:
        """The files that were chosen: a form without any sends one without a name."""
        return [file for file in self.files if file.filename]

    def typed(self) -> dict[str, Any]:
        """What goes back into a refused form."""
        return self.model_dump(include={"content", "is_internal", "status", "revision"})


Sent = Annotated[Composed, Form()]


@router.post("/tickets/{number}/reply")
async def send_message(
    request: Request, inbox: Inbox, session: Transaction, me: Me, tools: Tools, number: str, form: Sent
) -> Response:
    """Send, or begin the grace. Files are stored once the message was accepted, not for nothing."""

    async def change() -> None:
        if me.role is Role.CUSTOMER:
            await _reply(inbox, session, number, form)
            return
        if form.uploads:
            await _accept(session, number, form)
            await _keep_files(inbox, session, number, form)
        send = partial(actions.send, written=form.written, seen=form.seen, now=tools.clock.now(), grace=tools.undo)
        await session.run_sync(send, number)

    anchor = "#waiting" if tools.undo else COMPOSER
    return await changed(request, session, me, Target(number, "reply", form.typed(), anchor), change)


@router.post("/tickets/{number}/undo", dependencies=[STAFF_ONLY])
async def call_back(request: Request, session: Transaction, me: Me, tools: Tools, number: str) -> Response:
    """Put the message on its way back into the composer."""
    change = partial(session.run_sync, partial(actions.call_back, number=number, now=tools.clock.now()))
    return await changed(request, session, me, Target(number, "undo", anchor=COMPOSER), change)


@router.post("/tickets/{number}/draft", dependencies=[STAFF_ONLY])
async def save_draft(
    request: Request, inbox: Inbox, session: Transaction, me: Me, tools: Tools, number: str, form: Sent
) -> Response:
    """Keep what is typed."""
    save = partial(actions.save, number=number, written=form.written, revision=form.revision, now=tools.clock.now())
    if is_script(request):
        saved = await session.run_sync(save)
        return JSONResponse({"revision": saved.revision, "replaced": saved.replaced})

    async def change() -> None:
        await session.run_sync(save)
        await _keep_files(inbox, session, number, form)

    return await changed(request, session, me, Target(number, "reply", form.typed(), COMPOSER), change)


@router.post("/tickets/{number}/draft/discard", dependencies=[STAFF_ONLY])
async def discard_draft(request: Request, session: Transaction, me: Me, number: str) -> Response:
    """Throw away what was typed."""
    change = partial(session.run_sync, actions.discard, number)
    return await changed(request, session, me, Target(number, "reply", anchor=COMPOSER), change)


@router.post("/tickets/{number}/draft/files", dependencies=[STAFF_ONLY])
async def upload(
    request: Request, inbox: Inbox, session: Transaction, number: str, file: Annotated[UploadFile, Form()]
) -> Response:
    """Put a file to the draft, for a script; the answer is the file as the composer shows it."""
    await session.run_sync(check_place, number)
    kept = await session.run_sync(actions.add_file, number, await inbox.store(file))
    base = f"/tickets/{number}"
    return render(request, "workspace/_draft_file.html", file=thread.draft_file(kept, number), base=base)


@router.get("/tickets/{number}/draft/files/{file_id}", dependencies=[STAFF_ONLY])
async def show_file(request: Request, session: Transaction, tools: Tools, number: str, file_id: FileId) -> Response:  # noqa: ARG001 - a part of the address
    """Send a file of one's draft."""
    return await download(request, await session.run_sync(get_file, file_id), tools)


@router.post("/tickets/{number}/draft/files/{file_id}/remove", dependencies=[STAFF_ONLY])
async def remove_file(
    request: Request, session: Transaction, me: Me, tools: Tools, number: str, file_id: FileId, form: Sent
) -> Response:
    """Take a file off the draft, and keep what is typed."""

    async def change() -> None:
        await session.run_sync(actions.remove_file, file_id)
        save = partial(actions.save, number=number, written=form.written, revision=form.revision, now=tools.clock.now())
        await session.run_sync(save)

    if is_script(request):
        await session.run_sync(actions.remove_file, file_id)
        return Response(status_code=204)
    return await changed(request, session, me, Target(number, "reply", form.typed(), COMPOSER), change)


@router.post("/tickets/{number}/preview", dependencies=[STAFF_ONLY])
async def preview(request: Request, session: Transaction, me: Me, number: str, form: Sent) -> Response:
    """Show what would be sent."""
    try:
        body = await read_body(form.content, BodyFormat.MARKDOWN)
    except InvalidError as error:
        if is_script(request):
            raise
        return await refused(request, session, me, Target(number, "reply", form.typed()), error)
    shown = {"html": body.html, "is_internal": form.is_internal}
    if is_script(request):
        return render(request, "workspace/_preview.html", preview=shown)
    context = await session.run_sync(thread.ticket, number)
    return await show(request, session, me, "workspace/ticket.html", preview=shown, typed=form.typed(), **context)


async def _accept(session: Transaction, number: str, form: Composed) -> None:
    """Raise what sending would raise, before anything is stored."""
    await read_body(form.content, BodyFormat.MARKDOWN)
    await session.run_sync(check_seen, number, form.seen)


async def _keep_files(inbox: Inbox, session: Transaction, number: str, form: Composed) -> None:
    for file in form.uploads:
        await session.run_sync(actions.add_file, number, await inbox.store(file))


async def _reply(inbox: Inbox, session: Transaction, number: str, form: Composed) -> None:
    message = thread.Message(form.content, form.status or None)
    sent = await session.run_sync(thread.send, number, message, form.version)
    for file in form.uploads:
        await session.run_sync(thread.attach, *sent, await inbox.store(file))
