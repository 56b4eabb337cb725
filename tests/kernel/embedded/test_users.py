"""Root and ordinary users: whom the server runs as, and what root opens for that user."""

import os
import stat
from pathlib import Path

import pytest

from deskbell.kernel.embedded.access import let_pass, let_read
from deskbell.kernel.embedded.account import Account
from deskbell.kernel.embedded.programs import find_programs
from tests.kernel.embedded.conftest import HOLDER, Desk, ask

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as several users")

ORDINARY = 65534  # nobody; needs no entry among the users
NOBODY = Account("nobody", ORDINARY, ORDINARY, (ORDINARY,))


@pytest.fixture
def ordinary_desk(new_desk: Desk) -> Desk:
    """A desk in a folder that belongs to an ordinary user, who can reach the programs."""
    os.chown(new_desk.data_dir.parent, ORDINARY, ORDINARY)
    programs = find_programs(None)
    let_pass(NOBODY, programs.bin_dir)
    for tree in programs.trees:
        let_read(NOBODY, tree)
    return new_desk


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_root_lends_the_server_a_user_who_owns_the_data_and_nothing_else(desk: Desk) -> None:
    with desk.postgres() as server:
        owner = desk.cluster.stat().st_uid
        assert owner != 0
        assert Path(f"/proc/{desk.pid}").stat().st_uid == owner
        strangers = [path for path in desk.cluster.rglob("*") if path.stat().st_uid != owner]
        assert not strangers
        assert server.log_file.stat().st_uid == owner
        assert desk.data_dir.stat().st_uid == 0


def test_an_ordinary_user_starts_what_root_may_join_and_the_other_way_round(ordinary_desk: Desk) -> None:
    holder = ordinary_desk.holder(user=ORDINARY)
    pid = ordinary_desk.pid
    assert Path(f"/proc/{pid}").stat().st_uid == ORDINARY
    with ordinary_desk.postgres() as server:
        assert ask(server, "select 1") == "1"
        holder.communicate("\n")
        assert ordinary_desk.pid == pid
    assert ordinary_desk.running is None
    with ordinary_desk.postgres():
        assert Path(f"/proc/{ordinary_desk.pid}").stat().st_uid == ORDINARY
        ordinary_desk.holder(user=ORDINARY).communicate("\n")
    ordinary_desk.holder(user=ORDINARY).communicate("\n")
    assert ordinary_desk.running is None


def test_an_ordinary_user_is_told_what_is_forbidden(ordinary_desk: Desk) -> None:
    home = ordinary_desk.data_dir.parent
    os.chown(home, 0, 0)
    home.chmod(0o755)
    refused = ordinary_desk.python(HOLDER, user=ORDINARY).communicate()[1]
    assert f"SetupError: Permission denied: {ordinary_desk.data_dir}" in refused
    os.chown(home, ORDINARY, ORDINARY)
    ordinary_desk.cluster.mkdir(parents=True)
    os.chown(ordinary_desk.data_dir, ORDINARY, ORDINARY)
    refused = ordinary_desk.python(HOLDER, user=ORDINARY).communicate()[1]
    assert f"{ordinary_desk.cluster} belongs to the user root" in refused


def test_only_the_way_is_opened_and_only_where_it_was_closed(tmp_path: Path) -> None:
    closed, open_, own = tmp_path / "closed", tmp_path / "closed/open", tmp_path / "closed/open/own"
    own.mkdir(parents=True)
    closed.chmod(0o700)
    open_.chmod(0o755)
    own.chmod(0o700)
    os.chown(own, ORDINARY, ORDINARY)
    beside = tmp_path / "beside"
    beside.mkdir(mode=0o700)
    let_pass(NOBODY, own)
    assert NOBODY.run(["/bin/sh", "-c", 'cd "$0"', own], timeout=60)[0] == 0
    assert NOBODY.run(["/bin/ls", closed], timeout=60)[0] != 0
    assert (mode(open_), mode(own), mode(beside)) == (0o755, 0o700, 0o700)


def test_programs_installed_under_a_strict_umask_become_readable(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o700)
    (tmp_path / "bin/postgres").touch(mode=0o700)
    (tmp_path / "bin/postgres.bki").touch(mode=0o600)
    (tmp_path / "bin/elsewhere").symlink_to("/nonexistent")
    let_read(NOBODY, tmp_path)
    assert mode(tmp_path / "bin") == mode(tmp_path / "bin/postgres") == 0o705
    assert mode(tmp_path / "bin/postgres.bki") == 0o604
