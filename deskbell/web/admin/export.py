"""The audit log on its way into a file: read in batches, each a transaction of its own, and never all at once."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Row
from sqlalchemy.orm import Session
from starlette.datastructures import State

from deskbell.audit.browsing import ChangeFilter, changes_of_operation, find_changes
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.web.tables import csv_text

BATCH: Final = 1_000
COLUMNS: Final = (
    "id",
    "created_at",
    "operation_id",
    "user_id",
    "user_name",
    "channel",
    "cause",
    "act",
    "table_name",
    "record_id",
    "action",
    "changes",
)
_compact: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(slots=True)
class Export:
    """All changes that fit, newest first; or, with an `operation_id`, those of that operation in their order.

    `state` is the request's: how many were sent is noted there for the access log.
    """

    database: Database
    actor: Actor
    wanted: ChangeFilter
    operation_id: int | None
    state: State

    async def pieces(self, kind: Literal["csv", "jsonl"]) -> AsyncIterator[bytes]:
        """Yield the file."""
        self.state.shown = 0
        if kind == "csv":
            yield csv_text([COLUMNS]).encode()
        async for rows in self._batches():
            self.state.shown += len(rows)
            yield _as_csv(rows) if kind == "csv" else _as_lines(rows)

    async def _batches(self) -> AsyncIterator[Sequence[Row[Any]]]:
        place: int | None = None
        more = True
        while more:
            async with self.database.async_transaction(self.actor) as session:
                rows, place = await session.run_sync(self._read, place)
            more = place is not None
            if rows:
                yield rows

    def _read(self, session: Session, place: int | None) -> tuple[Sequence[Row[Any]], int | None]:
        if self.operation_id is None:
            step = find_changes(session, self.wanted, limit=BATCH, before=place)
            return step.rows, step.before
        rows = changes_of_operation(session, self.operation_id, limit=BATCH, after=place or 0)
        return rows, rows[-1].id if len(rows) == BATCH else None


def _as_csv(rows: Sequence[Row[Any]]) -> bytes:
    return csv_text([_cell(value) for value in _values(row)] for row in rows).encode()


def _as_lines(rows: Sequence[Row[Any]]) -> bytes:
    return b"".join(
        _compact(dict(zip(COLUMNS, map(_plain, _values(row)), strict=True))).encode() + b"\n" for row in rows
    )


def _values(row: Row[Any]) -> list[Any]:
    return [getattr(row, name) for name in COLUMNS]


def _cell(value: Any) -> Any:  # noqa: ANN401 - of any column
    return _compact(value) if isinstance(value, dict | list) else _plain(value)


def _plain(value: Any) -> Any:  # noqa: ANN401 - of any column
    return value.isoformat() if isinstance(value, datetime) else value
