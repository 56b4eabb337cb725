"""What the address of a report asks for: a period, and what it is broken down by. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import one_line
from deskbell.reports import PERIODS, By, Period
from deskbell.reports.dimensions import checked_period
from deskbell.web.i18n import gettext as _

USUAL: Final = "30d"
OWN: Final = "own"


@dataclass(frozen=True, slots=True)
class Asked:
    """`name` is that of the period, `own` for dates of one's own; `whole` shows the parts that are slow at once."""

    name: str
    period: Period
    by: By
    whole: bool = False

    @property
    def query(self) -> str:
        """What stands behind the question mark: the same report has one address."""
        return self._query(self.name, self.by)

    def with_period(self, name: str) -> str:
        """Return the address of the same over a period with a name."""
        return f"/reports?{self._query(name, self.by)}"

    def with_by(self, by: By) -> str:
        """Return the address of the same broken down otherwise."""
        return f"/reports?{self._query(self.name, by)}"

    def csv(self, report: str, by: By) -> str:
        """Return the address of the file with all that a table is made of."""
        dates = {"start_date": self.period.start, "end_date": self.period.end, "by": by.value}
        return f"/api/v1/reports/{report}.csv?{urlencode(dates)}"

    def _query(self, name: str, by: By) -> str:
        own = {"from": self.period.start, "to": self.period.last} if name == OWN else {}
        return urlencode({"period": name, **own, "by": by.value})


def asked(name: str, first: str, last: str, by: By, today: date, *, whole: bool = False) -> Asked:
    """Read what was asked for; dates make a period of one's own, both of which count. Raises InvalidError."""
    if first or last:
        return Asked(OWN, _own(first, last), by, whole)
    chosen = name or USUAL
    if chosen not in PERIODS:
        wrong = _("There is no period %(name)s: choose one, or dates.") % {"name": one_line(repr(chosen), 40)}
        raise InvalidError(wrong, field="period")
    return Asked(chosen, PERIODS[chosen](today), by, whole)


def _own(first: str, last: str) -> Period:
    start, end = _day(first, "from"), _day(last, "to")
    if end < start:
        raise InvalidError(_("The last day is before the first."), field="to")
    try:
        period = Period(start, date.fromordinal(end.toordinal() + 1))
        checked_period(period.start, period.end)
    except ValueError:
        raise InvalidError(_("There are no reports of days after 8999."), field="to") from None
    except InvalidError as error:
        raise InvalidError(error.message, field="from" if error.field == "start_date" else "to") from None
    return period


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        wrong = _("%(text)s is no date. Write it like 2026-11-22.") % {"text": one_line(repr(text), 40)}
        missing = _("Give both the first and the last day. Write it like 2026-11-22.")
        raise InvalidError(wrong if text else missing, field=field) from None
