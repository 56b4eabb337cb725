"""Keyset pages: the SQL that PostgreSQL is given, and that no row is lost or repeated whatever the values are."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, DateTime, Integer, MetaData, Row, String, Table, create_engine, func, select
from sqlalchemy.engine import make_url

from deskbell.kernel.crypto import sign
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.paging import MAX_LIMIT, Cursor, Page, SortKey, Value, fingerprint, keyset, page

KEY = bytes(range(32))
POSTGRESQL = make_url("postgresql+psycopg2://").get_dialect()()
"""The one of its dialects that writes parameters without their types, and so the plainest to read."""
NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)

letters = Table(
    "letters",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("rank", Integer),
    Column("written_at", DateTime(timezone=True), nullable=False),
)
NEWEST = (SortKey(letters.c.written_at, descending=True), SortKey(letters.c.id, descending=True))
BY_NAME = (SortKey(letters.c.name), SortKey(letters.c.id, descending=True))
BY_RANK = (SortKey(letters.c.rank, descending=True), SortKey(letters.c.id))


def _sql(order: Sequence[SortKey], *values: Value) -> str:
    cursor = Cursor(values, fingerprint(order)) if values else None
    statement = keyset(select(letters.c.id).order_by(letters.c.name), order, limit=50, cursor=cursor)
    return " ".join(str(statement.compile(dialect=POSTGRESQL)).split()).removeprefix("SELECT letters.id FROM ")


def test_the_first_page_is_sorted_and_asks_for_one_row_more() -> None:
    statement = keyset(select(letters), NEWEST, limit=50)
    assert statement.compile(compile_kwargs={"literal_binds": True}).string.endswith("LIMIT 51")
    assert _sql(NEWEST) == "letters ORDER BY letters.written_at DESC, letters.id DESC LIMIT %(param_1)s"


def test_keys_of_one_direction_are_compared_as_a_row_which_an_index_serves() -> None:
    assert _sql(NEWEST, NOON, 7) == (
        "letters WHERE (letters.written_at, letters.id) < (%(param_1)s, %(param_2)s)"
        " ORDER BY letters.written_at DESC, letters.id DESC LIMIT %(param_3)s"
    )


def test_mixed_directions_are_written_out_with_a_bound_for_the_index() -> None:
    assert _sql(BY_NAME, "b", 7) == (
        "letters WHERE letters.name >= %(param_1)s AND (letters.name > %(param_2)s"
        " OR letters.name = %(param_3)s AND letters.id < %(param_4)s)"
        " ORDER BY letters.name ASC, letters.id DESC LIMIT %(param_5)s"
    )


def test_nulls_come_last_in_both_directions() -> None:
    assert _sql(BY_RANK, 3, 7) == (
        "letters WHERE letters.rank < %(param_1)s OR letters.rank IS NULL"
        " OR letters.rank = %(param_2)s AND letters.id > %(param_3)s"
        " ORDER BY letters.rank DESC NULLS LAST, letters.id ASC LIMIT %(param_4)s"
    )
    assert "WHERE letters.rank IS NULL AND letters.id > %(param_1)s ORDER BY" in _sql(BY_RANK, None, 7)


def test_a_labelled_expression_can_be_sorted_by() -> None:
    lower = func.lower(letters.c.name).label("lower_name")
    order = (SortKey(lower, nullable=False), SortKey(letters.c.id))
    statement = keyset(select(letters.c.id, lower), order, limit=1, cursor=Cursor(("b", 7), fingerprint(order)))
    assert "(lower(letters.name), letters.id) > (" in str(statement)
    with pytest.raises(ValueError, match="give the expression a label"):
        _ = SortKey(func.lower(letters.c.name) + "x").name


def test_an_order_without_a_unique_end_is_a_mistake_of_the_program() -> None:
    for order in ((), (SortKey(letters.c.name),), (SortKey(letters.c.id, unique=False),)):
        with pytest.raises(ValueError, match="unique"):
            keyset(select(letters), order, limit=1)
    keyset(select(letters), (SortKey(letters.c.name, unique=True),), limit=1)


@pytest.mark.parametrize("limit", [-1, 0, MAX_LIMIT + 1])
def test_a_page_has_1_to_200_rows(limit: int) -> None:
    with pytest.raises(InvalidError, match="ask for 1 to 200") as refused:
        keyset(select(letters), NEWEST, limit=limit)
    assert refused.value.field == "limit"


def in_utc(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the year 1 or 9999
        return None


values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(),
    # Python calls no two times of different zones equal where the clocks go back; what the database returns is in UTC
    st.datetimes(timezones=st.timezones(), allow_imaginary=False).map(in_utc).filter(bool),
)


@given(st.lists(values, min_size=1, max_size=4), st.text(max_size=9))
def test_a_cursor_comes_back_as_it_was(of: list[Value], name: str) -> None:
    cursor = Cursor(tuple(of), name)
    assert Cursor.unseal(cursor.seal(KEY), KEY) == cursor


@pytest.mark.parametrize(
    "text", ["", "x", "é", "\ud800", "WyJ4Il0.x", sign(bytes(32), "cursor/1", b'["x"]'), sign(KEY, "other", b'["x"]')]
)
def test_an_altered_or_foreign_cursor_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(InvalidError, match="Begin again without a cursor") as refused:
        Cursor.unseal(text, KEY)
    assert refused.value.field == "cursor"


def test_a_cursor_belongs_to_its_query_its_keys_and_their_directions() -> None:
    cursor = Cursor((NOON, 7), fingerprint(NEWEST, "status:open"))
    keyset(select(letters), NEWEST, limit=1, cursor=cursor, query="status:open")
    oldest = (SortKey(letters.c.written_at), SortKey(letters.c.id))
    for order, query in ((NEWEST, "status:closed"), (oldest, "status:open"), (BY_NAME, "status:open")):
        with pytest.raises(InvalidError, match="another query or another order") as refused:
            keyset(select(letters), order, limit=1, cursor=cursor, query=query)
        assert refused.value.field == "cursor"


def test_what_a_cursor_cannot_hold_exactly_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="aware"):
        Cursor((NOON.replace(tzinfo=None),), "").seal(KEY)
    with pytest.raises(TypeError, match="float"):
        Cursor((0.5,), "").seal(KEY)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """SQLite, which compares rows as PostgreSQL does: enough to run the statements a thousand times."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        letters.create(connection)
        yield connection
    engine.dispose()


rows = st.lists(st.tuples(st.sampled_from("abc"), st.none() | st.integers(0, 2)), max_size=25)
columns = st.permutations([letters.c.name, letters.c.rank]).flatmap(
    lambda them: st.integers(0, 2).map(lambda n: them[:n])
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=rows, columns=columns, directions=st.tuples(*[st.booleans()] * 3), limit=st.integers(1, 7))
def test_the_pages_together_are_all_rows_once_in_order(
    connection: Connection,
    rows: list[tuple[str, int | None]],
    columns: "list[Column[str] | Column[int]]",
    directions: tuple[bool, bool, bool],
    limit: int,
) -> None:
    connection.execute(letters.delete())
    if rows:
        connection.execute(letters.insert(), [{"name": n, "rank": r, "written_at": NOON} for n, r in rows])
    order = tuple(SortKey(c, descending=d) for c, d in zip([*columns, letters.c.id], directions, strict=False))
    seen = [row for got in _pages(connection, order, limit) for row in got.items]
    assert seen == connection.execute(select(letters).order_by(*(key.order() for key in order))).all()
    assert len(seen) == len(rows)
    ranks = [row.rank for row in seen]
    if columns and columns[0] is letters.c.rank and None in ranks:
        assert set(ranks[ranks.index(None) :]) == {None}


def _pages(connection: Connection, order: Sequence[SortKey], limit: int) -> "Iterator[Page[Row[*tuple[object, ...]]]]":
    cursor = None
    while True:
        found = connection.execute(keyset(select(letters), order, limit=limit, cursor=cursor)).all()
        got = page(found, order, limit=limit)
        assert len(got.items) <= limit
        assert got.has_more == (len(found) > limit)
        yield got
        if got.next_cursor is None:
            return
        cursor = Cursor.unseal(got.next_cursor.seal(KEY), KEY)
