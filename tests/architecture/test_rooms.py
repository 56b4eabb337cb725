"""The house as it is drawn: rooms, the map, and a guard for every rule."""

from pathlib import Path

import pytest

from tools.lint.rules.file_length import MOST_LINES
from tools.lint.runner import FOLDERS, Rule, all_rules

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path for path in (ROOT / "deskbell").iterdir() if path.is_dir() and path.name != "__pycache__")


def test_there_are_rooms() -> None:
    assert {"kernel", "audit", "accounts", "tickets"} <= {room.name for room in ROOMS}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_is_a_package_with_something_in_it(room: Path) -> None:
    assert (room / "__init__.py").is_file()
    contents = [file for file in room.rglob("*.py") if file.read_text(encoding="utf-8").count("\n") > 1]
    assert contents, f"{room.name} holds nothing but docstrings: a room is made when it has something in it"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_the_map_names_the_room(room: Path) -> None:
    assert f"{room.name}/" in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_map_fits_in_150_lines() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_no_file_is_too_long() -> None:
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert len(lengths) > 50
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
def test_a_lint_rule_tells_its_accident_and_has_a_test(rule: Rule) -> None:
    assert "\n\n" in rule.accident.strip(), "the docstring says the rule first, then the accident that it prevents"
    assert (ROOT / f"tests/tools/lint/test_{rule.name.replace('-', '_')}.py").is_file()
