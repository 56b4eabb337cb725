"""Where somebody is logged in, as they may see and end it themselves."""

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from deskbell.accounts.models import LoginSession
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import NotFoundError


def own_sessions(session: Session) -> Select[LoginSession]:
    """Return the actor's log-in sessions, newest first."""
    mine = select(LoginSession).where(LoginSession.user_id == actor_of(session).user_id)
    return mine.order_by(LoginSession.created_at.desc(), LoginSession.id.desc())


def end_own_session(session: Session, session_id: int) -> None:
    """Log the actor out somewhere. Raises NotFoundError for another one's session, and for none."""
    mine = delete(LoginSession).where(LoginSession.id == session_id, LoginSession.user_id == actor_of(session).user_id)
    if not session.execute(mine.returning(LoginSession.id)).all():
        raise NotFoundError("This session has ended already.")


def session_id_of(session: Session, secret: str) -> int | None:
    """Return which session a secret belongs to. For the system alone, as nobody else may read hashes."""
    return session.scalar(select(LoginSession.id).where(LoginSession.token_hash == hash_token(secret)))
