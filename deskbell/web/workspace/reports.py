"""The reports: one page, and the parts of it that are fetched once the page is there."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.errors import InvalidError, NotFoundError
from deskbell.reports import By
from deskbell.web.dependencies import Tools
from deskbell.web.evaluating import Evaluation, Figures
from deskbell.web.pages.rendering import render
from deskbell.web.workspace import reports_links, reports_page, reports_words
from deskbell.web.workspace.frame import surroundings
from deskbell.web.workspace.reports_asked import Asked, asked

T = TypeVar("T")
router = APIRouter(include_in_schema=False)
_HELPERS: Final[Mapping[str, Any]] = {"words": reports_words, "links": reports_links, "By": By}


async def _of_desk(figures: Evaluation) -> Figures:
    if figures.me.role is Role.CUSTOMER:
        raise NotFoundError
    return figures


DeskFigures = Annotated[Figures, Depends(_of_desk, scope="function")]


class Wanted:
    """The parameters of the address, as they came."""

    def __init__(
        self,
        tools: Tools,
        period: Annotated[str, Query(max_length=20)] = "",
        first: Annotated[str, Query(alias="from", max_length=40)] = "",
        last: Annotated[str, Query(alias="to", max_length=40)] = "",
        by: By = By.STATUS,
        show: Annotated[str, Query(max_length=20)] = "",
    ) -> None:
        """Take what FastAPI read; `show=all` is for those whose browser fetches nothing by itself."""
        self.first, self.last, self.by = first, last, by
        today = tools.clock.now().date()
        self._read = partial(asked, period, first, last, by, today, whole=show == "all")

    def read(self) -> Asked:
        """Return what is asked for. Raises InvalidError."""
        return self._read()


@router.get("/reports")
async def show_reports(request: Request, figures: DeskFigures, wanted: Annotated[Wanted, Depends()]) -> Response:
    """Show what came in, what was done and what was left in a period, and where."""
    try:
        asked_for = wanted.read()
    except InvalidError as error:
        frame = await figures.of(surroundings)
        return _render(request, figures, "refused", {**frame, "wanted": wanted, "error": error}, status=422)
    page = await figures.of(partial(reports_page.page, asked=asked_for))
    return _render(request, figures, "page", {**page.frame, "asked": asked_for, "page": page})


@router.get("/reports/breakdown")
async def show_breakdown(request: Request, figures: DeskFigures, wanted: Annotated[Wanted, Depends()]) -> Response:
    """Show the part of the page that is broken down by something."""
    return await _part(request, figures, wanted, "breakdown", reports_page.breakdown)


@router.get("/reports/times")
async def show_times(request: Request, figures: DeskFigures, wanted: Annotated[Wanted, Depends()]) -> Response:
    """Show the part of the page that tells how long customers waited."""
    return await _part(request, figures, wanted, "times", reports_page.times)


async def _part(
    request: Request, figures: Figures, wanted: Wanted, name: str, read: Callable[[Session, Asked], T]
) -> Response:
    """Answer with one part; a person who opens its address is shown the page that it is a part of."""
    asked_for = wanted.read()
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/reports?{asked_for.query}&show=all#{name}", status_code=303)
    found = await figures.of(lambda session: read(session, asked_for))
    return _render(request, figures, f"_{name}", {"asked": asked_for, name: found})


def _render(
    request: Request, figures: Figures, template: str, context: Mapping[str, Any], *, status: int = 200
) -> Response:
    path = f"workspace/reports/{template}.html"
    return render(request, path, status=status, me=figures.me, **_HELPERS, **context)
