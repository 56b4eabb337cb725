"""`deskbell search`: finding with the place, corrections, and another language."""

from tests.cli.conftest import Terminal

SAM = ("--as", "sam@example.test")


def test_a_search_shows_the_place_and_how_many(terminal: Terminal, ticket: str) -> None:
    found = terminal.ok("search", "tickets", "card", *SAM)
    assert ticket in found.out
    assert "1 found." in found.err
    document = terminal.ok("search", "tickets", "card", "--json", *SAM).json
    assert document["tickets"][0]["number"] == ticket
    assert "<mark>card</mark>" in str(document["tickets"][0]).lower()


def test_a_typing_error_is_corrected_and_said(terminal: Terminal, ticket: str) -> None:
    found = terminal.ok("search", "tickets", "crad", *SAM)
    assert ticket in found.out
    assert "also searched for card" in found.err


def test_nothing_found_is_said_and_a_broken_query_shows_its_place(terminal: Terminal, ticket: str) -> None:
    assert ticket
    assert terminal.ok("search", "tickets", "zzzz", *SAM).err == "Nothing was found.\n"
    refused = terminal.run("search", "tickets", "stauts:open", *SAM)
    assert (refused.code, "status:" in refused.err) == (2, True)


def test_the_language_is_shown_and_chosen(terminal: Terminal, ticket: str) -> None:
    assert terminal.ok("search", "language").out == "The search reads english.\n"
    refused = terminal.run("search", "language", "klingon")
    assert (refused.code, "no stemmer" in refused.err) == (2, True)
    assert terminal.ok("search", "language", "german").out == "The search reads german.\n"
    assert terminal.ok("search", "language", "english").out == "The search reads english.\n"
    assert ticket
    assert terminal.ok("search", "reindex").out.endswith(" built.\n")
