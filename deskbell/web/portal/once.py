"""A form that is sent twice does what it does once: the key that was shown with it is claimed in its transaction."""

import hashlib
from typing import Final

from sqlalchemy.orm import Session

from deskbell.kernel.crypto import new_token
from deskbell.kernel.database import actor_of
from deskbell.web.idempotency import AlreadyAnsweredError, Attempt, claim, keep_answer

PREFIX: Final = "dbf"


def new_key() -> str:
    """Return the key of a form that is about to be shown."""
    return new_token(PREFIX)


def first_answer(session: Session, key: str, path: str) -> tuple[int | None, str]:
    """Claim a form's key: (its row, "") for the first who sends it; (None, where that led) for whoever comes again.

    A form without a key of ours is sent as often as it comes.
    """
    user_id = actor_of(session).user_id
    if user_id is None or not key.startswith(PREFIX) or len(key) > 100:  # noqa: PLR2004 - ours have 47
        return None, ""
    attempt = Attempt(f"form {key}", hashlib.sha256(path.encode()).digest())
    try:
        return claim(session, user_id, attempt), ""
    except AlreadyAnsweredError as answered:
        return None, answered.response.headers.get("Location", "")


__all__ = ["first_answer", "keep_answer", "new_key"]
