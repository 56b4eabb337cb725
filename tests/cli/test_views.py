"""`deskbell view`: save, list, run, change and delete queries with a name."""

from typing import get_args

import pytest

from deskbell.cli import views
from deskbell.search.columns import COLUMNS
from deskbell.search.models import Sharing
from tests.cli.conftest import Terminal

SAM = ("--as", "sam@example.test")
LEE = ("--as", "lee@example.test")


def test_a_view_is_saved_listed_run_changed_and_deleted(terminal: Terminal, ticket: str) -> None:
    assert "The view 1, Cards, was saved." in terminal.ok("view", "create", "Cards", "card", *SAM).out
    terminal.ok("view", "create", "Closed", "status:closed", "--sort", "created", "--columns", "number,title", *SAM)
    listed = terminal.ok("view", "list", "--counts", *SAM).out.splitlines()
    assert [line.split()[0] for line in listed] == ["Id", "1", "2"]
    assert [line.split()[-1] for line in listed] == ["Tickets", "1", "0"]
    assert ticket in terminal.ok("view", "run", "1", *SAM).out
    nothing = terminal.ok("view", "run", "2", *SAM)
    assert (nothing.out, nothing.err) == ("", "The view Closed finds no ticket.\n")
    terminal.ok("view", "edit", "2", "--query", "status:open", "--name", "Open", "--share", "everyone", *SAM)
    shown = terminal.ok("view", "run", "2", *SAM).out.splitlines()
    assert shown[0].split() == ["Number", "Title"]
    assert shown[1].startswith(ticket)
    terminal.ok("view", "delete", "1", *SAM)
    document = terminal.ok("view", "list", "--counts", "--json", *SAM).json
    assert [(view["name"], view["shared_with"], view["sort"], view["count"]["text"]) for view in document["views"]] == [
        ("Open", "everyone", "created", "1")
    ]


def test_every_column_can_be_shown(terminal: Terminal, ticket: str) -> None:
    for name in COLUMNS:
        terminal.ok("view", "create", name, "--columns", f"number,{name}" if name != "number" else name, *SAM)
    for view_id, name in enumerate(COLUMNS, start=1):
        head, row = terminal.ok("view", "run", str(view_id), *SAM).out.splitlines()
        assert head.split()[-1] == name.title()
        assert row.startswith(ticket)
    document = terminal.ok("view", "run", "1", "--json", *SAM).json
    assert [it["number"] for it in document["tickets"]] == [ticket]
    assert document["next_cursor"] is None


def test_a_view_goes_on_at_its_cursor(terminal: Terminal, ticket: str) -> None:
    terminal.ok("ticket", "open", "--requester", "kim@example.test", "-m", "Another one")
    terminal.ok("view", "create", "All", "--sort", "created-asc", *SAM)
    first = terminal.ok("view", "run", "1", "--limit", "1", "--json", *SAM).json
    rest = terminal.ok("view", "run", "1", "--limit", "1", "--json", "--cursor", first["next_cursor"], *SAM).json
    assert first["tickets"][0]["number"] == ticket
    assert rest["next_cursor"] is None
    assert "--cursor" in terminal.ok("view", "run", "1", "--limit", "1", *SAM).err


def test_a_view_can_be_shared_with_a_team(terminal: Terminal, ticket: str) -> None:
    assert ticket
    terminal.ok("user", "create", "lee@example.test", "--role", "agent")
    terminal.ok("team", "create", "Cards")
    refused = terminal.run("view", "create", "Ours", "card", "--share", "team", "--team", "cards", *SAM)
    assert (refused.code, "a team that you are in" in refused.err) == (1, True)
    terminal.ok("team", "add", "Cards", "sam@example.test")
    terminal.ok("team", "add", "Cards", "lee@example.test")
    terminal.ok("view", "create", "Ours", "card", "--share", "team", "--team", "cards", *SAM)
    terminal.ok("view", "create", "Mine", *SAM)
    assert [view["name"] for view in terminal.ok("view", "list", "--json", *LEE).json["views"]] == ["Ours"]
    assert "There is no view 2." in terminal.run("view", "run", "2", *LEE).err
    assert "Only its owner" in terminal.run("view", "delete", "1", *LEE).err


@pytest.mark.parametrize(
    ("arguments", "said", "mark"),
    [
        (("status:opn",), "Did you mean `open`?", 7),
        (("card", "--sort", "updated,nonsense"), "sort: cannot be", 8),
        (("card", "--columns", "titel"), "Did you mean `title`?", None),
        (("card", "--share", "team"), "Name the team", None),
    ],
)
def test_what_is_wrong_is_marked(
    terminal: Terminal, ticket: str, arguments: tuple[str, ...], said: str, mark: int | None
) -> None:
    assert ticket
    result = terminal.run("view", "create", "Mine", *arguments, *SAM)
    lines = result.err.splitlines()
    assert (result.code, result.out) == (2, "")
    assert said in lines[0]
    assert [line.index("^") - 2 for line in lines[2:]] == ([] if mark is None else [mark])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("view", "create", "Mine"), 2, "say who acts"),
        (("view", "run", "1"), 1, "There is no view 1."),
        (("view", "run", "0"), 1, "There is no view 0."),
        (("view", "run", str(2**63)), 1, f"There is no view {2**63}."),
        (("view", "delete", "x"), 2, "a valid integer"),
        (("view", "edit", "1", "--share", "all"), 2, "'all' is not one of 'nobody'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    bystander: Terminal, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = bystander.run(*arguments)
    assert (result.code, result.out, len(result.err.splitlines())) == (code, "", 1)
    assert said in result.err


def test_without_views_there_are_none(bystander: Terminal) -> None:
    assert bystander.ok("view", "list").err == "There are no views yet.\n"


def test_what_can_be_typed_is_what_there_is() -> None:
    assert list(get_args(views.SharingName)) == [member.value for member in Sharing]
    assert list(views._cells()) == list(COLUMNS)
