"""The how-tos of the hosts and the reference of testing: their code is that of programs which tests run."""

import re
from pathlib import Path

import pytest

from deskbell.integrations.django import Configuration
from deskbell.testing import plugin
from deskbell.testing.factories import Factory

ROOT = Path(__file__).parents[2]
SOURCES = {
    "docs/howto/fastapi.md": ("examples/fastapi_app", "tests/integrations"),
    "docs/howto/flask.md": ("examples/flask_app",),
    "docs/howto/django.md": ("examples/django_app",),
    "docs/reference/testing.md": ("tests/testing",),
}
CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Find (page, code) for each block of Python."""
    return [(page, code) for page in SOURCES for code in CODE.findall((ROOT / page).read_text("utf-8"))]


@pytest.mark.parametrize(("page", "code"), blocks())
def test_the_code_on_the_page_is_run_by_a_test(page: str, code: str) -> None:
    files = [file for folder in SOURCES[page] for file in (ROOT / folder).rglob("*.py")]
    assert any(code.strip("\n") in file.read_text("utf-8") for file in files)


def test_there_is_code_on_each_page() -> None:
    assert {page for page, _ in blocks()} == SOURCES.keys()


def test_each_fixture_is_in_the_reference() -> None:
    listed = set(re.findall(r"`(deskbell_\w+)`", (ROOT / "docs/reference/testing.md").read_text("utf-8")))
    fixtures = {name for name in vars(plugin) if name.startswith("deskbell_")}
    assert len(fixtures) > 10
    assert listed == fixtures


def test_each_method_of_the_factory_is_in_the_reference() -> None:
    listed = set(re.findall(r"^\| `(\w+)\(", (ROOT / "docs/reference/testing.md").read_text("utf-8"), re.MULTILINE))
    assert listed == {name for name, member in vars(Factory).items() if callable(member) and not name.startswith("_")}


def test_each_setting_of_django_is_in_its_how_to() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs/howto/django.md").read_text("utf-8"), re.MULTILINE)
    assert listed == [name.upper() for name in Configuration.model_fields]
