"""Plans of statements whose best way depends on their values."""

from sqlalchemy import text
from sqlalchemy.orm import Session

PLANNED = "deskbell.planned_for_values"
"""Set in `session.info` by an edge whose first statement has asked for such plans already."""

_FOR_VALUES = text("select set_config('plan_cache_mode', 'force_custom_plan', true)")


def plan_for_values(session: Session) -> None:
    """Have the transaction's statements planned with their values, however often a connection has sent them before.

    The sixth time PostgreSQL may settle for one plan for all values. For a search that means the same way for a word
    that is in every ticket and for one that is in none. Sends one statement, the first time.
    """
    if not session.info.get(PLANNED):
        session.execute(_FOR_VALUES)
        session.info[PLANNED] = True
