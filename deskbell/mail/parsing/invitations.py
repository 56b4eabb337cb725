"""What a calendar part says, in words: for invitations that come without any text (RFC 5546)."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from deskbell.kernel.text import one_line
from deskbell.mail.parsing.charsets import decode
from deskbell.mail.parsing.headers import tolerant

if TYPE_CHECKING:
    from icalendar import Component, Event

_MAX_BYTES: Final = 200_000
_MAX_LINE: Final = 500
_MAX_DESCRIPTION: Final = 20_000
_TITLES: Final = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Another time proposed",
    "DECLINECOUNTER": "Proposal declined",
    "ADD": "Added to an event",
    "REFRESH": "Asks for the invitation",
}
_ANSWERS: Final = {"ACCEPTED": "accepts", "DECLINED": "declines", "TENTATIVE": "accepts tentatively"}


def in_words(raw: bytes) -> str:
    """Return what, when, where and who asks; empty where that cannot be read."""
    if len(raw) > _MAX_BYTES:
        return ""
    text, _ = decode(raw, "utf-8")
    return tolerant(lambda: _calendar(text), "")


def _calendar(text: str) -> str:
    from icalendar import Calendar, Event  # noqa: PLC0415 - a fifth of a second, for messages that hold one

    calendar = Calendar.from_ical(text)
    events = calendar.walk("VEVENT") if isinstance(calendar, Calendar) else []
    return next((_event(calendar, each) for each in events if isinstance(each, Event)), "")


def _event(calendar: "Component", event: "Event") -> str:
    method = str(calendar.get("METHOD", "PUBLISH")).upper()
    rows = [
        f"{_TITLES.get(method, 'Event')}: {_line(event, 'SUMMARY') or '(no subject)'}",
        *_row("When", _when(event)),
        *_row("Repeats", _repeats(event)),
        *_row("Where", _line(event, "LOCATION")),
        *_row("From", _person(event.get("ORGANIZER"))),
        *(_answers(event) if method == "REPLY" else []),
    ]
    description = str(event.get("DESCRIPTION", "")).strip()[:_MAX_DESCRIPTION]
    return "\n".join(rows) + (f"\n\n{description}" if description else "")


def _row(name: str, value: str) -> list[str]:
    return [f"{name}: {one_line(value, _MAX_LINE)}"] if value else []


def _line(event: "Event", name: str) -> str:
    return one_line(str(event.get(name, "")), _MAX_LINE)


def _when(event: "Event") -> str:
    begin, end = _value(event, "DTSTART"), _value(event, "DTEND")
    if not isinstance(begin, date):
        return ""
    length = _value(event, "DURATION")
    if end is None and isinstance(length, timedelta):
        end = tolerant(lambda: begin + length, None)
    if not isinstance(begin, datetime):
        return _days(begin, end)
    zone = event["DTSTART"].params.get("TZID") or (begin.tzname() if begin.tzinfo else None)
    return f"{begin:%Y-%m-%d %H:%M}{_until(begin, end)}{f' ({zone})' if zone else ''}"


def _repeats(event: "Event") -> str:
    rule = event.get("RRULE")
    return ", ".join(f"{name} {_joined(value)}" for name, value in rule.items()) if isinstance(rule, dict) else ""


def _joined(values: object) -> str:
    return " ".join(map(str, values)) if isinstance(values, list) else str(values)


def _value(event: "Event", name: str) -> object:
    return getattr(event.get(name), "dt", None)


def _days(begin: date, end: object) -> str:
    last = (
        end - timedelta(days=1) if isinstance(end, date) and end > begin else begin
    )  # RFC 5545 3.6.1: the end is the day after
    return f"{begin:%Y-%m-%d}" + (f" – {last:%Y-%m-%d}" if last > begin else "")


def _until(begin: datetime, end: object) -> str:
    if not isinstance(end, datetime):
        return ""
    return f" – {end:%H:%M}" if end.date() == begin.date() else f" – {end:%Y-%m-%d %H:%M}"


def _answers(event: "Event") -> list[str]:
    people = event.get("ATTENDEE", [])
    return [
        one_line(f"{_person(each)} {_ANSWERS.get(str(each.params.get('PARTSTAT', '')).upper(), 'answers')}", _MAX_LINE)
        for each in (people if isinstance(people, list) else [people])[:50]
    ]


def _person(value: object) -> str:
    if value is None:
        return ""
    email = str(value).removeprefix("MAILTO:").removeprefix("mailto:")
    name = getattr(value, "params", {}).get("CN", "")
    return one_line(f"{name} <{email}>" if name and name != email else email, _MAX_LINE)
