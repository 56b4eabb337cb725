"""What the portal's forms bring: text that may be Markdown, files, and the key that makes a second click harmless."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell.kernel.database import translating
from deskbell.kernel.errors import InvalidError
from deskbell.tickets.bodies import Body
from deskbell.tickets.files import StoredFile
from deskbell.tickets.models import BodyFormat
from deskbell.web.bodies import read_body
from deskbell.web.i18n import gettext as _
from deskbell.web.portal.once import first_answer, keep_answer
from deskbell.web.schemas.base import Text
from deskbell.web.uploads import Uploads

MAXIMUM_CONTENT: Final = 1_000_000
MAXIMUM_FILES: Final = 20


class Message(BaseModel):
    """The fields that a request and a reply share."""

    content: Text = Field("", max_length=MAXIMUM_CONTENT)
    files: list[UploadFile] = []
    once: str = Field("", max_length=200)


class Question(Message):
    """A new request."""

    title: Text = Field("", max_length=5000)


@dataclass(frozen=True, slots=True)
class Contents:
    """A message that was read, and its files."""

    body: Body
    files: Sequence[StoredFile]


async def read_message(form: Message, inbox: Uploads) -> Contents:
    """Read what was written, then store the files: not for nothing. Raises InvalidError that names the field."""
    body = await read_body(form.content, BodyFormat.MARKDOWN)
    sent = [file for file in form.files if file.filename]
    if len(sent) > MAXIMUM_FILES:
        raise InvalidError(_("At most %(most)s files go with one message.") % {"most": MAXIMUM_FILES}, field="files")
    try:
        return Contents(body, [await inbox.store(file) for file in sent])
    except InvalidError as error:
        raise InvalidError(error.message, field="files") from error


async def send_once(request: Request, session: AsyncSession, key: str, make: Callable[[Session], str]) -> Response:
    """Call `make` unless this very form was sent before, and lead to where it says, or said then."""

    def change(plain: Session) -> Response:
        row_id, before = first_answer(plain, key, request.url.path)
        if before:
            return RedirectResponse(before, status_code=303)
        answer = RedirectResponse(make(plain), status_code=303)
        if row_id is not None:
            keep_answer(plain, row_id, answer)
        return answer

    with translating(request.app.state.database.constraint_errors):
        async with session.begin_nested():
            return await session.run_sync(change)
