"""The help teaches, answers at once, and the reference page knows every command."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.main import get_command

from deskbell.accounts.models import Role
from deskbell.cli import app, letters, mail, people, ticket_acts
from deskbell.mail.inbound.models import MailState
from deskbell.mail.outbound.models import OutboundKind
from deskbell.tickets.models import TicketPriority, TicketStatus

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference/cli.md"


def all_commands() -> Iterator[tuple[str, Any]]:
    """Walk the tree: `ticket list` and the command behind it."""

    def walk(path: tuple[str, ...], command: Any) -> Iterator[tuple[str, Any]]:
        if hasattr(command, "commands"):
            for name, inner in command.commands.items():
                yield from walk((*path, name), inner)
        else:
            yield " ".join(path), command

    return walk((), get_command(app.app))


COMMANDS = dict(all_commands())


def section_of(path: str) -> str:
    """What the reference page says about a command."""
    page = REFERENCE.read_text(encoding="utf-8")
    found = re.search(rf"^### `deskbell {re.escape(path)}`\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, f"docs/reference/cli.md has no heading for `deskbell {path}`"
    return found[1]


def test_there_are_commands() -> None:
    assert {"serve", "import csv", "ticket list", "db shell", "audit show"} <= COMMANDS.keys()


@pytest.mark.parametrize("path", COMMANDS)
def test_a_commands_help_has_an_example(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([*path.split(), "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Examples" in said
    assert re.search(rf"deskbell {path}|DESKBELL_\w+=\S+ deskbell {path}", said.partition("Examples")[2])


@pytest.mark.parametrize("path", sorted({path.split()[0] for path in COMMANDS if " " in path}))
def test_a_groups_help_has_an_example(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([path, "--help"]) == 0
    assert f"deskbell {path} " in capsys.readouterr().out.partition("Examples")[2]


@pytest.mark.parametrize("path", COMMANDS)
def test_the_reference_page_knows_the_command_and_its_options(path: str) -> None:
    section = section_of(path)
    common = {"--help", "--data-dir", "--debug", "--explain"}
    options = {option for each in COMMANDS[path].params for option in each.opts if option.startswith("--")} - common
    assert f"    deskbell {path}" in section, "it has no example"
    assert {option for option in options if f"`{option}" not in section} == set()


def test_the_reference_page_knows_no_command_that_is_not_there() -> None:
    headings = re.findall(r"^### `deskbell (.+)`$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(COMMANDS)


def test_help_loads_nothing_heavy() -> None:
    """`deskbell --help` must answer at once: SQLAlchemy alone takes as long as all of it may."""
    heavy = "{'sqlalchemy', 'alembic', 'fastapi', 'psycopg', 'uvicorn', 'structlog'}"
    ask = "from deskbell.cli.app import run; run(['import', 'csv', '--help'])"
    script = f"import sys; {ask}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("set()"), done.stdout.splitlines()[-1]


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([]) == 2
    captured = capsys.readouterr()
    assert "deskbell serve" in captured.out
    assert captured.err == ""


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_the_version_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(arguments) == 0
    assert re.fullmatch(r"deskbell \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (people.RoleName, Role),
        (ticket_acts.StatusName, TicketStatus),
        (ticket_acts.PriorityName, TicketPriority),
        (mail.StateName, MailState),
        (letters.KindName, OutboundKind),
    ],
)
def test_what_can_be_typed_is_what_there_is(names: Any, kind: Any) -> None:
    """The names are written out once more in the command line, so that help does not load the models."""
    assert list(get_args(names)) == [member.value for member in kind]
