"""JSON that PostgreSQL writes itself, as expressions over columns: what a reader is sent needs neither ORM nor parsing.

Objects are written with `concat`: `json_build_object` looks up anew, for each row, how to write each of its arguments.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Dialect,
    Enum,
    Integer,
    Text,
    cast,
    func,
    literal_column,
    type_coerce,
)
from sqlalchemy.types import TypeDecorator

Column = ColumnElement[Any]
Member = Column | str
"""A column to be written by its type, or JSON as it is."""

NULL: Final = "null"
EMPTY: Final = "[]"
_NULL_JSON: Column = literal_column("'null'::json")
_MOMENT: Column = literal_column("""'\\"YYYY-MM-DD"T"HH24:MI:SS.US"Z\\""'""")
_WHOLE_SECOND: tuple[Column, Column] = literal_column("'.000000Z'"), literal_column("'Z'")


class Json(TypeDecorator[bytes]):
    """JSON as the server wrote it, in UTF-8."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - the signature
        """Encode what the driver has decoded."""
        return None if value is None else value.encode()


def json_object(members: Mapping[str, Member]) -> ColumnElement[bytes]:
    """Write an object. A column's type says how its values are written, and NULL is `null`; a document is never NULL.

    Names need no escaping.
    """
    pieces: list[Column] = []
    before = "{"
    for name, member in members.items():
        if isinstance(member, str):
            before += f'"{name}":{member},'
        elif _needs_quotes_alone(member):
            pieces += [_literal(f'{before}"{name}":"'), member]
            before = '",'
        else:
            pieces += [_literal(f'{before}"{name}":'), _written(member)]
            before = ","
    return type_coerce(func.concat(*pieces, _literal(before.removesuffix(",") + "}")), Json)


def json_array(documents: ColumnElement[bytes], *order: Column) -> ColumnElement[bytes]:
    """Write the documents of a group as an array; `order` sorts them."""
    joined = func.string_agg(documents, _literal(",")).aggregate_order_by(*order)
    return type_coerce(func.concat(_literal("["), joined, _literal("]")), Json)


def json_or(document: ColumnElement[Any], otherwise: str) -> ColumnElement[bytes]:
    """Write a document, or, where there is none, other JSON."""
    return type_coerce(func.coalesce(document, _literal(otherwise)), Json)


def _needs_quotes_alone(column: Column) -> bool:
    """Whether it is one of a few words, which the database checks: nothing in them is to be escaped."""
    return isinstance(column.type, Enum) and not _may_be_null(column)


def _written(column: Column) -> Column:
    """Write a value. What `to_json` makes of a text stays JSON, as a cast to text would copy it twice."""
    kind = column.type
    if isinstance(kind, Json):
        return column
    if isinstance(kind, Integer):
        text: Column = column
    elif isinstance(kind, Boolean):
        text = cast(column, Text)  # true; its output function would say t
    elif isinstance(kind, DateTime):
        text = _moment(column)
    else:
        json = func.to_json(cast(column, Text))
        return func.coalesce(json, _NULL_JSON) if _may_be_null(column) else json
    return func.coalesce(cast(text, Text), _literal(NULL)) if _may_be_null(column) else text


def _may_be_null(column: Column) -> bool:
    return bool(getattr(column, "nullable", True))


def _moment(column: Column) -> Column:
    """RFC 3339 in UTC, with six digits of the second or none, as pydantic writes it."""
    return func.replace(func.to_char(column, _MOMENT), *_WHOLE_SECOND)


def _literal(text: str) -> Column:
    """Part of the statement, not of its parameters."""
    return literal_column("'" + text.replace("'", "''") + "'", Text)  # allow: bound-parameters (names of members)
