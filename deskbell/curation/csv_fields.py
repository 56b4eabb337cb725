"""What the columns of an imported file mean: mapped to fields of a ticket, each cell checked.

Here is also the content key by which a second run of the same import knows its rows.
"""

import difflib
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import clean_email, normalized_email, one_line
from deskbell.tickets.models import TicketPriority, TicketStatus

MAX_CELL: Final = 1_000_000
"""Characters in one cell."""

_UNREADABLE = re.compile("[\0\udc00-\udcff]")  # NUL, or a byte that `csv_reader` marked as undecodable


@dataclass(frozen=True, slots=True)
class Row:
    """A good row: the line of the file on which it begins (the header is line 1), and what it says.

    `values` holds the fields that are not empty, by name: `status`, `priority` and `created_at` (ISO 8601, UTC) in
    their canonical spelling, addresses checked. `tags` come from all columns that are mapped to `tag`.
    """

    line: int
    values: Mapping[str, str]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read: the line on which it begins, and why, with what to do."""

    line: int
    reason: str


def parse_mapping(spec: str) -> dict[str, str]:
    """Read `text=message,category=tag` as {column of the file: field of the ticket}, in that order.

    `tag` may be given several columns, any other field one; `message` is needed. InvalidError says where it is wrong.
    """
    mapping: dict[str, str] = {}
    position = 0
    for piece in spec.split(","):
        column, equals, name = (part.strip() for part in piece.rpartition("="))
        if reason := _wrong_with_piece(column, equals, name, mapping):
            raise InvalidError(f"“{piece.strip()}” in the mapping: {reason}", field="map", position=position)
        mapping[column] = name
        position += len(piece) + 1
    if "message" not in mapping.values():
        raise InvalidError(
            "The mapping does not say which column holds the message. Add it, like text=message.", field="map"
        )
    return mapping


def _wrong_with_piece(column: str, equals: str, name: str, so_far: Mapping[str, str]) -> str | None:
    if not (equals and column and name):
        return "write column=field, like text=message."
    if name not in _CHECKS:
        return f"there is no field “{name}”.{did_you_mean(name, _CHECKS)} The fields are {', '.join(_CHECKS)}."
    if column in so_far:
        return f"the column “{column}” is mapped twice."
    if name != "tag" and name in so_far.values():
        return f"the field {name} is mapped twice; only tag may have several columns."
    return None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return “ Did you mean …?” with the known word that is closest, or nothing when none is close."""
    by_folded = {item.casefold(): item for item in known}
    close = difflib.get_close_matches(word.casefold(), by_folded, 1)
    return f" Did you mean “{by_folded[close[0]]}”?" if close else ""


class RowReader:
    """Makes rows of the cells of one file."""

    def __init__(self, header: Sequence[str], mapping: Mapping[str, str], encoding: str) -> None:
        """`header` names the columns and has all that `mapping` ({column: field}) asks for."""
        self._columns = [(header.index(column), column, field) for column, field in mapping.items()]
        self._encoding = encoding

    def read(self, line: int, cells: Sequence[str]) -> Row | BadRow:
        """Check the `cells` of the row that begins on `line`."""
        values: dict[str, str] = {}
        tags: list[str] = []
        for index, column, field in self._columns:
            cell = cells[index]
            try:
                self._check_text(cell)
                value = _CHECKS[field](cell) if cell.strip() or field == "message" else ""
            except InvalidError as error:
                return BadRow(line, f"column “{one_line(column, 60)}”: {error.message}")
            if field == "tag" and value:
                tags.append(value)
            elif value:
                values[field] = value
        return Row(line, values, tuple(dict.fromkeys(tags)))

    def _check_text(self, cell: str) -> None:
        if len(cell) > MAX_CELL:
            raise InvalidError(f"the cell has {len(cell):,} characters, more than {MAX_CELL:,}.")
        if found := _UNREADABLE.search(cell):
            raise InvalidError(unreadable(found[0], self._encoding))


def unreadable(character: str, encoding: str) -> str:
    """Say which NUL or undecodable byte stands where text should be, and what to try."""
    if character == "\0":
        return "a NUL character stands in the text; remove it, or try --encoding utf-16-le."
    other = "cp1252" if encoding.lower().replace("_", "-") in {"utf-8", "utf8", "ascii"} else "utf-8"
    return f"the byte 0x{ord(character) - 0xDC00:02X} is not {encoding}; try --encoding {other}."


def _message(cell: str) -> str:
    if not cell.strip():
        raise InvalidError("the message is empty.")
    return cell


def _tag(cell: str) -> str:
    name = one_line(cell, MAX_CELL)
    if len(name) > 100:  # noqa: PLR2004 - as the column in the database
        raise InvalidError(f"the tag “{one_line(name, 30)}” is longer than 100 characters.")
    return name


def _external_id(cell: str) -> str:
    return cell.strip()


def _title(cell: str) -> str:
    return one_line(cell, 500)


def _choice(kind: type[StrEnum]) -> Callable[[str], str]:
    known = [member.value for member in kind]

    def check(cell: str) -> str:
        word = re.sub(r"[\s_-]+", "_", cell.strip().lower())
        if word in known:
            return word
        raise InvalidError(f"“{one_line(cell, 40)}” is none of {', '.join(known)}.{did_you_mean(word, known)}")

    return check


def _moment(cell: str) -> str:
    """Read ISO 8601; without a time zone it is UTC."""
    try:
        moment = datetime.fromisoformat(cell.strip())
        aware = moment if moment.utcoffset() is not None else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise InvalidError(
            f"“{one_line(cell, 40)}” is no time. Write it like 2026-01-31 or 2026-01-31T14:05:00+01:00."
        ) from None


_CHECKS: Final[Mapping[str, Callable[[str], str]]] = {
    "message": _message,
    "title": _title,
    "tag": _tag,
    "requester": clean_email,
    "status": _choice(TicketStatus),
    "priority": _choice(TicketPriority),
    "created_at": _moment,
    "external_id": _external_id,
    "assignee": clean_email,
}
FIELDS: Final = tuple(_CHECKS)
"""What a column can be mapped to."""


def content_key(row: Row, requester: str, occurrence: int = 0) -> bytes:
    """Return 32 bytes that stand for what `row` says, who asked, and how many such rows came before it in the file.

    `requester` is used when the row names none. Neither line numbers nor the order of columns matter.
    """
    asked = normalized_email(row.values.get("requester", requester))
    said = sorted((name, value) for name, value in row.values.items() if name != "requester")
    canonical = json.dumps([asked, said, sorted(row.tags), occurrence], separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


class ContentKeys:
    """Gives each row of one file its content key; equal rows are told apart by counting them."""

    def __init__(self, requester: str) -> None:
        """Begin a file; `requester` is used for rows that name none."""
        self._requester = requester
        self._seen: Counter[bytes] = Counter()

    def key(self, row: Row) -> bytes:
        """Return the content key of the next row."""
        first = content_key(row, self._requester)
        occurrence = self._seen[first]
        self._seen[first] += 1
        return content_key(row, self._requester, occurrence) if occurrence else first
