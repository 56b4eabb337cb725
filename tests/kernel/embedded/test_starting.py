"""One process: the first start, later starts, and what a crash left behind."""

import os
import signal
import stat
import subprocess

import psycopg
import pytest

from deskbell.kernel.embedded.sockets import fits
from deskbell.kernel.embedded.waiting import deadline_in, ticks
from tests.kernel.embedded.conftest import HOLDER, PASSWORD, Desk, ask, connect


def kill_server(desk: Desk) -> None:
    pid = desk.pid
    os.kill(pid, signal.SIGKILL)
    for _ in ticks(deadline_in(5)):
        if desk.running is None:
            return


def test_the_server_is_as_a_desk_wants_it(any_desk: Desk) -> None:
    with any_desk.postgres() as server:
        assert ask(server, "show server_version").startswith(str(server.major_version))
        assert ask(server, "show server_encoding") == "UTF8"
        assert ask(server, "show data_checksums") == "on"
        assert ask(server, "show jit") == "off"
        assert ask(server, "show timezone") == "UTC"
        assert ask(server, "show shared_preload_libraries") == "pg_stat_statements"
        assert ask(server, "select upper('ä') collate pg_catalog.default") == "Ä"
        assert ask(server, "show fsync") == "off"  # as asked for


def test_nobody_gets_in_without_the_password_and_nothing_listens_on_the_network(any_desk: Desk) -> None:
    with any_desk.postgres(options={"fsync": "off", "listen_addresses": "*"}) as server:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(server, "guessed")
        rules = "select string_agg(concat_ws(' ', type, database, user_name, auth_method), ';') from pg_hba_file_rules"
        assert ask(server, rules) == "local {all} {all} scram-sha-256"
        assert ask(server, "show listen_addresses") == ""


def test_the_data_and_their_folders_are_private(desk: Desk) -> None:
    with desk.postgres() as server:
        for folder in (desk.cluster, server.socket_dir):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.log_file.stat().st_mode) == 0o600
        assert not [
            path for path in desk.data_dir.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()
        ]


def test_the_next_start_keeps_the_data_and_takes_new_parameters(any_desk: Desk) -> None:
    with any_desk.postgres() as server:
        ask(server, "drop table if exists kept; create table kept as select 42 as n; select n from kept")
    assert any_desk.running is None
    with any_desk.postgres(options={"fsync": "off", "work_mem": "7MB"}) as server:
        assert ask(server, "select n from kept") == "42"
        assert ask(server, "show work_mem") == "7MB"


def test_starting_twice_is_starting_once(desk: Desk) -> None:
    postgres = desk.postgres()
    assert postgres.start() == postgres.start()
    postgres.stop()
    assert desk.running is None


def test_a_server_that_was_killed_recovers_what_was_committed(any_desk: Desk) -> None:
    postgres = any_desk.postgres()
    server = postgres.start()
    ask(server, "drop table if exists kept; create table kept as select 42 as n; select n from kept")
    kill_server(any_desk)
    assert ask(postgres.start(), "select n from kept") == "42"
    postgres.stop()
    assert any_desk.running is None


def test_stopping_a_server_that_is_gone_is_no_fault(desk: Desk) -> None:
    postgres = desk.postgres()
    postgres.start()
    kill_server(desk)
    postgres.stop()
    postgres.stop()


@pytest.mark.parametrize("stranger_lives", [True, False])
def test_stale_lock_files_whose_number_went_to_another_program_are_no_obstacle(
    desk: Desk, *, stranger_lives: bool
) -> None:
    with desk.postgres() as server:
        left = [desk.cluster / "postmaster.pid", server.socket_dir / f".s.PGSQL.{server.port}.lock"]
        texts = [path.read_text() for path in left]
        first = str(desk.pid)
    owner = desk.cluster.stat().st_uid  # the same user: PostgreSQL by itself would refuse to start beside it
    with subprocess.Popen(["cat"], user=owner, cwd="/", stdin=subprocess.PIPE) as stranger:
        if not stranger_lives:
            stranger.kill()
            os.waitid(os.P_PID, stranger.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
        for path, text in zip(left, texts, strict=True):
            path.write_text(text.replace(first, str(stranger.pid)))
        assert desk.running is None
        with desk.postgres() as server:
            assert ask(server, "select 1") == "1"
        assert (stranger.poll() is None) == stranger_lives


def test_an_empty_pid_file_is_no_obstacle(desk: Desk) -> None:
    with desk.postgres():
        pass
    pid_file = desk.cluster / "postmaster.pid"
    pid_file.touch()
    os.utime(pid_file, (0, 0))
    with desk.postgres() as server:
        assert ask(server, "select 1") == "1"


def test_a_path_too_long_for_a_socket_gets_a_private_folder_elsewhere(new_desk: Desk) -> None:
    new_desk.data_dir = new_desk.data_dir / ("long" * 25)
    with new_desk.postgres() as server:
        usual = server.socket_dir
        assert not usual.is_relative_to(new_desk.data_dir)
        assert fits(usual)
        assert stat.S_IMODE(usual.stat().st_mode) == 0o700
        assert ask(server, "select 1") == "1"
    usual.chmod(0o777)  # as a stranger would have planted it
    with new_desk.postgres() as server, new_desk.postgres() as joined:
        assert server.socket_dir not in {usual, new_desk.data_dir / "run"}
        assert joined == server
        assert ask(server, "select 1") == "1"
    for folder in (usual, server.socket_dir):
        folder.rmdir()


def test_an_interrupted_first_start_is_begun_anew(new_desk: Desk) -> None:
    process = new_desk.python(HOLDER)
    for _ in ticks(deadline_in(10)):
        if any(new_desk.data_dir.glob("postgres.init-*/cluster/global/*")):
            break
    process.kill()
    process.wait()
    assert not new_desk.cluster.exists()
    with new_desk.postgres() as server:
        assert ask(server, "select 1") == "1"
    with new_desk.postgres():
        assert not list(new_desk.data_dir.glob("postgres.init-*"))
