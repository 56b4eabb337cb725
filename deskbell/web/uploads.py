"""Files on their way in: the bytes go to the storage first, in a thread; the row of an attachment makes them belong."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Final

import structlog
from anyio import to_thread
from fastapi import Depends, Request, UploadFile

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError
from deskbell.kernel.resources import Resources
from deskbell.kernel.storage import sniff
from deskbell.kernel.text import clean
from deskbell.tickets.files import StoredFile, is_kept

log = structlog.get_logger("deskbell.web")
_SYSTEM: Final = Actor.system(Channel.WEB, act="remove refused uploads")


@dataclass(frozen=True, slots=True)
class Uploads:
    """What one request brings. What no attachment has when its transaction has ended is removed again."""

    database: Database
    tools: Resources
    keys: set[str] = field(default_factory=set)

    async def store(self, upload: UploadFile) -> StoredFile:
        """Keep the bytes of an upload. What the client says of their type is not believed. Raises TooLargeError."""
        name, put = clean(upload.filename or ""), self.tools.storage.put
        blob = await to_thread.run_sync(partial(put, upload.file, max_bytes=self.tools.attachment_bytes))
        self.keys.add(blob.key)
        return StoredFile(blob, name, sniff(blob.head, name))

    async def tidy(self) -> None:
        """Remove what was refused. Where that fails it is logged: the request has its answer."""
        try:
            async with self.database.async_transaction(_SYSTEM) as session:
                refused = [key for key in self.keys if not await session.run_sync(is_kept, key)]
            for key in refused:
                await to_thread.run_sync(self.tools.storage.delete, key)
        except DeskbellError as error:
            log.warning("refused uploads stay in the storage", keys=sorted(self.keys), reason=str(error))


async def open_inbox(request: Request) -> AsyncIterator[Uploads]:
    """Open the request's inbox. To be named before its transaction, so that it is closed after it."""
    inbox = Uploads(request.app.state.database, request.app.state.resources)
    try:
        yield inbox
    finally:
        if inbox.keys:
            await inbox.tidy()


Inbox = Annotated[Uploads, Depends(open_inbox, scope="function")]
