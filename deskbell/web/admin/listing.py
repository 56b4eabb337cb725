"""Pages of long lists: filters and a cursor in the address, the address of the next page out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Query, Request
from sqlalchemy import Select
from sqlalchemy.orm import Session

from deskbell.kernel.paging import Cursor, Page, SortKey, keyset, page
from deskbell.web.i18n import gettext as _
from deskbell.web.schemas.base import BIGGEST, Text
from deskbell.web.templating import label

ROWS: Final = 50
_CURSOR: Final = "cursor"
Present = Callable[[Any], Any]

Words = Annotated[Text, Query(max_length=255)]
"""What a filter is asked with; nothing where it is left alone."""


@dataclass(frozen=True, slots=True)
class Pager:
    """Which page of a list is asked for."""

    request: Request
    cursor: str

    def read(
        self, session: Session, statement: Select[*tuple[Any, ...]], order: Sequence[SortKey], present: Present
    ) -> dict[str, Any]:
        """Run a statement and present its rows: `items`, and the addresses of the next page and the first."""
        limited = keyset(statement, order, limit=ROWS, cursor=self.place(), query=self.scope)
        found = session.execute(limited)
        rows = found.unique().scalars() if len(limited.column_descriptions) == 1 else found
        return self.present(page(rows.all(), order, limit=ROWS, query=self.scope), present)

    def present(self, found: Page[Any], present: Present) -> dict[str, Any]:
        """Present a page that was found."""
        cursor = found.next_cursor.seal(self._key) if found.next_cursor else None
        return self.rows([present(item) for item in found.items], cursor)

    def rows(self, items: list[Any], cursor: str | None) -> dict[str, Any]:
        """Present rows that are ready. They are counted for the access log."""
        self.request.state.shown = len(items)
        first = self.address() if self.cursor else None
        return {"items": items, "next": self.address(cursor) if cursor else None, "first": first}

    def place(self) -> Cursor | None:
        """Return where the page begins. Raises InvalidError for a cursor that is none."""
        return Cursor.unseal(self.cursor, self._key) if self.cursor else None

    def address(self, cursor: str = "") -> str:
        """Return the address of a page of this list."""
        parameters = [*self._filters, *([(_CURSOR, cursor)] if cursor else [])]
        return f"{self.request.url.path}?{urlencode(parameters)}" if parameters else self.request.url.path

    @property
    def scope(self) -> str:
        """What is asked for, and by whom: a cursor is good for that alone."""
        return f"{self.request.state.user_id} {self.request.url.path} {sorted(self._filters)}"

    @property
    def is_filtered(self) -> bool:
        """Whether less than everything is asked for."""
        return bool(self._filters)

    @property
    def _filters(self) -> list[tuple[str, str]]:
        given = self.request.query_params.multi_items()
        return [(name, value) for name, value in given if name != _CURSOR and value]

    @property
    def _key(self) -> bytes:
        key: bytes = self.request.app.state.key
        return key


def pager(request: Request, cursor: Annotated[str, Query(max_length=2000)] = "") -> Pager:
    """Return which page is asked for."""
    return Pager(request, cursor)


Paged = Annotated[Pager, Depends(pager)]


def choices(values: Sequence[str], anything: str) -> list[dict[str, str]]:
    """Return what a filter offers, all of it first."""
    return [{"value": "", "label": anything}, *({"value": value, "label": label(value)} for value in values)]


def yes_or_no(yes: str, no: str) -> list[dict[str, str]]:
    """Return what a filter of a flag offers."""
    return [{"value": "", "label": _("All")}, {"value": "yes", "label": yes}, {"value": "no", "label": no}]


def flag(value: str) -> bool | None:
    """Read the answer to such a filter."""
    return {"yes": True, "no": False}.get(value)


def whole(value: str) -> int | None:
    """Read a number as people write it; None where there is none that an id can be."""
    digits = value.strip().lstrip("#")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0  # noqa: PLR2004 - a bigint
    return number if 0 < number <= BIGGEST else None


def days(since: date | None, until: date | None, zone: str) -> tuple[datetime | None, datetime | None]:
    """Return the moments between which lie all of two days and what is between them, where somebody lives."""
    return _begin(since, zone), _begin(until and _after(until), zone)


def _begin(one: date | None, zone: str) -> datetime | None:
    if one is None:
        return None
    try:
        return datetime.combine(one, time(), ZoneInfo(zone)).astimezone(UTC)
    except (OverflowError, ValueError, KeyError):
        return datetime.combine(one, time(), UTC)


def _after(one: date) -> date:
    return one if one == date.max else one + timedelta(days=1)


def day(value: str) -> date | None:
    """Read the value of a field for a day; None for what is none."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
