"""How many tickets the views of the rail and the list find: asked for once the page is there, never on its way."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from deskbell.search.models import SavedView
from deskbell.search.view_counts import ViewCount, count_views
from deskbell.search.views import all_views
from deskbell.web.dependencies import STAFF_ONLY, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import number, speaking
from deskbell.web.language import language_of
from deskbell.web.schemas.base import Text
from deskbell.web.workspace.frame import built_in_views
from deskbell.web.workspace.suspended import count_waiting

router = APIRouter(include_in_schema=False)


@router.get("/workspace/counts", dependencies=[STAFF_ONLY])
async def counts_of_the_rail(request: Request, session: Transaction) -> Response:
    """Return the text of each count by the key of its place; of views that cannot be read there is none."""
    return _written(request, await session.run_sync(rail_counts), waiting=await session.run_sync(count_waiting))


@router.get("/workspace/total", dependencies=[STAFF_ONLY])
async def total_of_a_query(
    request: Request, session: Transaction, q: Annotated[Text, Query(max_length=5000)] = ""
) -> Response:
    """Return how many tickets a query finds, as `total`."""
    return _written(request, await session.run_sync(total_of, q))


def rail_counts(session: Session) -> dict[str, ViewCount]:
    """Count what each place of the rail finds. At most four statements."""
    built_in, saved = built_in_views(session), all_views(session)
    counted = count_views(session, [*_as_views([view.query for view in built_in]), *saved])
    keys = [*(view.key for view in built_in), *(f"view-{view.id}" for view in saved)]
    return dict(zip(keys, counted, strict=True))


def total_of(session: Session, text: str) -> dict[str, ViewCount]:
    """Count what a query finds."""
    return {"total": count_views(session, _as_views([text]))[0]}


def _as_views(queries: Sequence[str]) -> list[SavedView]:
    """Make views that nobody saved, to be counted with the others: their ids are negative."""
    return [SavedView(id=-place, query=query, sort="") for place, query in enumerate(queries, start=1)]


def _written(request: Request, counts: Mapping[str, ViewCount], *, waiting: int = 0) -> Response:
    with speaking(language_of(request)):
        texts = {key: in_words(count) for key, count in counts.items() if not count.error}
        if waiting:
            texts["suspended"] = number(waiting)
    return JSONResponse(texts, headers={"Cache-Control": "private, no-store"})


def in_words(count: ViewCount) -> str:
    """Write `42`, `10,000+` or `~2,500`, as the reader writes numbers."""
    if count.count is None or count.exact:
        return number(count.count or 0)
    pattern = _("~%(number)s") if count.text.startswith("~") else _("%(number)s+")
    return pattern % {"number": number(count.count)}
