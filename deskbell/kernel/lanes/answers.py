"""Rows as libpq holds them: values are read from what the server sent when they are asked for."""

from collections.abc import Sequence
from typing import Any

from psycopg.pq.abc import PGresult

from deskbell.kernel.lanes.statements import Decode, Row


class Answer:
    """The rows of one result; see `deskbell.kernel.lanes.reading.Rows`."""

    def __init__(self, result: PGresult, decoders: Sequence[Decode]) -> None:
        """`decoders` read the columns, in order."""
        self._result, self._decoders = result, decoders

    def __len__(self) -> int:
        """Count the rows."""
        return self._result.ntuples

    def row(self, index: int) -> Row:
        """Return a row."""
        value = self._result.get_value
        return tuple(
            [None if (found := value(index, at)) is None else read(found) for at, read in enumerate(self._decoders)]
        )

    def column(self, index: int) -> list[Any]:
        """Return one column of all rows."""
        value, read = self._result.get_value, self._decoders[index]
        return [None if (found := value(at, index)) is None else read(found) for at in range(len(self))]
