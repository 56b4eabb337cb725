"""Text from outside made fit to keep and to show."""

import unicodedata
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import (
    clean,
    clean_email,
    clean_file_name,
    human_bytes,
    human_duration,
    normalized_email,
    one_line,
    title_from,
)

anything = st.text(st.characters())  # surrogates and controls included
WORDS = st.text("abcdefgh ,.!?\n\u202e\u0301", max_size=400)


@given(anything)
@example("a\0b\ud800c")
def test_cleaned_text_can_be_stored_and_is_left_alone_the_second_time(value: str) -> None:
    cleaned = clean(value)
    assert "\0" not in cleaned
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_that_can_be_stored_is_not_changed(value: str) -> None:
    assert clean(value) == value


def test_a_lone_surrogate_becomes_a_replacement_character_and_a_pair_its_character() -> None:
    assert clean("a\ud83dz\udc00") == "a\ufffdz\ufffd"
    assert clean("\ud83d\ude00") == "\U0001f600"


@given(anything | WORDS, st.integers(1, 80))
def test_a_line_is_never_too_long_and_has_nothing_that_deceives(value: str, limit: int) -> None:
    line = one_line(value, limit)
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in line)
    assert not set(line) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200b")


def test_a_long_line_is_cut_between_words() -> None:
    assert one_line("the quick brown fox", 12) == "the quick…"
    assert one_line("the quick brown fox", 10) == "the quick…"
    assert one_line("the quick", 9) == "the quick"
    assert one_line("unbroken" * 3, 9) == "unbroken…"


def test_a_line_of_no_length_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="0 characters"):
        one_line("a", 0)


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("I am still waiting on my card?", "I am still waiting on my card?"),
        ("Hi,\n\nMy card broke. What now?", "Hi, My card broke."),
        ("-----\n\nLogin broken\nSince today.", "Login broken"),
        ("Help! My card was stolen. Now what?", "Help! My card was stolen."),
        ("Mr. Smith told me to write. Hello.", "Mr. Smith told me to write."),
        ("Version 2.1.9 does not start. Why?", "Version 2.1.9 does not start."),
        ("My parcel has not arrived although you said that it would by\nMonday. Why?", None),
        ("我的卡还没有到。什么时候才能收到我的新卡呢。请帮忙。", "我的卡还没有到。什么时候才能收到我的新卡呢。"),
        ("", "(no subject)"),
        (" \n\0\n…\n", "(no subject)"),
    ],
)
def test_a_title_is_the_first_sentence_or_line(message: str, title: str | None) -> None:
    expected = title or "My parcel has not arrived although you said that it would by Monday."
    assert title_from(message) == expected


@given(anything | WORDS, st.integers(1, 200))
def test_a_title_is_never_empty_and_never_too_long(message: str, limit: int) -> None:
    title = title_from(message, limit)
    assert title
    assert len(title) <= limit
    assert title == one_line(title, limit)


@pytest.mark.parametrize(
    "address",
    [
        "a@b",
        "Anna.Smith+tag@Example.COM",
        "o'hara@x-y.example",
        "müller@bücher.example",
        "root@localhost",
        "名@例え.jp",
    ],
)
def test_an_address_keeps_the_case_in_which_it_was_typed(address: str) -> None:
    assert clean_email(f"  {address}\n") == address


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "is needed"),
        ("anna", "no @"),
        ("@example.com", "before the @"),
        ("anna@", "after the @"),
        ("anna smith@example.com", "a space may not"),
        ("Anna <anna@example.com>", "a space|“<”|“>”"),
        ("a\0b@example.com", r"U\+0000"),
        ("a\u202eb@example.com", r"U\+202E"),
        ("a\ud800@example.com", "not Unicode text"),
        ("a..b@example.com", "two in a row"),
        (".a@example.com", "begins or ends with a dot"),
        ("a@b@example.com", "“@” may not"),
        ("a@exa mple.com", "a space may not"),
        ("a@-example.com", "hyphen"),
        ("a@example..com", "empty"),
        ("a@example.com.", "empty"),
        ("a@" + "x" * 64 + ".com", "cannot be part"),
        ("x" * 65 + "@example.com", "longer than 64"),
        ("ü" * 33 + "@example.com", "longer than 64"),
        ("a@" + ".".join(["x" * 60] * 5), "longer than 254"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason_and_the_field(address: str, why: str) -> None:
    with pytest.raises(InvalidError, match=why) as refused:
        clean_email(address, field="requester")
    assert refused.value.field == "requester"


@given(anything)
def test_whatever_is_typed_is_an_address_or_is_refused(value: str) -> None:
    with suppress(InvalidError):
        address = clean_email(value)
        assert clean_email(address) == address
        assert normalized_email(normalized_email(address)) == normalized_email(address)


def test_addresses_are_compared_without_case_letter_by_letter() -> None:
    assert normalized_email(" Anna@Example.COM ") == "anna@example.com"
    assert normalized_email("ΟΔΟΣ@x") == "οδοσ@x"  # no final sigma, as in PostgreSQL
    assert len(normalized_email("İ@x")) == len("İ@x")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\anna\con.txt", "_con.txt"),
        ("COM1", "_COM1"),
        ("console.log", "console.log"),
        (".bashrc", "bashrc"),
        ("...", "file"),
        ("", "file"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ('a<b>:"|?*.txt', "a_b______.txt"),
        ("two\r\nlines.txt", "two lines.txt"),
        ("trailing. . ", "trailing"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_a_file_name_is_safe_on_every_system(name: str, safe: str) -> None:
    assert clean_file_name(name) == safe


@given(anything | st.text("./\\ conCON1é", max_size=300), st.integers(32, 255))
def test_a_safe_file_name_fits_has_no_path_and_stays_as_it_is(name: str, limit: int) -> None:
    safe = clean_file_name(name, limit)
    assert 1 <= len(safe.encode()) <= limit
    assert not set(safe) & set('/\\<>:"|?*\0\n')
    assert not safe.startswith(".")
    assert not safe.endswith((".", " "))
    assert clean_file_name(safe, limit) == safe


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 kB"), (1536, "1.5 kB"), (1024**2 - 1, "1 MB"), (25 * 1024**2, "25 MB")],
)
def test_sizes_are_written_for_people(size: int, text: str) -> None:
    assert human_bytes(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45, "45 s"),
        (65, "1 min 5 s"),
        (7500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (86_460, "1 d"),
        (-60, "-1 min"),
    ],
)
def test_durations_are_written_for_people(seconds: int, text: str) -> None:
    assert human_duration(timedelta(seconds=seconds)) == text
