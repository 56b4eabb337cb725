"""Languages: which one a reader wants, its words, and how it writes times, numbers and sizes. For pages and mails.

Texts are marked with `_` in templates and in Python; `make messages` collects them into `web/locale/<language>.po`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cache, lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_date, format_time, format_timedelta, get_datetime_format
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

CATALOGS: Final = Path(__file__).parents[1] / "web" / "locale"
SOURCE: Final = "en"
"""The language that texts are written in."""
_WRITTEN: Final = {SOURCE: "en_GB"}
"""How times and numbers are written in a language, where it is not as most of its readers do."""
_SPELLED_OUT: Final = ("ar",)
"""Languages for which CLDR's short forms of "ago" are missing (weeks) or say "within" (months)."""
_UNITS: Final = ((365, 0), (30, 0), (7, 0), (1, 0), (0, 3600), (0, 60))
"""(days, seconds) of the units in which people say how long ago something was."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language that pages can be read in. `direction` is `ltr` or `rtl`."""

    code: str
    name: str
    direction: str
    locale: Locale
    words: NullTranslations


@cache
def languages() -> dict[str, Language]:
    """Return code → language, the source first, then by code. Reads the catalogs once."""
    codes = [SOURCE, *sorted(path.stem for path in CATALOGS.glob("*.po"))]
    return {code: _language(code) for code in codes}


def preferred(chosen: str, accepted: str) -> Language:
    """Return the language somebody chose, else the first their browser accepts (RFC 9110, 12.5.4), else English."""
    known = languages()
    if chosen in known:
        return known[chosen]
    wanted = sorted(map(_weighed, accepted.split(",")[:20]), key=lambda pair: -pair[0])
    found = negotiate_locale([tag for weight, tag in wanted if tag and weight > 0], list(known), sep="-")
    return known[found or SOURCE]


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Let `_` and all that is formatted be in this language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Language:
    """Return the language that is spoken just now."""
    return _current.get(None) or languages()[SOURCE]


def gettext(message: str) -> str:
    """Return a text in the current language."""
    return current().words.gettext(message)


_ = gettext


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a text that goes with a number."""
    return current().words.ngettext(one, many, count)


def marked(message: str) -> str:
    """Mark a text that is translated when it is shown: `_(LABELS[code])`."""
    return message


def date_and_time(moment: datetime, zone: tzinfo) -> str:
    """`22 Nov 2026, 23:09` where the reader lives."""
    return _date_and_time(moment, zone, current().code)


def day(moment: datetime, zone: tzinfo) -> str:
    """`22 Nov 2026` where the reader lives."""
    return format_date(moment.astimezone(zone).date(), "medium", locale=current().locale)


def before(passed: timedelta) -> str:
    """`5 min ago`; `just now` within a minute and in the future."""
    for days, seconds in _UNITS:
        unit = timedelta(days, seconds)
        if passed >= unit:
            whole = passed // unit * unit
            length: Literal["long", "short"] = "long" if current().code in _SPELLED_OUT else "short"
            return _span(-whole, length, current().code, add_direction=True)
    return _("just now")


def age(passed: timedelta) -> str:
    """`15h`, `6d`: how long something has been there, where there is little room; at least a minute."""
    for days, seconds in _UNITS:
        unit = timedelta(days, seconds)
        if passed >= unit:
            return _span(passed // unit * unit, "narrow", current().code)
    return _span(timedelta(minutes=1), "narrow", current().code)


# A list shows a hundred times, and most of them again and again.


@lru_cache(maxsize=5_000)
def _date_and_time(moment: datetime, zone: tzinfo, code: str) -> str:
    locale = languages()[code].locale
    pattern = str(get_datetime_format("medium", locale))  # "{1}, {0}"
    date = format_date(moment.astimezone(zone).date(), "medium", locale=locale)
    return pattern.format(format_time(moment, "short", zone, locale), date)


@lru_cache(maxsize=1_000)
def _span(
    passed: timedelta, length: Literal["long", "short", "narrow"], code: str, *, add_direction: bool = False
) -> str:
    locale = languages()[code].locale
    return format_timedelta(passed, threshold=1, format=length, add_direction=add_direction, locale=locale)


def span(seconds: int) -> str:
    """`45 seconds`, `3 minutes`, `2 hours`: rounded up, so that nobody comes back too early."""
    unit = next((size for size in (3600, 60) if seconds > size), 1)
    return format_timedelta(-(-seconds // unit) * unit, granularity="second", threshold=1, locale=current().locale)


def number(value: float) -> str:
    """`12,408` as the reader writes it."""
    return format_decimal(value, locale=current().locale)


_current: ContextVar[Language | None] = ContextVar("language", default=None)


def _language(code: str) -> Language:
    locale = Locale.parse(_WRITTEN.get(code, code))
    path = CATALOGS / f"{code}.po"
    words = _compiled(path) if path.exists() else NullTranslations()
    name = Locale.parse(code).get_language_name(code) or code
    return Language(code, name.capitalize(), locale.text_direction, locale, words)


def _compiled(path: Path) -> Translations:
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=path.stem))
    compiled.seek(0)
    return Translations(compiled)


def _weighed(choice: str) -> tuple[float, str]:
    """Read `de-AT;q=0.8`."""
    tag, _separator, quality = choice.strip().partition(";q=")
    try:
        Locale.parse(tag, sep="-")
        return float(quality or 1), tag
    except (ValueError, UnknownLocaleError):
        return 0, ""
