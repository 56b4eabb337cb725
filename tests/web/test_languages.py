"""The languages of the pages: complete, with the same placeholders, and chosen as readers wish."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Message

from deskbell.migrations.metadata import target_metadata
from deskbell.web import i18n
from deskbell.web.recorded import RECORDED
from deskbell.web.templating import label
from tools.messages import LANGUAGES, catalog, load

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def texts(message: Message) -> Iterable[str]:
    """All forms of a translation."""
    return map(str, message.string) if isinstance(message.string, tuple) else (str(message.string or ""),)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_pages_is_translated(language: str) -> None:
    translations = load(language)
    missing = [text.id for text in catalog() if text.id and not _is_whole(translations.get(text.id, text.context))]
    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_of_a_text_that_is_gone(language: str) -> None:
    wanted = catalog()
    assert [text.id for text in load(language) if text.id and wanted.get(text.id, text.context) is None] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_its_text(language: str) -> None:
    """A placeholder that nobody fills is an error when the page is shown."""
    for text in load(language):
        if text.id:
            known = {name for form in _ids(text) for name in PLACEHOLDER.findall(form)}
            assert all(set(PLACEHOLDER.findall(form)) <= known for form in texts(text)), text.id


def test_a_reader_gets_the_language_that_they_chose() -> None:
    assert i18n.preferred("de", "ar,en").code == "de"


@pytest.mark.parametrize(
    ("accepted", "code"),
    [("de-AT,de;q=0.9", "de"), ("fr, ar;q=0.4", "ar"), ("fr", "en"), ("", "en"), ("*;q=x, ,;", "en"), ("de;q=0", "en")],
)
def test_a_browser_says_which_languages_it_likes(accepted: str, code: str) -> None:
    assert i18n.preferred("", accepted).code == code


def test_a_language_that_nobody_knows_is_not_chosen() -> None:
    assert i18n.preferred("../../etc/passwd", "").code == "en"


def test_arabic_runs_from_right_to_left() -> None:
    assert i18n.languages()["ar"].direction == "rtl"
    assert i18n.languages()["de"].direction == "ltr"


def test_dates_and_numbers_are_written_as_the_reader_does() -> None:
    with i18n.speaking(i18n.languages()["de"]):
        assert i18n.date_and_time(NOON, ZoneInfo("Europe/Berlin")) == "22.11.2026, 13:00"
        assert i18n.number(12408) == "12.408"
        assert i18n.before(timedelta(hours=3)) == "vor 3 Std."
    assert i18n.number(12408) == "12,408"


@pytest.mark.parametrize("code", i18n.languages())
def test_every_language_says_how_long_ago_something_was(code: str) -> None:
    """CLDR lacks forms here and there: Arabic has no short "weeks ago"."""
    spans = [timedelta(days=days) for days in (1, 2, 5, 7, 14, 28, 30, 90, 270, 365, 800)]
    spans += [timedelta(minutes=minutes) for minutes in (1, 2, 5, 40, 60, 120, 300, 1200)]
    with i18n.speaking(i18n.languages()[code]):
        assert all(i18n.before(passed) and i18n.age(passed) for passed in spans)
        assert all(i18n.span(passed.days * 86_400 + passed.seconds) for passed in spans)


def test_months_ago_are_past_in_arabic() -> None:
    with i18n.speaking(i18n.languages()["ar"]):
        assert i18n.before(timedelta(days=270)) == "قبل 9 أشهر"


def test_what_is_marked_for_the_logs_is_what_they_call_tables_and_columns() -> None:
    codes = {code for table in target_metadata.tables.values() for code in (table.name, *table.columns.keys())}
    assert set(RECORDED) <= {label(code) for code in codes}


def _is_whole(message: Message | None) -> bool:
    return message is not None and all(texts(message))


def _ids(message: Message) -> Iterable[str]:
    return map(str, message.id) if isinstance(message.id, tuple) else (str(message.id),)
