"""Jobs of the tickets' slice."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deskbell.kernel.jobs import add_job

KEEP_FIGURES = "tickets.keep_figures"
MOST_DAYS: Final = 100
"""That changed, counted anew by one run: half a second on a desk of a million tickets."""
MOST_TICKETS: Final = 30_000
"""Of days that have no figures yet, counted by one run."""


def keep_figures(session: Session, most_days: int = MOST_DAYS, most_tickets: int = MOST_TICKETS) -> bool:
    """Count the days anew whose tickets changed, and those without figures; where more are left, add a job for them."""
    statement = select(func.deskbell_keep_figures(most_days, most_tickets))
    more: bool = session.execute(statement).scalar_one()
    if more:
        add_job(session, KEEP_FIGURES, lock=KEEP_FIGURES, priority=-10)
    return more
