"""Rows of the server's own functions, as dataclasses."""

from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import BigInteger, BindParameter, ColumnClause, Integer, Interval, Text, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

T = TypeVar("T")
_TYPES = {"most": Integer, "before": BigInteger, "wanted": BigInteger, "longer_than": Interval}


def rows_of(session: Session, kind: type[T], function: str, **arguments: Any) -> tuple[T, ...]:  # noqa: ANN401 - as it takes
    """Call a function of the schema; its columns are the fields of `kind`, and its arguments are given in order."""
    columns = [_column(field.name) for field in fields(kind)]  # type: ignore[arg-type]  # a dataclass
    called = getattr(func, function)(*(_argument(*one) for one in arguments.items())).table_valued(*columns)
    return tuple(kind(*row) for row in session.execute(select(*called.c)))


def _column(name: str) -> ColumnClause[Any]:
    """Drivers differ in how they give JSON; all else they give alike."""
    return column(name, JSONB) if name == "arguments" else column(name)


def _argument(name: str, value: object) -> BindParameter[Any]:
    """Big whole numbers, and nulls, need their types said."""
    return bindparam(name, value, type_=_TYPES.get(name, Text))
