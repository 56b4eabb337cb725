"""Figures about tickets."""

from typing import Annotated

from fastapi import Query

from deskbell.tickets.statistics import get_ticket_statistics, moment_named
from deskbell.web.evaluating import Evaluation
from deskbell.web.routes import api_router
from deskbell.web.schemas.base import Text
from deskbell.web.schemas.bulk import StatisticsOut

router = api_router("/statistics", "statistics")
_HOW = "A date, which begins at midnight where you are, or a time with its offset."

Start = Annotated[Text, Query(max_length=40, description=f"The first that counts. {_HOW}", examples=["2026-11-01"])]
End = Annotated[
    Text, Query(max_length=40, description=f"The first that no longer counts. {_HOW}", examples=["2026-12-01"])
]


@router.get("", summary="Figures of a period")
async def read_statistics(figures: Evaluation, start_date: Start, end_date: End) -> StatisticsOut:
    """Count the tickets that were created in a period and that you may see, and how long they took. Ten years at most.

    A ticket that was opened again counts as resolved when it is so again.
    """
    period = moment_named(start_date, "start_date"), moment_named(end_date, "end_date")
    return StatisticsOut.of(await figures.of(lambda session: get_ticket_statistics(session, *period)))
