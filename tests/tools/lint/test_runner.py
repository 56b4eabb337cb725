"""The lint rules as a program: what it prints and with which code it ends."""

from pathlib import Path

import pytest

from tools.lint.runner import main


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with one lawful module."""
    (tmp_path / "deskbell").mkdir()
    (tmp_path / "deskbell/good.py").write_text('"""Nothing."""\n', encoding="utf-8")
    return tmp_path


def test_a_lawful_tree_ends_with_0(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tree) == 0
    assert "1 files, 0 findings" in capsys.readouterr().out


def test_a_finding_is_a_place_a_message_and_a_rule(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "deskbell/bad.py").write_text('"""Bad."""\n\nsession.commit()\n', encoding="utf-8")
    assert main(tree) == 1
    assert capsys.readouterr().out.startswith("deskbell/bad.py:3: `.commit` belongs to the edge")


def test_a_file_that_cannot_be_parsed_is_a_finding(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tree / "deskbell/bad.py").write_text("def (:\n", encoding="utf-8")
    assert main(tree) == 1
    assert "deskbell/bad.py:1: invalid syntax (syntax)" in capsys.readouterr().out
