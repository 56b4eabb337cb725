"""What people's accounts do when something happens."""

from sqlalchemy.orm import Session

from deskbell.accounts.events import PasswordChanged, UserDeactivated
from deskbell.accounts.login import close_all_sessions


def log_out_everywhere(session: Session, event: PasswordChanged | UserDeactivated) -> None:
    """Whoever stole the old password is out as well."""
    close_all_sessions(session, event.user_id)
