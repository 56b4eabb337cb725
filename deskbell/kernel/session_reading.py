"""Reading in the transaction of a session, which may write as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from deskbell.kernel.actor import Actor
from deskbell.kernel.database import ACTOR_KEY
from deskbell.kernel.lanes.reading import NO_VALUES, Check, Rows
from deskbell.kernel.lanes.statements import Row, Statement


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: Sequence[Sequence[Any]]

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> Row:
        return tuple(self.rows[index])

    def column(self, index: int) -> list[Any]:
        return [row[index] for row in self.rows]


@dataclass
class SessionReading:
    """See `deskbell.kernel.lanes.reading.Reading`."""

    session: AsyncSession
    _expected: tuple[Statement, Mapping[str, Any], Check] | None = None

    @property
    def actor(self) -> Actor | None:
        """Who acts in the session."""
        actor: Actor | None = self.session.info.get(ACTOR_KEY)
        return actor

    @actor.setter
    def actor(self, actor: Actor | None) -> None:
        self.session.info[ACTOR_KEY] = actor

    async def rows(
        self,
        statement: Statement,
        values: Mapping[str, Any] = NO_VALUES,
        *,
        last: bool = False,  # noqa: ARG002 - the session ends its transaction by itself
    ) -> Rows:
        """Run a statement through the session."""
        await self.settle()
        return _Rows((await self.session.execute(statement.textual, statement.by_position(values))).all())

    def expect(self, statement: Statement, values: Mapping[str, Any], check: Check) -> None:
        """Run a statement before the next one."""
        self._expected = statement, values, check

    async def settle(self) -> None:
        """Run what is expected."""
        if self._expected is not None:
            (statement, values, check), self._expected = self._expected, None
            check(await self.rows(statement, values))
