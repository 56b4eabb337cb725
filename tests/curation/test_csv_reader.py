"""CSV files as they come: good rows are read exactly, bad ones named, and no fault swallows what stands after it."""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deskbell.curation.csv_fields import FIELDS, MAX_CELL, BadRow, ContentKeys, Row, content_key, parse_mapping
from deskbell.curation.csv_reader import MAX_ROW, read_rows
from deskbell.kernel.errors import InvalidError

MAPPING = {"text": "message", "category": "tag"}
HEAD = "text,category\n"
EXAMPLE = Path(__file__).parents[3] / "shared" / "data" / "banking77" / "train.csv"


def _read(
    content: str | bytes, mapping: dict[str, str] = MAPPING, encoding: str = "utf-8", delimiter: str | None = None
) -> list[Row | BadRow]:
    stream = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    rows = list(read_rows(stream, mapping, encoding=encoding, delimiter=delimiter))
    assert not stream.closed
    return rows


def _row(line: int, message: str, tag: str) -> Row:
    return Row(line, {"message": message}, (tag,))


def _lines(rows: list[Row | BadRow]) -> tuple[list[int], list[int]]:
    """Lines of the good rows, lines of the bad ones."""
    return [r.line for r in rows if isinstance(r, Row)], [r.line for r in rows if isinstance(r, BadRow)]


def _reason(row: Row | BadRow) -> str:
    assert isinstance(row, BadRow), row
    return row.reason


def test_rows_are_read_with_the_lines_on_which_they_begin() -> None:
    content = HEAD + 'plain,one\n\n"quoted, with ""quotes""\nand lines",two\r\nlast,three'
    assert _read(content) == [
        _row(2, "plain", "one"),
        _row(4, 'quoted, with "quotes"\nand lines', "two"),
        _row(6, "last", "three"),
    ]


def test_a_quote_inside_an_unquoted_cell_is_an_ordinary_character() -> None:
    assert _read(HEAD + 'a 5" screen,x\n') == [_row(2, 'a 5" screen', "x")]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=15)


@given(st.lists(st.tuples(cells, cells)), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(",;\t"))
def test_what_the_standard_library_writes_is_read_back(
    rows: list[tuple[str, str]], quoting: Literal[0, 1], delimiter: str
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, quoting=quoting, delimiter=delimiter)
    writer.writerows([["text", "else"], *(["x" + text, more] for text, more in rows)])
    read = _read(file.getvalue(), {"text": "message"}, delimiter=delimiter)
    assert [row.values["message"] for row in read if isinstance(row, Row)] == ["x" + text for text, _ in rows]
    assert len(read) == len(rows)


@given(st.binary(max_size=200) | st.text('ab,"\n\r', max_size=200).map(str.encode))
@example(b'"\n')
@example(b'"a"b\n"c,d\n')
@example(b"\xff,\xfe\n")
def test_whatever_the_bytes_are_each_row_is_good_or_bad_and_lines_only_grow(content: bytes) -> None:
    rows = _read(HEAD.encode() + content)
    lines = [row.line for row in rows]
    assert lines == sorted(set(lines))
    assert all(2 <= line <= 2 + content.count(b"\n") + content.count(b"\r") for line in lines)


FAULTS = [
    '"unbalanced,x',
    'x,"unbalanced',
    '"says "hi" to,x',
    '"a"b,x',
    "too,many,cells",
    "too few",
    '"with, quotes",too,many',
    ",no message",
    "nul\0,x",
    '"inner "quote"\nand more\nlines",x',
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("good", ["plain {},x", '"quoted, {}",x', '"two\nlines {}","x"'])
@pytest.mark.parametrize("after", [0, 1, 30])
def test_a_broken_row_is_named_and_the_others_are_kept(fault: str, good: str, after: int) -> None:
    before = [good.format(number) for number in range(5)]
    later = [good.format(number) for number in range(5, 5 + after)]
    rows = _read(HEAD + "\n".join([*before, fault, *later]) + "\n")
    where = 2 + sum(row.count("\n") + 1 for row in before)
    assert where in _lines(rows)[1]
    messages = [row.values["message"].rsplit(maxsplit=1)[-1] for row in rows if isinstance(row, Row)]
    assert messages == [str(number) for number in range(5 + after)]


def test_an_open_quote_does_not_swallow_ten_thousand_rows() -> None:
    good, bad = _lines(_read(HEAD + '"open,x\n' + "a,b\n" * 10_000))
    assert (len(good), bad) == (10_000, [2])


def test_an_open_quote_that_a_later_stray_one_seems_to_close_is_found_by_the_rows_inside() -> None:
    rows = _read(HEAD + 'a,"open\n' + "x,y\n" * 12 + 'a 5",screen\nlast,row\n')
    assert _lines(rows) == ([*range(3, 17)], [2])
    assert "12 complete rows" in _reason(rows[0])


def test_lines_inside_a_broken_cell_do_not_become_rows_and_are_named() -> None:
    rows = _read(HEAD + '"Hello,\nI want, to know "why" this\nfails, thanks",x\nok,y\n')
    assert rows[1:] == [_row(5, "ok", "y")]
    assert "on line 3, “why" in _reason(rows[0])
    assert "Lines 3 to 4 were passed over." in _reason(rows[0])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a", "1 cell instead of 2: a cell is missing"),
        ("a,b,c", "3 cells instead of 2: a cell with a delimiter in it needs quotes"),
        ('"a', "the quote that opens cell 1 is not closed before the end of the file"),
        ('a,"b"c', "“c” follows the closing quote of cell 2; a quote inside a quoted cell is written twice"),
        (" ,b", "column “text”: the message is empty"),
        ("a\0,b", "column “text”: a NUL character"),
        (f"a,{'b' * 101}", "column “category”: the tag “.*…” is longer than 100"),
        (f"{'a' * (MAX_CELL + 1)},b", "column “text”: the cell has 1,000,001 characters, more than 1,000,000"),
        ("a" * (MAX_ROW + 1), "the line has more than 4,000,000 characters"),
        ('"' + ("a" * 999 + "\n") * (MAX_ROW // 1000), "not closed"),
        ("text,category", "this is the header again"),
    ],
    ids=range(11),
)
def test_a_bad_row_says_what_is_wrong_with_it(row: str, reason: str) -> None:
    rows = _read(HEAD + "first,x\n" + row + "\n")
    assert (rows[0].line, rows[1].line) == (2, 3)
    assert _matches(reason, _reason(rows[1]))


def _matches(pattern: str, text: str) -> bool:
    before, star, after = pattern.partition(".*")
    return before in text and (not star or after in text)


def test_undecodable_bytes_are_named_and_the_next_row_is_read() -> None:
    rows = _read("text,category\ncafé,x\n".encode("latin-1") + "naïve,y\n".encode())
    assert "column “text”: the byte 0xE9 is not utf-8; try --encoding cp1252." in _reason(rows[0])
    assert rows[1] == _row(3, "naïve", "y")


def test_undecodable_bytes_in_a_column_that_is_not_asked_for_do_no_harm() -> None:
    assert _read("text,more\na,café\n".encode("latin-1"), {"text": "message"}) == [Row(2, {"message": "a"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_read(encoding: str, line_end: str) -> None:
    content = line_end.join(["text,category", "café,x", '"a, b",y']).encode(encoding)
    assert _read(content, encoding=encoding.removesuffix("-sig")) == [_row(2, "café", "x"), _row(3, "a, b", "y")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_the_one_by_which_the_header_has_the_columns(delimiter: str) -> None:
    content = delimiter.join(['"text"', '"a,b;c"', "category"]) + "\n" + delimiter.join(["x", "y", "z"]) + "\n"
    assert _read(content) == [_row(2, "x", "z")]


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"", "utf-8", "The file is empty: it must name the columns"),
        (b"\ntext,category\n", "utf-8", "Line 1 is blank"),
        (b"txt,category\na,b\n", "utf-8", "Line 1: there is no column “text”. Did you mean “txt”?"),
        (b"a b;c d\n", "utf-8", "The columns, separated by semicolons, are “a b”, “c d”"),
        (b"text,text,category\n", "utf-8", "Line 1: the column “text” is there 2 times"),
        (b'"text,category\na,b\n', "utf-8", "Line 1: its quotes are wrong"),
        (b"t\xe9xt,category\n", "utf-8", "Line 1: the byte 0xE9 is not utf-8; try --encoding cp1252"),
        (HEAD.encode("utf-16"), "utf-8", "mark of utf-16, not utf-8. Use --encoding utf-16"),
        (b"\xfe\xff" + HEAD.encode("utf-16-be"), "latin-1", "mark of utf-16, not latin-1. Use --encoding utf-16"),
        (HEAD.encode("utf-8-sig"), "cp1252", "mark of utf-8, not cp1252. Use --encoding utf-8"),
        (HEAD.encode("utf-16-le"), "utf-8", "Line 1: a NUL character.*utf-16-le"),
        (HEAD.encode("utf-16-le"), "utf-16", "Line 1 is not utf-16.*utf-16-le"),
        (HEAD.encode(), "uft-8", "no encoding “uft-8”. Did you mean “utf-8”?"),
        (HEAD.encode(), "base64", "no encoding “base64”"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_what_to_do(content: bytes, encoding: str, message: str) -> None:
    with pytest.raises(InvalidError) as refused:
        _read(content, encoding=encoding)
    assert _matches(message, refused.value.message), refused.value.message


@pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n"])
def test_a_delimiter_is_one_character(delimiter: str) -> None:
    with pytest.raises(InvalidError, match="not one character"):
        _read(HEAD, delimiter=delimiter)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InvalidError, match=f"{path.name} cannot be read: {why}"):
            list(read_rows(path, MAPPING))


ALL = {field: field for field in FIELDS} | {"more": "tag"}


def _full(**cells: str) -> list[Row | BadRow]:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(ALL), restval="")
    writer.writeheader()
    writer.writerow({"message": "m", **cells})
    return _read(file.getvalue(), ALL)


def test_every_field_is_brought_to_its_canonical_spelling() -> None:
    assert _full(
        title=" Two\nlines ",
        tag="a",
        more=" b ",
        requester=" Anna@Example.com ",
        status="In Progress",
        priority="HIGH",
        created_at="2026-01-31T14:05:00+01:00",
        external_id=" 7 ",
        assignee="",
    ) == [
        Row(
            2,
            {
                "message": "m",
                "title": "Two lines",
                "requester": "Anna@Example.com",
                "status": "in_progress",
                "priority": "high",
                "created_at": "2026-01-31T13:05:00+00:00",
                "external_id": "7",
            },
            ("a", "b"),
        )
    ]
    assert _full(created_at="2026-01-31", tag="a", more="a") == [
        Row(2, {"message": "m", "created_at": "2026-01-31T00:00:00+00:00"}, ("a",))
    ]


@pytest.mark.parametrize(
    ("field", "cell", "reason"),
    [
        ("priority", "hihg", "column “priority”: “hihg” is none of low, medium, high, urgent. Did you mean “high”?"),
        ("status", "pending", "column “status”: “pending” is none of open, in_progress"),
        ("created_at", "31.12.2025", "column “created_at”: “31.12.2025” is no time. Write it like 2026-01-31"),
        ("created_at", "0001-01-01T00:00+14:00", "is no time"),
        ("requester", "anna", "column “requester”: anna is not an e-mail address: it has no @"),
        ("assignee", "@x", "column “assignee”"),
    ],
)
def test_a_value_that_makes_no_sense_is_named_with_its_column(field: str, cell: str, reason: str) -> None:
    assert reason in _reason(_full(**{field: cell})[0])


def test_a_mapping_is_read_in_its_order() -> None:
    spec = " text = message,category=tag, team =tag,a=b=title"
    assert parse_mapping(spec) == {"text": "message", "category": "tag", "team": "tag", "a=b": "title"}
    assert list(parse_mapping(spec)) == ["text", "category", "team", "a=b"]


@pytest.mark.parametrize(
    ("spec", "message", "position"),
    [
        ("text=message,category=tags", "“category=tags” in the mapping: .* Did you mean “tag”?", 13),
        ("text", "“text” in the mapping: write column=field", 0),
        ("text=message,", "“” in the mapping: write column=field", 13),
        ("=message", "write column=field", 0),
        ("a=message,b=message", "the field message is mapped twice", 10),
        ("a=message,a=title", "the column “a” is mapped twice", 10),
        ("a=tag", "does not say which column holds the message", None),
    ],
)
def test_a_wrong_mapping_names_the_wrong_piece(spec: str, message: str, position: int | None) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_mapping(spec)
    assert _matches(message, refused.value.message), refused.value.message
    assert (refused.value.field, refused.value.position) == ("map", position)


def test_a_content_key_stands_for_what_a_row_says_and_who_asked() -> None:
    row = Row(2, {"message": "m", "title": "t"}, ("a", "b"))
    key = content_key(row, "Anna@example.com")
    assert len(key) == 32
    assert key == content_key(Row(9, {"title": "t", "message": "m"}, ("b", "a")), "anna@EXAMPLE.com")
    assert key == content_key(Row(2, {**row.values, "requester": "anna@example.com"}, row.tags), "someone@else.example")
    others = [
        content_key(row, "Anna@example.com", 1),
        content_key(row, "bob@example.com"),
        content_key(Row(2, {"message": "t", "title": "m"}, row.tags), "anna@example.com"),
        content_key(Row(2, row.values, ("a",)), "anna@example.com"),
    ]
    assert len({key, *others}) == 5


def test_equal_rows_of_a_file_have_different_keys_and_the_same_ones_in_the_next_run() -> None:
    rows = [row for row in _read(HEAD + "a,x\na,x\nb,x\na,x\n") if isinstance(row, Row)]
    first, second = ContentKeys("a@b"), ContentKeys("a@b")
    keys = [first.key(row) for row in rows]
    assert len(set(keys)) == 4
    assert keys == [second.key(row) for row in rows]


def test_a_long_file_takes_little_memory() -> None:
    class Endless(io.RawIOBase):
        """49,800 rows that are made while they are read."""

        left = 500

        def readable(self) -> bool:
            return True

        def read(self, _: int = -1, /) -> bytes:
            self.left -= 1
            return HEAD.encode() if self.left == 499 else b"I am still waiting on my card,x\n" * 100 * (self.left > 0)

        read1 = read

    tracemalloc.start()
    try:
        count = sum(1 for _ in _stream(Endless()))
        assert count == 49_800
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def _stream(stream: io.RawIOBase) -> Iterator[Row | BadRow]:
    return read_rows(stream, MAPPING)  # type: ignore[arg-type] # a TextIOWrapper reads what has read1


def test_the_example_file_is_read_to_its_last_row() -> None:
    if not EXAMPLE.exists():
        pytest.skip("the example data are not beside this checkout")
    rows = list(read_rows(EXAMPLE, MAPPING))
    assert len(rows) == 10_003
    assert all(isinstance(row, Row) for row in rows)
    assert rows == [
        Row(row.line, {"message": text}, (category,))
        for row, (text, category) in zip(rows, _by_the_standard_library(EXAMPLE), strict=True)
    ]


def _by_the_standard_library(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]
