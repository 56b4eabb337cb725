"""Encrypting the attachments of a desk, taking another key, and checking them, as typed."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Terminal

OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture
def files(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk with a ticket that has two files; the folder where its attachments lie."""
    monkeypatch.setenv("DESKBELL_STORAGE_PATH", str(tmp_path / "attachments"))
    terminal.ok("user", "create", "kim@example.org")
    opened = terminal.ok("ticket", "open", "--requester", "kim@example.org", "-m", "Help").out
    [number] = re.findall(r"DB-\d+", opened)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"the content of {name}")
        terminal.ok("ticket", "attach", number, tmp_path / name, "--as", "kim@example.org")
    return tmp_path / "attachments"


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_desk_is_encrypted_gets_another_key_and_is_decrypted(
    terminal: Terminal, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "2 files, 0 encrypted. 0 faults, 0 that no attachment has." in terminal.ok("storage", "check").out
    assert terminal.run("storage", "encrypt").code == 2
    monkeypatch.setenv("DESKBELL_STORAGE_ENCRYPT", "true")
    assert terminal.ok("storage", "encrypt").out == "2 files encrypted.\n"
    assert b"content of" not in contents(files)
    assert terminal.run("storage", "decrypt").code == 2
    monkeypatch.setenv("DESKBELL_ENCRYPTION_KEYS", NEW)
    rotated = terminal.ok("secrets", "rotate")
    assert "0 secrets and 2 attachments went over" in rotated.out
    assert "needs an older key" in rotated.out
    assert terminal.ok("storage", "check", "--json").json == {
        "files": 2,
        "encrypted": 2,
        "faults": [],
        "unreferenced": [],
        "unreadable": [],
    }
    monkeypatch.setenv("DESKBELL_STORAGE_ENCRYPT", "false")
    assert terminal.ok("storage", "decrypt").out == "2 files decrypted.\n"
    assert b"content of" in contents(files)


def test_the_wrong_key_is_one_clear_line(terminal: Terminal, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files.exists()
    monkeypatch.setenv("DESKBELL_STORAGE_ENCRYPT", "true")
    monkeypatch.setenv("DESKBELL_ENCRYPTION_KEYS", OLD)
    terminal.ok("storage", "encrypt")
    monkeypatch.setenv("DESKBELL_ENCRYPTION_KEYS", NEW)
    rotated = terminal.run("secrets", "rotate")
    assert (rotated.code, rotated.err.count("its key is not at hand")) == (1, 2)
    assert "needs an older key" not in rotated.out
    checked = terminal.run("storage", "check")
    assert (checked.code, checked.out.count("Put that key back, into DESKBELL_ENCRYPTION_KEYS")) == (1, 2)
    monkeypatch.setenv("DESKBELL_ENCRYPTION_KEYS", "short")
    short = terminal.run("storage", "check")
    assert short.code == 3
    assert short.err.startswith("Error: Key 1 of DESKBELL_ENCRYPTION_KEYS has less than 32 characters.")


def test_the_check_names_what_is_wrong(terminal: Terminal, files: Path) -> None:
    first, second = sorted(path for path in files.rglob("*") if path.is_file())
    first.unlink()
    second.write_text("altered")
    lost = files / "ab/cd" / ("abcd" + "0" * 60)
    lost.parent.mkdir(parents=True)
    lost.write_text("lost")
    found = terminal.run("storage", "check", "--json")
    faults = {fault["fault"] for fault in found.json["faults"]}
    assert (found.code, faults) == (1, {"missing", "the content is not what was stored"})
    assert found.json["unreferenced"] == [str(lost.relative_to(files))]
    assert [fault["fault"] for fault in terminal.run("storage", "check", "--quick", "--json").json["faults"]] == [
        "missing"
    ]


def test_the_worker_can_be_asked_to_do_it(terminal: Terminal, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert files.exists()
    monkeypatch.setenv("DESKBELL_STORAGE_ENCRYPT", "true")
    terminal.ok("storage", "encrypt", "--background")
    terminal.ok("secrets", "rotate", "--background")
    with psycopg.connect(terminal.address.dsn) as connection:
        jobs = connection.execute(
            "select task_name::text, args from jobs.procrastinate_jobs where task_name like 'kernel.%' order by id"
        ).fetchall()
    assert jobs == [
        ("kernel.settle_storage", {"aim": "sealed"}),
        ("kernel.rotate_secrets", {}),
        ("kernel.settle_storage", {"aim": "rotated"}),
    ]
