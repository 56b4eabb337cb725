"""What filters of lists offer, and how what was typed into them is read."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query

from deskbell.web.i18n import gettext as _
from deskbell.web.schemas.base import BIGGEST, Text
from deskbell.web.templating import label

Words = Annotated[Text, Query(max_length=255)]
"""What a filter is asked with; nothing where it is left alone."""


def choices(values: Sequence[str], anything: str) -> list[dict[str, str]]:
    """Return what a filter offers, all of it first."""
    return [{"value": "", "label": anything}, *({"value": value, "label": label(value)} for value in values)]


def yes_or_no(yes: str, no: str) -> list[dict[str, str]]:
    """Return what a filter of a flag offers."""
    return [{"value": "", "label": _("All")}, {"value": "yes", "label": yes}, {"value": "no", "label": no}]


def flag(value: str) -> bool | None:
    """Read the answer to such a filter."""
    return {"yes": True, "no": False}.get(value)


def whole(value: str) -> int | None:
    """Read a number as people write it; None where there is none that an id can be."""
    digits = value.strip().lstrip("#")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0  # noqa: PLR2004 - a bigint
    return number if 0 < number <= BIGGEST else None


def days(since: date | None, until: date | None, zone: str) -> tuple[datetime | None, datetime | None]:
    """Return the moments between which lie all of two days and what is between them, where somebody lives."""
    return _begin(since, zone), _begin(until and _after(until), zone)


def _begin(one: date | None, zone: str) -> datetime | None:
    if one is None:
        return None
    try:
        return datetime.combine(one, time(), ZoneInfo(zone)).astimezone(UTC)
    except (OverflowError, ValueError, KeyError):
        return datetime.combine(one, time(), UTC)


def _after(one: date) -> date:
    return one if one == date.max else one + timedelta(days=1)


def day(value: str) -> date | None:
    """Read the value of a field for a day; None for what is none."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
