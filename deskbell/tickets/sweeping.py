"""Which files of the storage an attachment has, and which attachments have their file. For the system, which sees all.

A file is stored before the transaction that adds its row, so a file without a row may only be early. Storing one always
touches it, even where the same bytes were there before; so what nobody has touched for `GRACE`, much longer than a
transaction may last, and no row names now, will not be named by one that is still open either.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import islice
from typing import Final

from sqlalchemy import String, column, func, select, table, union
from sqlalchemy.orm import Session

from deskbell.kernel.arrays import in_array
from deskbell.kernel.errors import DeskbellError, NotFoundError
from deskbell.kernel.jobs import add_job
from deskbell.kernel.resources import resources_of
from deskbell.kernel.storage import SHELVES, Piece, Storage
from deskbell.tickets.models import Attachment

SWEEP_ATTACHMENTS: Final = "tickets.sweep_attachments"
GRACE: Final = timedelta(days=1)
_DRAFTS: Final = table("draft_files", column("storage_key", String))
"""By name, as its model lies above: what is about to be attached must not be swept away before."""
_AT_ONCE: Final = 1000
_FILES: Final = 2000
_CHUNK: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """What the rows say of one file, which several attachments may have."""

    key: str
    sha256: str
    size: int
    attachment_id: int
    """The first of them."""
    agree: bool
    """Whether they all say the same."""


def unreferenced(session: Session, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield the pieces that neither an attachment nor a draft has. One that cannot say what it holds is left out."""
    while some := list(islice(pieces, _AT_ONCE)):
        keys = {piece.key for piece in some if piece.key}
        places = Attachment.__table__.c.storage_key, _DRAFTS.c.storage_key
        named = set(session.scalars(union(*(select(key).where(in_array(key, keys)) for key in places))))
        yield from (piece for piece in some if piece.key and piece.key not in named)


def sweep_attachments(session: Session, shelf: int = 0) -> int:
    """Remove the files that no attachment has and nobody has put for a day, and add a job for further shelves."""
    resources = resources_of(session)
    storage, before = resources.storage, resources.clock.now() - GRACE
    looked_at = removed = 0
    for number in range(shelf, SHELVES):
        old = [piece for piece in storage.shelf(number) if piece.modified < before]
        removed += sum(storage.discard(piece, before) for piece in unreferenced(session, iter(old)))
        looked_at += len(old)
        if looked_at >= _FILES and number + 1 < SHELVES:
            add_job(session, SWEEP_ATTACHMENTS, shelf=number + 1, priority=-10)
            break
    return removed


def stored(session: Session, after: str = "", *, at_most: int = _AT_ONCE) -> list[Stored]:
    """Return what the rows say of the next files, by key, each once."""
    row = Attachment
    agree = (func.min(row.sha256) == func.max(row.sha256)) & (func.min(row.size) == func.max(row.size))
    statement = (
        select(row.storage_key, func.min(row.sha256), func.max(row.size), func.min(row.id), agree)
        .where(row.storage_key > after)
        .group_by(row.storage_key)
        .order_by(row.storage_key)
        .limit(at_most)
    )
    return [Stored(*found) for found in session.execute(statement)]


def fault_of(storage: Storage, expected: Stored, *, read: bool) -> str | None:
    """Return what is wrong with a file, or None. Without `read` it is only looked for, not read."""
    if not expected.agree:
        return "several attachments have it, and say different things of it"
    try:
        if not read:
            return None if storage.exists(expected.key) else "missing"
        digest, size = sha256(), 0
        with storage.open(expected.key) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except NotFoundError:
        return "missing"
    except DeskbellError as error:
        return error.message
    right = (digest.hexdigest(), size) == (expected.sha256, expected.size)
    return None if right else "the content is not what was stored"
