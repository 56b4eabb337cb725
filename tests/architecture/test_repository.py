"""What is kept in the repository, and what is not."""

import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRET_FILES = (".env", ".env.*", "*.pem", "*.key", "*.p12", "id_*", ".pgpass", ".netrc")
SECRETS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----$|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b")
OWN_MACHINE = re.compile(r"(?<![\w.])/(?:work|root|Users)/\w")


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Every file that is in the repository, or would be after `git add`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [file for name in listed.split("\0") if name and (file := ROOT / name).is_file()]


def matches(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    """Find `path:line: text` in the text files, line by line."""
    texts = {file: file.read_bytes() for file in files if file.name != "uv.lock"}
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file, text in texts.items()
        if b"\0" not in text
        for number, line in enumerate(text.decode(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_is_a_secret(files: list[Path]) -> None:
    assert [str(file) for file in files if any(fnmatch(file.name, glob) for glob in SECRET_FILES)] == []


def test_no_file_holds_a_secret(files: list[Path]) -> None:
    assert matches(files, SECRETS) == []


def test_no_file_knows_somebodys_machine(files: list[Path]) -> None:
    assert matches(files, OWN_MACHINE) == []


def test_the_lock_file_is_made_from_this_project_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    metadata = next(package["metadata"] for package in lock["package"] if package["name"] == "deskbell")
    name = re.compile(r"^[A-Za-z0-9._-]+")
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *(text for texts in extras.values() for text in texts)]
    asked = {match.group() for text in wanted if (match := name.match(text))}
    asked_by_developers = {match.group() for text in project["dependency-groups"]["dev"] if (match := name.match(text))}
    assert {entry["name"] for entry in metadata["requires-dist"]} == asked
    assert {entry["name"] for entry in metadata["requires-dev"]["dev"]} == asked_by_developers
    assert metadata["provides-extras"] == sorted(extras)


def test_every_exception_from_a_linter_has_its_reason() -> None:
    """An ignore without a reason stays for ever, as nobody knows whether it may go."""
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    codes = [line for line in lines if re.match(r'\s+"[A-Z]+[0-9]+",', line)]
    assert len(codes) > 10
    assert [line for line in codes if not re.search(r"#\s+\S", line)] == []


def test_every_noqa_has_its_reason(files: list[Path]) -> None:
    """Say the code and then why: a bare one silences everything, also what nobody looked at."""
    bare = re.compile(r"#\s*noqa(?!: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*[^\w\n]+\w)")
    assert matches([file for file in files if file.suffix == ".py"], bare) == []
