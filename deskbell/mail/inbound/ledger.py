"""Taking mail in: the raw message is written down before anybody reads it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, undefer

from deskbell.mail.inbound.models import Arrival, InboundMessage, MailState


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lies on an IMAP server (RFC 9051, 2.3.1.1): `folder_id` names a `MailboxFolder`."""

    folder_id: int
    uid_validity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a mail server says of a message (RFC 5321): who it says it is from, and to whom.

    `sender` is empty where nobody is to be answered, as for a bounce, and None where it was not told.
    """

    sender: str | None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is in the ledger, and whether it is there only now."""

    id: int
    is_new: bool


def receive(
    session: Session,
    raw: bytes,
    *,
    source: str,
    mailbox_id: int | None = None,
    place: Place | None = None,
    envelope: Envelope | None = None,
    is_delivered: bool = True,
) -> Taken:
    """Write a message down, and how it came; the very same bytes are written down once.

    What is not delivered lay in files: nobody is told of it, and it is not held back, however much there is of it.
    The caller commits before it lets go of the message at its source, and has it filed in a transaction of its own.
    """
    taken = _write_down(session, raw, source)
    arrival: dict[str, Any] = {"inbound_id": taken.id, "source": source, "mailbox_id": mailbox_id}
    arrival["is_delivered"] = is_delivered
    if place is not None:
        arrival |= {"folder_id": place.folder_id, "uid_validity": place.uid_validity, "uid": place.uid}
    if envelope is not None:
        arrival |= {"envelope_from": envelope.sender, "envelope_to": list(envelope.recipients)}
    session.execute(insert(Arrival).values(arrival).on_conflict_do_nothing())
    return taken


def receive_many(session: Session, messages: Mapping[Place, bytes], *, source: str, mailbox_id: int) -> list[Taken]:
    """Do the same for messages that lie on a server, in two or three statements however many they are.

    Their `source` is followed by what names each one there. Return them in the same order.
    """
    digests = {place: hashlib.sha256(raw).hexdigest() for place, raw in messages.items()}
    sources = {place: f"{source};UIDVALIDITY={place.uid_validity}/;UID={place.uid}" for place in messages}
    rows = {
        digests[place]: {"raw": raw, "sha256": digests[place], "size": len(raw), "source": sources[place]}
        for place, raw in messages.items()
    }
    if not rows:
        return []
    statement = insert(InboundMessage).on_conflict_do_nothing().returning(InboundMessage.sha256, InboundMessage.id)
    ids: dict[str, int] = dict(session.execute(statement, list(rows.values())).all())
    new = set(ids)
    if others := rows.keys() - new:
        known = select(InboundMessage.sha256, InboundMessage.id).where(InboundMessage.sha256.in_(others))
        ids |= dict(session.execute(known).all())
    arrivals = [
        {
            "inbound_id": ids[digest],
            "source": sources[place],
            "mailbox_id": mailbox_id,
            "folder_id": place.folder_id,
            "uid_validity": place.uid_validity,
            "uid": place.uid,
        }
        for place, digest in digests.items()
    ]
    session.execute(insert(Arrival).on_conflict_do_nothing(), arrivals)
    return [Taken(ids[digest], is_new=digest in new) for digest in digests.values()]


def _write_down(session: Session, raw: bytes, source: str) -> Taken:
    digest = hashlib.sha256(raw).hexdigest()
    row = {"raw": raw, "sha256": digest, "size": len(raw), "source": source}
    statement = insert(InboundMessage).values(row).on_conflict_do_nothing().returning(InboundMessage.id)
    written = session.scalar(statement)
    if written is not None:
        return Taken(written, is_new=True)
    known = session.scalars(select(InboundMessage.id).where(InboundMessage.sha256 == digest)).one()
    return Taken(known, is_new=False)


def unread() -> Select[int]:
    """Return the ids of the messages that nobody has filed yet, in the order in which they came."""
    return select(InboundMessage.id).where(InboundMessage.state == MailState.RECEIVED).order_by(InboundMessage.id)


def lock_unread(session: Session, message_id: int) -> InboundMessage | None:
    """Load a message in order to file it; None when it is filed, or somebody else is about to."""
    statement = (
        select(InboundMessage)
        .where(InboundMessage.id == message_id, InboundMessage.state == MailState.RECEIVED)
        .options(undefer(InboundMessage.raw))
        .with_for_update(skip_locked=True)
    )
    return session.scalar(statement)
