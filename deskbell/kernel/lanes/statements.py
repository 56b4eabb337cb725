"""A statement that is compiled once and then sent by its text: what SQLAlchemy knows of it, without its work each time.

Values go and come as text, in PostgreSQL's own spelling. Each column of the result needs a type that is known here.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Boolean, DateTime, Executable, Integer, String, TextualSelect, column, text
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from deskbell.kernel.shaping import Json

Row = tuple[Any, ...]
Decode = Callable[[bytes], Any]
_DIALECT: Final = dialect()  # type: ignore[no-untyped-call]  # parameters are $1, $2, cast where their type would not be clear


@dataclass(frozen=True, slots=True)
class _Parameter:
    """`is_open`: its value is given when the statement is run; `process` makes of one what is sent."""

    name: str
    is_open: bool
    value: Any
    encoded: bytes | None
    process: Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement for `Reading.rows`. Parameters without a value of their own are given by name when it is run.

    `prepared`: each connection keeps its plan for a while, which then suits all values; otherwise it is planned each
    time, for the values that it has. `literal`: values are part of the text, so that a plan that is kept suits them.
    `columns`: those of an INSERT whose values are given.
    """

    select: Executable
    prepared: bool = False
    literal: bool = False
    columns: tuple[str, ...] | None = None

    @cached_property
    def sql(self) -> bytes:
        """The statement as it is sent."""
        return self._compiled.string.encode()

    @cached_property
    def decoders(self) -> tuple[Decode, ...]:
        """How each column of the result is read."""
        return tuple(_decoder(column[3]) for column in self._compiled._result_columns)  # noqa: SLF001 - known nowhere else

    @cached_property
    def names(self) -> list[str]:
        """The names of the columns of the result."""
        return [column[0] for column in self._compiled._result_columns]  # noqa: SLF001 - as above

    def parameters(self, values: Mapping[str, Any]) -> list[bytes | None]:
        """Return the parameters in order, with these values instead of their own, if any. Raises KeyError."""
        return [
            _encoded(one.process(values[one.name])) if one.name in values or one.is_open else one.encoded
            for one in self._parameters
        ]

    @cached_property
    def textual(self) -> TextualSelect:
        """The statement for a session, which recognises a text sooner than a large SELECT."""
        named = re.sub(r"\$(\d+)", r":p\1", self._compiled.string.replace(":", r"\:"))
        columns = (column(found[0], found[3]) for found in self._compiled._result_columns)  # noqa: SLF001 - as above
        return text(named).columns(*columns)

    def by_position(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of `textual`, as `parameters` does. Raises KeyError."""
        return {
            f"p{place}": one.process(values[one.name]) if one.name in values or one.is_open else one.value
            for place, one in enumerate(self._parameters, 1)
        }

    def names_of(self, value: object) -> list[str]:
        """Return the names of the parameters whose value is this very object."""
        return [name for name, found in self._compiled.params.items() if found is value]

    @cached_property
    def _compiled(self) -> SQLCompiler:
        compiled = self.select.compile(dialect=_DIALECT, column_keys=self.columns)  # type: ignore[attr-defined]  # every Executable here is an element
        if self.literal:
            compiled = self.select.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
        elif compiled.literal_execute_params or compiled.post_compile_params:  # lists of values are written out
            compiled = self.select.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - what this dialect compiles with
        return compiled

    @cached_property
    def _parameters(self) -> list[_Parameter]:
        compiled = self._compiled
        values = compiled.construct_params(_check=False)
        processors: Mapping[str, Any] = compiled._bind_processors  # noqa: SLF001 - as SQLAlchemy's own execution does
        open_ones = {bind.key for bind in compiled.binds.values() if bind.required}
        found = []
        for name in compiled.positiontup or []:
            process, is_open = processors.get(name, _same), name in open_ones
            value = None if is_open else process(values[name])
            found.append(_Parameter(name, is_open, value, _encoded(value), process))
        return found


def _same(value: Any) -> Any:  # noqa: ANN401 - whatever it is
    return value


def _encoded(value: Any) -> bytes | None:  # noqa: ANN401, PLR0911 - whatever SQLAlchemy binds, each in its way
    match value:
        case None:
            return None
        case bool():
            return b"t" if value else b"f"
        case Enum():
            return str(value.value).encode()
        case bytes():
            return b"\\x" + value.hex().encode()
        case datetime():
            return value.isoformat().encode()
        case [int(), *_]:
            return f"{{{','.join(map(str, value))}}}".encode()
        case list() | tuple():
            return b"{" + b",".join(_element(item) for item in value) + b"}"
        case _:
            return str(value).encode()


def _element(value: Any) -> bytes:  # noqa: ANN401 - of an array
    if value is None:
        return b"NULL"
    return json.dumps(value, ensure_ascii=False).encode() if isinstance(value, str) else _encoded(value) or b""


def _decoder(kind: TypeEngine[Any]) -> Decode:  # noqa: PLR0911 - each type in its way
    match kind:
        case Json():
            return bytes
        case Integer() | BigInteger():
            return int
        case Boolean():
            return b"t".__eq__
        case DateTime():
            return lambda value: datetime.fromisoformat(value.decode())
        case SqlEnum():
            read: Any = kind.result_processor(_DIALECT, None)  # type: ignore[no-untyped-call]
            return lambda value: read(value.decode())
        case String():
            return bytes.decode
        case ARRAY() if isinstance(kind.item_type, Integer):
            return lambda value: [int(item) for item in value[1:-1].split(b",") if item]
    raise TypeError(f"nothing reads a {kind!r} from text: cast it to one of the types above")
