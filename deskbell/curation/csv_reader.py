"""CSV files from anywhere (RFC 4180, more or less) as rows for an import, in constant memory.

A broken row is reported with its line and the good ones after it still come. The standard library's `csv` cannot do
that: a quote that is never closed swallows the rest of the file. Here, when a quoted cell turns out wrong (text after
its closing quote, never closed, a wrong number of cells, or ten and more lines inside it that are all complete rows),
reading goes on inside it, at the first line from which everything up to the fault looks like rows; if nothing there
does, after the fault, at the next line that does. The lines passed over are named.
"""

import codecs
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final

from deskbell.curation.csv_fields import BadRow, Row, RowReader, did_you_mean, unreadable
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import one_line

MAX_ROW: Final = 4_000_000
"""Characters in one row, with all its lines."""

_DELIMITERS: Final = (",", ";", "\t")
_SUSPICIOUS: Final = 10  # so many complete rows in a row inside one quoted cell are no prose
_MARK_BYTES: Final = "deskbell.mark"
_TO_CLOSING_QUOTE = re.compile(r'([^"]*+(?:""[^"]*+)*+)"')
_LINE_ENDS: Final = {"", "\n", "\r\n", "\r"}
_FOREIGN_MARKS: Final = (
    ("\udcff\udcfe", "utf-16"),
    ("\udcfe\udcff", "utf-16"),
    ("\xff\xfe", "utf-16"),
    ("\xfe\xff", "utf-16"),
    ("\xef\xbb\xbf", "utf-8"),
)
"""(How a byte order mark reads in the wrong encoding, the right one)."""


def _mark_bytes(error: UnicodeError) -> tuple[str, int]:
    """Put U+DC00 + n in the place of an undecodable byte n, as PEP 383 does, but in every encoding."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARK_BYTES, _mark_bytes)


def read_rows(
    source: Path | BinaryIO, mapping: Mapping[str, str], *, encoding: str = "utf-8", delimiter: str | None = None
) -> Iterator[Row | BadRow]:
    """Yield the rows of `source`, good and bad, in their order; blank lines are passed over.

    `mapping` is {column: field}, see `parse_mapping`. Without a `delimiter` it is the comma, semicolon or tab by which
    the header has the columns asked for. Raises InvalidError, with the first row, when the file or its header cannot be
    used. A stream is left open, and its `tell()` says how far the reading is.
    """
    with _opened(source, encoding) as text:
        lines = _Lines(text)
        header, delimiter = _header(lines, mapping, encoding, delimiter)
        reader = RowReader(header, mapping, encoding)
        for number, cells in _records(lines, delimiter, len(header)):
            if isinstance(cells, str):
                yield BadRow(number, cells)
            elif cells == header:
                yield BadRow(number, "this is the header again; were two files joined? Remove the line.")
            else:
                yield reader.read(number, cells)


@contextmanager
def _opened(source: Path | BinaryIO, encoding: str) -> Iterator[TextIOWrapper]:
    try:
        stream = source.open("rb") if isinstance(source, Path) else source
    except OSError as error:
        raise InvalidError(f"{source} cannot be read: {error.strerror}.", field="file") from error
    try:
        text = TextIOWrapper(stream, encoding, errors=_MARK_BYTES, newline="")
    except LookupError:
        known = ("utf-8", "utf-16", "cp1252", "latin-1", "ascii", "shift_jis", "gb18030", "koi8-r")
        raise InvalidError(
            f"There is no encoding “{encoding}”.{did_you_mean(encoding, known)}", field="encoding"
        ) from None
    try:
        yield text
    finally:
        text.detach()
        if isinstance(source, Path):
            stream.close()


class _Lines:
    """The physical lines of a file, which can be put back."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.number = 0
        """Of the line that was taken last, from 1."""

    def take(self) -> str:
        """Return the next line with its end, "" after the last one; of one that is too long, a little too much."""
        if self._again:
            self.number += 1
            return self._again.popleft()
        line = self._text.readline(MAX_ROW + 1)
        self.number += bool(line)
        rest = line
        while len(rest) > MAX_ROW and not rest.endswith(("\n", "\r")):
            rest = self._text.readline(MAX_ROW + 1)
        return line

    def put_back(self, lines: Sequence[str]) -> None:
        """Let `lines`, the last ones that were taken, be taken again."""
        self._again.extendleft(reversed(lines))
        self.number -= len(lines)


class _BrokenError(Exception):
    """A quoted cell is wrong. `closed` tells whether a closing quote was seen."""

    def __init__(self, reason: str, *, closed: bool) -> None:
        super().__init__(reason)
        self.closed = closed


def _header(lines: _Lines, mapping: Mapping[str, str], encoding: str, delimiter: str | None) -> tuple[list[str], str]:
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise InvalidError(
            f"The delimiter “{one_line(delimiter, 20)}” is not one character, such as a comma or a tab.",
            field="delimiter",
        )
    try:
        first = lines.take()
    except UnicodeError as error:
        raise InvalidError(
            f"Line 1 is not {encoding}: {error}. Try --encoding utf-8 or utf-16-le.", field="encoding", line=1
        ) from None
    _check_first_line(first, encoding)
    lines.put_back([first.removeprefix("\ufeff")])
    candidates = [(_named_columns(lines, each), each) for each in ([delimiter] if delimiter else _DELIMITERS)]
    header, delimiter = max(candidates, key=lambda it: (len(mapping.keys() & set(it[0])), len(it[0])))
    if not header:
        raise InvalidError("Line 1: its quotes are wrong. It must name the columns.", field="file", line=1)
    _split(lines, [lines.take()], delimiter)
    for column in mapping:
        if header.count(column) != 1:
            raise InvalidError(_wrong_column(column, header, delimiter), field="map", line=1, column=column)
    return header, delimiter


def _check_first_line(first: str, encoding: str) -> None:
    if not first.strip():
        what = "Line 1 is blank" if first else "The file is empty"
        raise InvalidError(f"{what}: it must name the columns.", field="file", line=1)
    for mark, right in _FOREIGN_MARKS:
        if first.startswith(mark):
            raise InvalidError(
                f"Line 1: the file begins with the mark of {right}, not {encoding}. Use --encoding {right}.",
                field="encoding",
                line=1,
            )
    if bad := re.search("[\0\udc00-\udcff]", first):
        raise InvalidError(f"Line 1: {unreadable(bad[0], encoding)}", field="encoding", line=1)


def _named_columns(lines: _Lines, delimiter: str) -> list[str]:
    """Return what the header names if `delimiter` is the right one; takes no line."""
    taken = [lines.take()]
    try:
        return [cell.strip() for cell in _split(lines, taken, delimiter)]
    except _BrokenError:
        return []
    finally:
        lines.put_back(taken)


def _wrong_column(column: str, header: Sequence[str], delimiter: str) -> str:
    if column in header:
        return f"Line 1: the column “{column}” is there {header.count(column)} times. Rename one of them."
    names = one_line(", ".join(f"“{name}”" for name in header), 300)
    mark = {"\t": "tabs", ",": "commas", ";": "semicolons"}.get(delimiter, f"“{delimiter}”")
    guess = did_you_mean(column, header)
    return f"Line 1: there is no column “{column}”.{guess} The columns, separated by {mark}, are {names}."


def _records(lines: _Lines, delimiter: str, width: int) -> Iterator[tuple[int, list[str] | str]]:
    """Yield (line, cells) of each row, or (line, what is wrong with it)."""
    rows = _RowShape(delimiter, width)
    while line := lines.take():
        number = lines.number
        if len(line) > MAX_ROW:
            yield number, f"the line has more than {MAX_ROW:,} characters."
        elif '"' in line:
            yield number, _with_quotes(lines, [line], rows)
        elif plain := line.rstrip("\r\n"):
            cells = plain.split(delimiter)
            yield number, cells if len(cells) == width else _wrong_number(cells, width)


def _with_quotes(lines: _Lines, taken: list[str], rows: "_RowShape") -> list[str] | str:
    """Read the row whose first line was `taken`; return its cells, or what is wrong after finding the next row."""
    try:
        cells = _split(lines, taken, rows.delimiter)
    except _BrokenError as error:
        resume = rows.resume_after_fault(taken) if error.closed else rows.resume_after_open(taken)
        lines.put_back(taken[resume:])
        return f"{error}{_passed_over(lines, resume - 1 + _skip(lines, rows))}"
    inner = taken[1:-1]
    if len(inner) >= _SUSPICIOUS and all(map(rows.fits, inner)):
        lines.put_back(taken[1:])
        return f"the quoted cell that begins here would hold {len(inner)} complete rows; close its quote."
    if len(cells) != rows.width:
        keep = rows.first_fitting(taken, len(taken) - 1)
        resume = keep if keep < len(taken) - 1 else len(taken)
        lines.put_back(taken[resume:])
        return f"{_wrong_number(cells, rows.width)}{_passed_over(lines, resume - 1)}"
    return cells


def _split(lines: _Lines, taken: list[str], delimiter: str) -> list[str]:
    """Return the cells of the row that begins with the line in `taken`, to which the lines it needs are added."""
    line, at, size = taken[0], 0, len(taken[0])
    cells: list[str] = []
    while True:
        if line.startswith('"', at):
            parts, at, begin = [], at + 1, f"cell {len(cells) + 1}"
            while not (closing := _TO_CLOSING_QUOTE.match(line, at)):
                parts.append(line[at:])
                line, at = lines.take(), 0
                size += len(line)
                if not line or size > MAX_ROW:
                    how = f"within {MAX_ROW:,} characters" if line else "before the end of the file"
                    taken.extend([line] if line else [])
                    raise _BrokenError(f"the quote that opens {begin} is not closed {how}.", closed=False)
                taken.append(line)
            at = closing.end()
            cells.append("".join([*parts, closing[1]]).replace('""', '"'))
        else:
            end = line.find(delimiter, at)
            end = len(line.rstrip("\r\n")) if end < 0 else end
            cells.append(line[at:end])
            at = end
        if line.startswith(delimiter, at):
            at += len(delimiter)
        elif line[at : at + 3] in _LINE_ENDS:
            return cells
        else:
            on = f"on line {lines.number}, " if len(taken) > 1 else ""
            what = f"{on}“{one_line(line[at : at + 20], 20)}” follows the closing quote of cell {len(cells)}"
            raise _BrokenError(f"{what}; a quote inside a quoted cell is written twice.", closed=True)


class _RowShape:
    """What a line that is, or begins, a flawless row looks like."""

    def __init__(self, delimiter: str, width: int) -> None:
        self.delimiter, self.width = delimiter, width
        mark = re.escape(delimiter)
        opened = r'"[^"]*+(?:""[^"]*+)*+'
        cell = rf'(?:{opened}"|[^"{mark}\r\n]*+)'
        whole = rf"{cell}(?:{mark}{cell}){{{width - 1}}}(?:\r\n|\r|\n)?"
        begun = rf"(?:{cell}{mark}){{0,{width - 1}}}{opened}"
        self._pattern = re.compile(rf"{whole}|{begun}")

    def fits(self, line: str) -> bool:
        """Whether `line` is a row, or begins one with a quoted cell that goes on."""
        return self._pattern.fullmatch(line) is not None

    def first_fitting(self, taken: Sequence[str], end: int) -> int:
        """Return where the run of fitting lines before `end` begins; the first line of `taken` is not asked."""
        while end > 1 and self.fits(taken[end - 1]):
            end -= 1
        return end

    def resume_after_fault(self, taken: Sequence[str]) -> int:
        """Return which line to go on with when the fault is in the last one."""
        last = len(taken) - 1
        begin = self.first_fitting(taken, last)
        return begin if begin > 0 and (begin < last or self.fits(taken[last])) else last + 1

    def resume_after_open(self, taken: Sequence[str]) -> int:
        """Return which line to go on with when a quote is never closed: none of the lines can belong to it."""
        return next((index for index in range(1, len(taken)) if self.fits(taken[index])), len(taken))


def _skip(lines: _Lines, rows: _RowShape) -> int:
    """Pass over what is left of a broken row: lines that are no rows. Return how many."""
    skipped = 0
    while line := lines.take():
        if rows.fits(line):
            lines.put_back([line])
            break
        skipped += 1
    return skipped


def _passed_over(lines: _Lines, count: int) -> str:
    if count == 0:
        return ""
    first, last = lines.number - count + 1, lines.number
    return f" Line {last} was passed over." if count == 1 else f" Lines {first} to {last} were passed over."


def _wrong_number(cells: Sequence[str], width: int) -> str:
    why = "a cell is missing" if len(cells) < width else "a cell with a delimiter in it needs quotes"
    return f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'} instead of {width}: {why}, or a quote is wrong."
