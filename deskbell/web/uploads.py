"""Files on their way in: the bytes go to the storage first, in a thread; the row of an attachment makes them belong.

What is refused after that belongs to nobody, and goes with `tickets.sweep_attachments`: to remove it here could take it
from another transaction, which has just stored the same bytes and not ended yet.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Request, UploadFile

from deskbell.kernel.resources import Resources
from deskbell.kernel.storage import sniff
from deskbell.kernel.text import clean
from deskbell.tickets.files import StoredFile


@dataclass(frozen=True, slots=True)
class Uploads:
    """What one request brings."""

    tools: Resources

    async def store(self, upload: UploadFile) -> StoredFile:
        """Keep the bytes of an upload. What the client says of their type is not believed. Raises TooLargeError."""
        name, put = clean(upload.filename or ""), self.tools.storage.put
        blob = await to_thread.run_sync(partial(put, upload.file, max_bytes=self.tools.attachment_bytes))
        return StoredFile(blob, name, sniff(blob.head, name))


async def inbox(request: Request) -> Uploads:
    """Return where the request's files go."""
    return Uploads(request.app.state.resources)


Inbox = Annotated[Uploads, Depends(inbox)]
