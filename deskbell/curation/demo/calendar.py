"""When tickets come in: more by day than by night, on Mondays than on Sundays, this year than last."""

from bisect import bisect_left
from itertools import accumulate

HOUR = 3600
DAY = 24 * HOUR
SPAN = 730 * DAY
"""Two years, in seconds, as all times here."""
_BY_HOUR = (2, 1, 1, 1, 1, 2, 4, 9, 16, 22, 24, 22, 18, 19, 21, 20, 18, 15, 12, 10, 9, 8, 6, 4)
_BY_DAY = (100, 92, 90, 88, 80, 34, 26)  # Monday first
_GROWTH = 0.8  # how many more come at the end than at the beginning
_EPOCH_DAY = 3  # 1970-01-01 was a Thursday
_MORNING, _EVENING = 7, 20


class Calendar:
    """The two years before `until`, in seconds since 1970."""

    def __init__(self, until: int) -> None:
        """Weigh each hour."""
        self.until, self.since = until, until - SPAN
        self._sums = list(accumulate((self._weight(hour) for hour in range(SPAN // HOUR)), initial=0.0))

    def _weight(self, hour: int) -> float:
        at = self.since + hour * HOUR
        weekday = (at // DAY + _EPOCH_DAY) % 7
        return _BY_HOUR[at // HOUR % 24] * _BY_DAY[weekday] * (1 + _GROWTH * hour * HOUR / SPAN)

    def moment(self, share: float) -> int:
        """Return when this share of all tickets, 0 to 1, had come in: it never goes back as the share grows."""
        wanted = share * self._sums[-1]
        hour = max(bisect_left(self._sums, wanted) - 1, 0)
        within = (wanted - self._sums[hour]) / (self._sums[hour + 1] - self._sums[hour])
        return min(self.since + int((hour + within) * HOUR), self.until - 1)


def in_working_hours(at: int) -> int:
    """Move what would happen at night to the next morning."""
    hour = at // HOUR % 24
    if hour < _MORNING:
        return at + (_MORNING - hour) * HOUR
    return at + (24 + _MORNING - hour) * HOUR if hour >= _EVENING else at
