"""Where a run's server lies: in memory, unless there is no room or somebody says otherwise."""

import tempfile
from pathlib import Path

import pytest

from deskbell.testing.servers import scratch


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that Python would take; nobody has said which."""
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_who_says_where_is_heeded(usual: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(usual / "mine"))
    monkeypatch.setattr(tempfile, "tempdir", str(usual / "mine"))
    assert scratch() == usual / "mine"


def test_memory_is_used_where_it_has_room(usual: Path, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    memory.mkdir()
    assert scratch(memory, room=1) == memory
    assert scratch(memory, room=2**70) == usual


def test_a_machine_without_such_a_folder_does_without(usual: Path) -> None:
    assert scratch(usual / "nothing") == usual
