"""What a person has to put right is said in one line that names the place and the remedy."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deskbell.kernel.embedded.faults import from_postgres, meaningful_line, told_plainly
from deskbell.kernel.errors import SetupError
from tests.kernel.embedded.conftest import Desk, ask


def complaint(desk: Desk, **changed: object) -> str:
    with pytest.raises(SetupError) as caught:
        desk.postgres(**changed).start()
    assert "\n" not in caught.value.message
    return caught.value.message


@contextmanager
def instead(file: Path, text: str) -> Iterator[None]:
    """The file with another content."""
    usual = file.read_text()
    file.write_text(text)
    yield
    file.write_text(usual)


def programs_of(version: str, folder: Path) -> Path:
    """Programs that can do nothing but tell their version."""
    folder.mkdir()
    for name in ("initdb", "postgres"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_data_of_another_version_are_refused_naming_both_versions(desk: Desk) -> None:
    for made_by, remedy in (("99", "newer Deskbell"), ("15", "pg_dump")):
        with instead(desk.cluster / "PG_VERSION", f"{made_by}\n"):
            said = complaint(desk)
        assert f"PostgreSQL {made_by}, but" in said
        assert "version 18" in said
        assert remedy in said


def test_a_database_that_deskbell_did_not_make_is_left_alone(desk: Desk) -> None:
    parameters = desk.cluster / "postgresql.conf"
    with instead(parameters, "port = 1\n"):
        assert "did not make" in complaint(desk)
        assert parameters.read_text() == "port = 1\n"
    version = desk.cluster / "PG_VERSION"
    hidden = version.rename(desk.cluster / "hidden")
    assert "no PostgreSQL data" in complaint(desk)
    hidden.rename(version)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_data_of_root_are_refused_with_the_command_that_helps(new_desk: Desk) -> None:
    new_desk.cluster.mkdir(parents=True)
    assert f"chown -R deskbell {new_desk.cluster}" in complaint(new_desk)


def test_programs_that_are_missing_too_old_or_broken_are_refused(new_desk: Desk, tmp_path: Path) -> None:
    assert "does not hold PostgreSQL's programs" in complaint(new_desk, bin_dir=tmp_path)
    assert "holds PostgreSQL 14; Deskbell needs 15" in complaint(
        new_desk, bin_dir=programs_of("14.9", tmp_path / "old")
    )
    broken = programs_of("15.1", tmp_path / "broken")
    (broken / "postgres").write_text("no program")
    assert "does not run on this machine" in complaint(new_desk, bin_dir=broken)


def test_a_first_start_that_fails_leaves_nothing_behind(new_desk: Desk) -> None:
    programs = programs_of("15.1", new_desk.data_dir.parent / "bin")
    (programs / "initdb").write_text("#!/bin/sh\necho 'initdb: error: no luck' >&2\nexit 1\n")
    assert complaint(new_desk, bin_dir=programs) == "Making the database failed: no luck"
    assert "must be one line" in complaint(new_desk, superuser_password="two\nlines")
    assert not new_desk.cluster.exists()
    assert not list(new_desk.data_dir.glob("postgres.init-*"))


def test_a_link_in_place_of_the_socket_folder_is_not_followed(new_desk: Desk, tmp_path: Path) -> None:
    new_desk.data_dir.mkdir()
    tmp_path.chmod(0o755)
    (new_desk.data_dir / "run").symlink_to(tmp_path)
    assert f"{new_desk.data_dir / 'run'} is in the way" in complaint(new_desk)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_parameter_that_the_server_refuses_is_named(desk: Desk) -> None:
    assert 'unrecognized configuration parameter "jitter"' in complaint(desk, options={"fsync": "off", "jitter": "1"})
    assert "not the name of a PostgreSQL parameter" in complaint(desk, options={"jit = on #": "1"})
    with desk.postgres() as server:
        assert ask(server, "select 1") == "1"


def test_a_start_that_takes_too_long_says_what_the_server_says_and_goes_on(desk: Desk) -> None:
    said = complaint(desk, start_timeout=0.0001)
    assert "was not ready after" in said
    assert "DESKBELL_POSTGRES_START_TIMEOUT" in said
    with desk.postgres() as server:
        assert ask(server, "select 1") == "1"
    assert desk.running is None


def test_a_file_in_the_way_is_named(new_desk: Desk) -> None:
    new_desk.data_dir.touch()
    assert complaint(new_desk).startswith(f"{new_desk.data_dir} is in the way")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk that holds desk is full"),
        (errno.EACCES, "Permission denied: desk/run"),
        (errno.EIO, "desk/run: Input/output error"),
    ],
)
def test_faults_of_the_disk_are_told_plainly(number: int, words: str) -> None:
    with pytest.raises(SetupError, match=words), told_plainly(Path("desk")):
        raise OSError(number, os.strerror(number), "desk/run")


def test_a_disk_that_postgres_found_full_is_called_full() -> None:
    output = 'initdb: error: could not write file "x": No space left on device\n'
    assert "disk that holds desk is full" in from_postgres("Making the database", output, Path("desk")).message


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("2026-01-01 UTC [1] LOG:  starting\n2026-01-01 UTC [1] FATAL:  no memory\nLOG:  down\n", "no memory"),
        ('LOG:  invalid value for "a"\nFATAL:  configuration file "x" contains errors\n', 'invalid value for "a"'),
        ("postgres: cannot open shared object file\n", "postgres: cannot open shared object file"),
        ("[7] LOG:  redo in progress, elapsed time: 10 s\n\n", "redo in progress, elapsed time: 10 s"),
        ("", ""),
    ],
)
def test_the_meaningful_line_of_a_log(log: str, line: str) -> None:
    assert meaningful_line(log) == line
