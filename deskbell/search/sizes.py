"""How large a desk is, by PostgreSQL's own estimate, remembered for a minute: by it searches choose their windows."""

from time import monotonic
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import BigInteger, Engine, text
from sqlalchemy.orm import Session

from deskbell.search.queries import Prepared
from deskbell.search.windows import WINDOW, window_for

LASTS: Final = 60.0
"""Seconds for which the size of a desk is remembered."""
SIZE: Final = text("select cast(reltuples as bigint) as size from pg_class where oid = to_regclass('tickets')").columns(
    size=BigInteger
)
"""About so many tickets; -1 where nobody has counted yet."""


class Window:
    """The window of a desk: `size` is how many tickets are looked at one by one."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.size, self._until = WINDOW, 0.0

    @property
    def is_known(self) -> bool:
        """Whether the desk was measured lately."""
        return monotonic() < self._until

    def learn(self, tickets: float) -> int:
        """Remember a window for so many tickets, and return it."""
        self.size, self._until = window_for(tickets), monotonic() + LASTS
        return self.size


_WINDOWS: Final = WeakKeyDictionary[Engine, Window]()


def window_of(session: Session, prepared: Prepared) -> int:
    """Return the window to look for a query's words in. Sends one statement now and then, where there are words."""
    if prepared.text is None:
        return WINDOW
    window = _WINDOWS.setdefault(session.get_bind().engine, Window())
    return window.size if window.is_known else window.learn(session.execute(SIZE).scalar_one())
