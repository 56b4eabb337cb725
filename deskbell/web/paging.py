"""Pages of the API: `limit` and `cursor` in, `next_cursor` and a `Link` header (RFC 8288) out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from starlette.datastructures import QueryParams

from deskbell.kernel.paging import MAX_LIMIT, Cursor, Page, SortKey, keyset, page
from deskbell.kernel.remembering import once_for_short
from deskbell.web.access import SHOWN

_SHORT: Final = 300
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
Wanted = Select[*tuple[Any, ...]] | Callable[[Session], Select[*tuple[Any, ...]]]


class PageOf(BaseModel, Generic[T]):
    """Some of a longer list. `next_cursor` asks for the following ones and is null on the last page."""

    items: list[T]
    next_cursor: str | None = Field(examples=["WyJhYmMiLDQyXQ.c2lnbmF0dXJl"])


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for, and how to answer with it."""

    request: Request
    response: Response | None
    limit: int
    cursor: str | None

    async def read(
        self,
        session: AsyncSession,
        statement: Wanted,
        order: Sequence[SortKey],
        present: Callable[[Any], M],
    ) -> PageOf[M]:
        """Run `statement` and present its rows. Its cursors are good for the same address, query and person alone."""
        return self.answer(await session.run_sync(self._rows, statement, order), present)

    def answer(self, found: Page[Any], present: Callable[[Any], M]) -> PageOf[M]:
        """Present the page that was found, and say where the next one begins."""
        return self._answer(PageOf[M](items=[present(item) for item in found.items], next_cursor=self._seal(found)))

    def _rows(self, session: Session, statement: Wanted, order: Sequence[SortKey]) -> Page[Any]:
        wanted = statement(session) if not isinstance(statement, Select) else statement
        query = self.scope()
        limited = keyset(wanted, order, limit=self.limit, cursor=self.place(), query=query)
        found = session.execute(limited)
        rows = found.scalars() if len(limited.column_descriptions) == 1 else found
        return page(rows.all(), order, limit=self.limit, query=query)

    def place(self) -> Cursor | None:
        """Return where the page begins. Raises InvalidError for a cursor that is none."""
        return Cursor.unseal(self.cursor, self._key) if self.cursor else None

    def scope(self) -> str:
        """Return who asks where for what, for the cursor: the address without what may differ between pages."""
        where = self.request.scope
        return f"{where['state']['user_id']} {where['path']} {_for_what(where['query_string'])}"

    def send(self, documents: bytes, shown: int, next_cursor: Cursor | None, further: bytes = b"") -> Response:
        """Answer with a page of so many JSON documents, joined by commas: a `PageOf` what they are.

        `further` members of the answer have a comma before each.
        """
        self.request.scope["state"][SHOWN] = shown
        cursor = next_cursor.seal(self._key) if next_cursor else None
        sealed = b"null" if cursor is None else b'"%s"' % cursor.encode()
        headers = None if cursor is None else {"Link": self._link(cursor)}
        content = b'{"items":[%s],"next_cursor":%s%s}' % (documents, sealed, further)
        return Response(content, media_type="application/json", headers=headers)

    @property
    def _key(self) -> bytes:
        key: bytes = self.request.app.state.key
        return key

    def _seal(self, found: Page[Any]) -> str | None:
        return found.next_cursor.seal(self._key) if found.next_cursor else None

    def _answer(self, answer: PageOf[M]) -> PageOf[M]:
        self.request.state.shown = len(answer.items)
        if answer.next_cursor and self.response is not None:
            self.response.headers["Link"] = self._link(answer.next_cursor)
        return answer

    def _link(self, cursor: str) -> str:
        where = self.request.scope
        path = quote(f"{where.get('root_path', '')}{where['path']}")
        return f'<{path}?{_others(where["query_string"])}cursor={cursor}>; rel="next"'


@once_for_short(_SHORT)
def _for_what(query: bytes) -> str:
    return str(sorted((k, v) for k, v in QueryParams(query).multi_items() if k not in {"cursor", "limit"}))


@once_for_short(_SHORT)
def _others(query: bytes) -> str:
    parameters = [(k, v) for k, v in QueryParams(query).multi_items() if k != "cursor"]
    return f"{urlencode(parameters)}&" if parameters else ""


Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items on the page.")]
Place = Annotated[str | None, Query(max_length=2000, description="`next_cursor` of the page before.")]


def paging(request: Request, response: Response, limit: Limit = 50, cursor: Place = None) -> Paging:
    """Return which page is asked for."""
    return Paging(request, response, limit, cursor)


Pages = Annotated[Paging, Depends(paging)]
