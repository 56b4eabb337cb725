"""Reports: figures over everything, for the desk, as JSON and as CSV."""

from datetime import date
from typing import Annotated

from fastapi import Query, Response

from deskbell.reports import By, DayOfFlow, ResponseTimes, flow, response_times
from deskbell.web.evaluating import StaffEvaluation
from deskbell.web.routes import api_router
from deskbell.web.schemas.reports import DayOfFlowOut, ResponseTimesOut
from deskbell.web.tables import CSV, csv_response

router = api_router("/reports", "reports")

Start = Annotated[date, Query(description="The first day that counts; days are those of UTC.", examples=["2026-11-01"])]
End = Annotated[date, Query(description="The first day that no longer counts.", examples=["2026-12-01"])]
Which = Annotated[By, Query(description="What the report is broken down by.")]


@router.get("/flow", summary="Created, resolved, left")
async def read_flow(
    figures: StaffEvaluation, start_date: Start, end_date: End, by: Which = By.STATUS
) -> list[DayOfFlowOut]:
    """Return how many tickets were created and resolved on each day, and how many were left when it ended.

    Tickets count where they belong now.
    """
    return [DayOfFlowOut.of(one) for one in await figures.of(lambda session: flow(session, start_date, end_date, by))]


@router.get("/flow.csv", summary="The same as CSV", response_class=Response, responses=CSV)
async def download_flow(figures: StaffEvaluation, start_date: Start, end_date: End, by: Which = By.STATUS) -> Response:
    """Return the same as comma-separated values."""
    found = await figures.of(lambda session: flow(session, start_date, end_date, by))
    return csv_response(DayOfFlow._fields, found, f"flow-{start_date}.csv")


@router.get("/times", summary="Times of response and resolution")
async def read_times(
    figures: StaffEvaluation, start_date: Start, end_date: End, by: Which = By.PRIORITY
) -> list[ResponseTimesOut]:
    """Return in how many hours half of the tickets created in a period, and nine of ten, were answered and resolved."""
    return [
        ResponseTimesOut.of(one)
        for one in await figures.of(lambda session: response_times(session, start_date, end_date, by))
    ]


@router.get("/times.csv", summary="The same as CSV", response_class=Response, responses=CSV)
async def download_times(
    figures: StaffEvaluation, start_date: Start, end_date: End, by: Which = By.PRIORITY
) -> Response:
    """Return the same as comma-separated values."""
    found = await figures.of(lambda session: response_times(session, start_date, end_date, by))
    return csv_response(ResponseTimes._fields, found, f"times-{start_date}.csv")
