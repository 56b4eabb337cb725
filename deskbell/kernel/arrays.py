"""Many values as one parameter: `= ANY(array)` where `IN (...)` would meet the drivers' limit of parameters."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine


def in_array(
    column: ColumnElement[Any], values: Iterable[object], kind: TypeEngine[Any] | None = None
) -> ColumnElement[bool]:
    """Say that the column has one of the values; the statement is the same however many there are.

    `kind` is the column's type where it is an expression that has none of its own.
    """
    return column == any_(literal(list(values), ARRAY(kind or column.type)))
