"""Of what people of the desk hear by mail: what everybody gets, and what each has chosen instead."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.mail.outbound.models import DESK_NOTICES, NoticeChoice, OutboundKind

DEFAULTS: Final[Mapping[OutboundKind, bool]] = {
    OutboundKind.OPENED: True,
    OutboundKind.REPLIED: True,
    OutboundKind.ASSIGNED: True,
    OutboundKind.MENTIONED: True,
    OutboundKind.UNDELIVERED: True,
}
"""What is told to who has chosen nothing, in the order in which it is shown."""


def choices_of(session: Session, user_id: int) -> dict[OutboundKind, bool]:
    """Return for each kind of notice whether somebody wants it. Others' are seen by the system alone."""
    chosen = select(NoticeChoice.kind, NoticeChoice.by_mail).where(NoticeChoice.user_id == user_id)
    return {**DEFAULTS, **{row.kind: row.by_mail for row in session.execute(chosen)}}


def choose(session: Session, kind: OutboundKind, by_mail: bool) -> None:  # noqa: FBT001 - the choice itself
    """Say whether the actor wants to be told of this by mail. Raises ForbiddenError, InvalidError."""
    actor = actor_of(session)
    if actor.user_id is None or not actor.is_staff:
        raise ForbiddenError("Only the desk's people choose of what they hear.")
    if kind not in DESK_NOTICES:
        raise InvalidError("Nobody chooses whether this is sent.", field="kind")
    row = insert(NoticeChoice).values(user_id=actor.user_id, kind=kind, by_mail=by_mail)
    session.execute(row.on_conflict_do_update(index_elements=["user_id", "kind"], set_={"by_mail": by_mail}))


def wants(session: Session, user_id: int, kind: OutboundKind) -> bool:
    """Say whether somebody wants to be told of this by mail."""
    chosen = session.get(NoticeChoice, (user_id, kind))
    return DEFAULTS[kind] if chosen is None else chosen.by_mail
