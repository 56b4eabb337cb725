"""The examples of the Python reference are run as they stand, and every public name is on that page."""

import ast
import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deskbell
from deskbell.kernel.database import Database

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference" / "python.md"
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.REPORT_NDIFF


def test_the_examples_are_true(example_database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    examples = doctest.DocTestParser().get_doctest(text, {"database": example_database}, "python.md", "python.md", 0)
    assert len(examples.examples) > 30
    result = doctest.DocTestRunner(optionflags=OPTIONS).run(examples)
    assert result.failed == 0, capsys.readouterr().out


def test_the_fragments_that_are_not_run_are_python_at_least() -> None:
    fragments = re.findall(r"```python\n(.*?)```", REFERENCE.read_text(encoding="utf-8"), re.DOTALL)
    assert fragments
    for fragment in fragments:
        ast.parse(fragment)
        for imported in re.findall(r"^from deskbell import (.+)$", fragment, re.MULTILINE):
            assert set(imported.split(", ")) <= set(deskbell.__all__)


@pytest.mark.parametrize("name", deskbell.__all__)
def test_each_public_name_is_on_the_page_and_can_be_imported(name: str) -> None:
    assert re.search(rf"`[^`\n]*\b{name}\b[^`]*`|import .*\b{name}\b", REFERENCE.read_text(encoding="utf-8"))
    assert getattr(deskbell, name) is not None


def test_the_public_names_are_sorted_and_each_stands_there_once() -> None:
    assert deskbell.__all__ == sorted(set(deskbell.__all__))
    assert set(deskbell.__all__) == {*deskbell._HOME_OF, "__version__"}


def test_what_type_checkers_read_is_what_is_imported() -> None:
    """The names stand in the file three times: for people, for type checkers and for the import."""
    tree = ast.parse((ROOT / "deskbell" / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    places = [(alias.name, str(node.module)) for node in imports for alias in node.names]
    typed = {name: module.removeprefix("deskbell.") for name, module in places if module.startswith("deskbell.")}
    assert typed == deskbell._HOME_OF


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Tickets'"):
        getattr(deskbell, "Tickets")  # noqa: B009 - type checkers know that it is not there
    assert set(deskbell.__all__) <= set(dir(deskbell))


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = "import sys, deskbell; print(sorted({'sqlalchemy', 'pydantic', 'psycopg', 'asyncpg'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_package_says_that_it_is_typed() -> None:
    """Hatch puts all files of the folder into the wheel, so the marker is in it if it is here."""
    assert (ROOT / "deskbell" / "py.typed").is_file()
