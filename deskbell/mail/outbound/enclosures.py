"""The files of an answer: which go along with its mail, which are only named, and which pictures its letter shows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from deskbell.kernel.resources import resources_of
from deskbell.kernel.text import human_bytes
from deskbell.mail.outbound.mime import File
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage
from deskbell.tickets.models import Attachment

_PICTURE: Final = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_SHOWN: Final = re.compile(r"""\bsrc\s*=\s*["']?cid:([^"'\s>]+)""", re.IGNORECASE)
_CONTENT_ID: Final = re.compile(r"[\w.!#$%&*+/=?^{|}~@-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What goes along, and what does not: for want of room, or as it is not in the storage any more."""

    along: tuple[Attachment, ...] = ()
    left: tuple[Attachment, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """Name what does not go along."""
        return tuple(f"{file.file_name} ({human_bytes(file.size)})" for file in self.left)

    def files(self, html: str) -> tuple[File, ...]:
        """Return what goes along; what the letter shows has its Content-ID."""
        shown = shown_in(html)
        return tuple(
            File(each.storage_key, each.file_name, each.media_type, _shown_as(each, shown)) for each in self.along
        )


def enclosed_with(session: Session, message: OutboundMessage) -> Enclosed:
    """Return the files of the comment that a message tells of. Only customers get them; the desk has its pages."""
    if message.comment_id is None:
        return Enclosed()
    its = select(Attachment).where(Attachment.comment_id == message.comment_id).order_by(Attachment.id)
    files = session.scalars(its).all()
    if message.kind is not OutboundKind.ANSWERED:
        return Enclosed(left=tuple(files))
    resources, room = resources_of(session), resources_of(session).reach.attach_bytes
    along: list[Attachment] = []
    for file in files:
        if file.size <= room and resources.storage.exists(file.storage_key):
            along.append(file)
            room -= file.size
    return Enclosed(tuple(along), tuple(file for file in files if file not in along))


def with_pictures(html: str, along: Iterable[Attachment]) -> str:
    """Leave pictures that come along, and an agent's from elsewhere; one that is nowhere would show as broken."""
    known = {file.content_id for file in along if file.content_id}

    def kept(found: re.Match[str]) -> str:
        inside = _SHOWN.search(found[0])
        return found[0] if inside is None or inside[1] in known else ""

    return _PICTURE.sub(kept, html)


def without_pictures(html: str) -> str:
    """Show no picture that others chose: fetching it would tell them who reads."""
    return _PICTURE.sub("", html)


def shown_in(html: str) -> frozenset[str]:
    """Return the Content-IDs that a letter shows."""
    return frozenset(_SHOWN.findall(html))


def _shown_as(file: Attachment, shown: frozenset[str]) -> str:
    name = file.content_id or ""
    return name if name in shown and _CONTENT_ID.fullmatch(name) else ""
