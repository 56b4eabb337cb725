"""Pages of long lists: filters and a cursor in the address, the address of the next page out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from sqlalchemy import Select
from sqlalchemy.orm import Session

from deskbell.kernel.paging import Cursor, Page, SortKey, keyset, page

ROWS: Final = 50
_CURSOR: Final = "cursor"
Present = Callable[[Any], Any]


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
