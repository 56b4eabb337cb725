"""Files that came with a ticket or a comment. The bytes are stored before the row that makes them belong."""

from functools import partial
from typing import Annotated, Any

from fastapi import File, Request, Response, UploadFile

from deskbell.tickets.files import attach, check_place
from deskbell.tickets.queries import get_attachment
from deskbell.web.dependencies import Tools, Transaction
from deskbell.web.downloads import download
from deskbell.web.problems import problem_responses
from deskbell.web.routes import PREFIX, api_router
from deskbell.web.schemas.base import Number, PathId
from deskbell.web.schemas.tickets import AttachmentOut
from deskbell.web.uploads import Inbox

router = api_router("", "attachments")
Upload = Annotated[UploadFile, File(description="The file. Its type is found by looking into it.")]
UPLOAD_PROBLEMS = problem_responses(409, 413)
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes", "content": {"*/*": {"schema": {"format": "binary"}}}},
    304: {"description": "Not changed"},
}


@router.post("/tickets/{number}/attachments", status_code=201, summary="Attach to a ticket", responses=UPLOAD_PROBLEMS)
async def attach_to_ticket(
    response: Response, inbox: Inbox, session: Transaction, number: Number, file: Upload
) -> AttachmentOut:
    """Attach a file to a ticket's first message."""
    await session.run_sync(check_place, number)  # before the bytes are stored for nothing
    attachment = await session.run_sync(attach, number, await inbox.store(file))
    response.headers["Location"] = f"{PREFIX}/attachments/{attachment.id}"
    return AttachmentOut.of(attachment)


@router.post(
    "/tickets/{number}/comments/{comment_id}/attachments",
    status_code=201,
    summary="Attach to a comment",
    responses=UPLOAD_PROBLEMS,
)
async def attach_to_comment(
    response: Response, inbox: Inbox, session: Transaction, number: Number, comment_id: PathId, file: Upload
) -> AttachmentOut:
    """Attach a file to a comment."""
    await session.run_sync(partial(check_place, number=number, comment_id=comment_id))
    attachment = await session.run_sync(attach, number, await inbox.store(file), comment_id=comment_id)
    response.headers["Location"] = f"{PREFIX}/attachments/{attachment.id}"
    return AttachmentOut.of(attachment)


@router.get("/attachments/{attachment_id}", summary="About an attachment")
async def read_attachment(session: Transaction, attachment_id: PathId) -> AttachmentOut:
    """Return what is known of an attachment."""
    return AttachmentOut.of(await session.run_sync(get_attachment, attachment_id))


@router.get("/attachments/{attachment_id}/content", response_class=Response, summary="The bytes", responses=CONTENT)
async def read_content(request: Request, session: Transaction, tools: Tools, attachment_id: PathId) -> Response:
    """Stream an attachment. Only pictures, plain text and PDF are shown by browsers; all else is downloaded."""
    attachment = await session.run_sync(get_attachment, attachment_id)
    return await download(request, attachment, tools)
