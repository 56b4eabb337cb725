"""How reports are worded, in the reader's language: spans of days, hours, changes, and what has no name."""

from datetime import date
from typing import Final

from babel.dates import format_interval, format_skeleton
from babel.numbers import format_percent
from babel.units import format_unit

from deskbell.reports import By, Period
from deskbell.web.i18n import current, marked
from deskbell.web.i18n import gettext as _
from deskbell.web.templating import label

PERIOD_NAMES: Final = {
    "7d": marked("7 days"),
    "30d": marked("30 days"),
    "90d": marked("90 days"),
    "12m": marked("12 months"),
    "month": marked("This month"),
    "last-month": marked("Last month"),
}
BY_NAMES: Final = {
    By.STATUS: marked("Status"),
    By.PRIORITY: marked("Priority"),
    By.ASSIGNEE: marked("Agent"),
    By.TEAM: marked("Team"),
    By.TAG: marked("Tag"),
    By.CHANNEL: marked("Channel"),
}
BY_TITLES: Final = {
    By.STATUS: marked("By status"),
    By.PRIORITY: marked("By priority"),
    By.ASSIGNEE: marked("By agent"),
    By.TEAM: marked("By team"),
    By.TAG: marked("By tag"),
    By.CHANNEL: marked("By channel"),
}
_NOBODY: Final = {By.ASSIGNEE: marked("Nobody"), By.TEAM: marked("No team"), By.TAG: marked("No tag")}
_HOURS_OF_A_DAY: Final = 24
_MANY_HOURS: Final = 48
_MINUTES: Final = 60


def span(period: Period, *, with_year: bool = True) -> str:
    """`25 Oct - 23 Nov 2026`, `23 Nov 2026`: the first and the last day."""
    skeleton = "yMMMd" if with_year else "MMMd"
    if period.days == 1:
        return format_skeleton(skeleton, period.start, locale=current().locale)
    return format_interval(period.start, period.last, skeleton, locale=current().locale)


def day(date_: date) -> str:
    """`23 Nov 2026`."""
    return format_skeleton("yMMMd", date_, locale=current().locale)


def part(period: Period, whole: Period) -> str:
    """A day, week or month of a period, with its year where the period has several."""
    return span(period, with_year=whole.start.year != whole.last.year)


def called(by: By, value: str, name: str) -> str:
    """What a value is called: a word of ours is translated, the name of a person, team or tag is as it is."""
    if not value:
        return _(_NOBODY.get(by, marked("None")))
    return label(value) if by in {By.STATUS, By.PRIORITY, By.CHANNEL} else name


def hours(value: float | None) -> str:
    """`25 mins`, `3.4 hrs`, `5.2 days`; a dash where there is none."""
    if value is None:
        return "\N{EN DASH}"
    locale = current().locale
    if value < 1:
        return format_unit(round(value * _MINUTES), "minute", "short", locale=locale)
    if value < _MANY_HOURS:
        return format_unit(round(value, 1), "hour", "short", locale=locale)
    return format_unit(round(value / _HOURS_OF_A_DAY, 1), "day", "short", locale=locale)


def change(now: float | None, before: float | None) -> str:
    """`12% more`, `3% less`, `the same`; nothing where there is nothing to compare."""
    if now is None or before is None or (not now and not before):
        return ""
    if not before:
        return _("none before")
    share = now / before - 1
    if not round(share, 2):
        return _("about the same")
    text = format_percent(abs(share), locale=current().locale)
    return _("%(share)s more") % {"share": text} if share > 0 else _("%(share)s less") % {"share": text}


def longer(now: float | None, before: float | None) -> str:
    """The same of times: `12% longer`, `3% shorter`."""
    if not now or not before:
        return ""
    share = now / before - 1
    if not round(share, 2):
        return _("about the same")
    text = format_percent(abs(share), locale=current().locale)
    return _("%(share)s longer") % {"share": text} if share > 0 else _("%(share)s shorter") % {"share": text}
