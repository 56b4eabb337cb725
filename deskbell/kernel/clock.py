"""What time it is. Whoever needs the time is given a clock, so that a test can decide what the time is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, at: datetime) -> None:
        """`at` must be aware; any time zone will do."""
        if at.utcoffset() is None:
            raise ValueError(f"{at!r} has no time zone: give the clock an aware time")
        self._now = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return the moment at which the clock stands, aware, in UTC."""
        return self._now

    def advance(self, delta: timedelta) -> datetime:
        """Go on by `delta`, which may be negative, and return the new time."""
        self._now += delta
        return self._now
