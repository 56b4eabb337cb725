"""What reports answer."""

from datetime import date
from typing import Self

from pydantic import Field

from deskbell.reports import DayOfFlow, ResponseTimes
from deskbell.web.schemas.base import Output


class DayOfFlowOut(Output):
    """One day and one value."""

    day: date = Field(examples=["2026-11-22"])
    value: str = Field(description="A word, an id, or empty for none.", examples=["4"])
    name: str = Field(examples=["Cards"])
    created: int = Field(examples=[12])
    resolved: int = Field(examples=[9])
    backlog: int = Field(description="What was left when the day ended.", examples=[48])

    @classmethod
    def of(cls, found: DayOfFlow) -> Self:
        """Present a day."""
        return cls(**found._asdict())


class ResponseTimesOut(Output):
    """The times of one value's tickets, in hours; null where no ticket had any."""

    value: str = Field(description="A word, an id, or empty for none.", examples=["urgent"])
    name: str = Field(examples=["urgent"])
    tickets: int = Field(examples=[48])
    responded: int = Field(examples=[40])
    response_median: float | None = Field(examples=[1.5])
    response_p90: float | None = Field(examples=[7.25])
    resolved: int = Field(examples=[31])
    resolution_median: float | None = Field(examples=[20.0])
    resolution_p90: float | None = Field(examples=[71.5])

    @classmethod
    def of(cls, found: ResponseTimes) -> Self:
        """Present the times."""
        return cls(**found._asdict())
