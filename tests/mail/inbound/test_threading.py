"""Which conversation a message belongs to."""

import pytest

from deskbell.mail.inbound.threading import clean_subject, reference_chain, ticket_numbers_in
from deskbell.mail.parsing import parse


@pytest.mark.parametrize(
    ("subject", "numbers"),
    [
        ("[DB-1042] Printer", ("DB-1042",)),
        ("Re: DB-1042: Printer", ("DB-1042",)),
        ("re: db-1042 and DB-7, DB-1042", ("DB-1042", "DB-7")),
        ("XDB-1042", ()),
        ("DB-10421x", ()),
        ("MY-DB-1042", ()),
        ("DB-1042-3a", ()),
        ("DB-", ()),
        ("DB-١٠", ()),
        ("", ()),
    ],
)
def test_ticket_numbers_are_whole_words(subject: str, numbers: tuple[str, ...]) -> None:
    assert ticket_numbers_in(subject, "DB-") == numbers


def test_a_longer_number_is_another_ticket() -> None:
    assert ticket_numbers_in("DB-10421", "DB-") == ("DB-10421",)


def test_any_prefix_is_taken_literally() -> None:
    assert ticket_numbers_in("Help T#12 please", "T#") == ("T#12",)
    assert ticket_numbers_in("Help TX12 please", "T.") == ()


def test_the_nearest_reference_comes_first() -> None:
    raw = b"Message-ID: <me@x>\nIn-Reply-To: <c@x>\nReferences: <a@x> <b@x>\n <c@x> <me@x>\n\n"
    assert reference_chain(parse(raw)) == ("c@x", "b@x", "a@x")


def test_references_without_a_parent_are_enough() -> None:
    assert reference_chain(parse(b"References: <a@x>,<b@x>\n\n")) == ("b@x", "a@x")
    assert reference_chain(parse(b"\n")) == ()


def test_a_chain_is_bounded() -> None:
    raw = b"References: " + b" ".join(b"<%d@x>" % n for n in range(5_000)) + b"\n\n"
    chain = reference_chain(parse(raw))
    assert len(chain) == 50
    assert chain[0] == "4999@x"


@pytest.mark.parametrize(
    ("subject", "cleaned"),
    [
        ("Re: Printer", "Printer"),
        ("RE: Fwd: AW: WG: SV: Printer", "Printer"),
        ("RE[2]: Re(3): Re^2: Printer", "Printer"),
        ("Re : Printer", "Printer"),
        ("回复：Printer", "Printer"),
        ("Re: [DB-1042] Re: Printer", "Printer"),
        ("[db-1042] Printer: it burns", "Printer: it burns"),
        ("DB-1042: Printer", "Printer"),
        ("Regarding: Printer", "Regarding: Printer"),
        ("Ref-Nr: 12", "Ref-Nr: 12"),
        ("[JIRA-7] Printer", "[JIRA-7] Printer"),
        ("Re:", ""),
        ("", ""),
    ],
)
def test_reply_marks_and_our_own_number_go(subject: str, cleaned: str) -> None:
    assert clean_subject(subject, "DB-") == cleaned


def test_without_a_prefix_ticket_numbers_stay() -> None:
    assert clean_subject("Re: [DB-1042] Printer") == "[DB-1042] Printer"
