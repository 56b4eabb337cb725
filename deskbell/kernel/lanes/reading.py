"""A read-only transaction in which somebody acts, reduced to what a page needs: statements in, rows out.

`deskbell.kernel.lanes.lane` does it in the fewest round trips; `SessionReading` does the same where there is a session.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from deskbell.kernel.actor import Actor
from deskbell.kernel.lanes.statements import Row, Statement


class Rows(Protocol):
    """What a statement found. Values are read from what the server sent when they are asked for."""

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def row(self, index: int) -> Row:
        """Return a row."""
        ...

    def column(self, index: int) -> list[Any]:
        """Return one column of all rows."""
        ...


Check = Callable[[Rows], None]
NO_VALUES: Final[Mapping[str, Any]] = {}


class Reading(Protocol):
    """One transaction. `actor` is set by whoever has found out who acts."""

    actor: Actor | None

    async def rows(self, statement: Statement, values: Mapping[str, Any] = NO_VALUES, *, last: bool = False) -> Rows:
        """Run a statement with these values of its parameters. `last`: nothing follows, so the transaction may end."""
        ...

    def expect(self, statement: Statement, values: Mapping[str, Any], check: Check) -> None:
        """Run a statement together with the next one. `check` raises where its rows are not as they were expected."""
        ...

    async def settle(self) -> None:
        """Run what is expected by itself, where nothing else was run."""
        ...
