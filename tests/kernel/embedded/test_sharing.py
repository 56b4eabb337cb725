"""Several processes and one server: who starts it, who keeps it, who stops it."""

import os
import signal

from tests.kernel.embedded.conftest import HOLDER, Desk, ask, started

FORKING = """
import os, sys, warnings
from pathlib import Path
from deskbell.kernel.embedded import EmbeddedPostgres
warnings.simplefilter("ignore")  # about forking beside threads
postgres = EmbeddedPostgres(Path(sys.argv[1]), superuser_password=sys.argv[2], options={"fsync": "off"})
postgres.start()
if os.fork() == 0:
    postgres.stop()  # what its parent holds is not the child's to give back
    os.execlp("sleep", "sleep", "60")
print("started", flush=True)
sys.stdin.readline()
postgres.stop()
print("started", flush=True)
sys.stdin.readline()
"""


def test_who_comes_second_joins_and_who_leaves_last_stops_the_server(any_desk: Desk) -> None:
    first, second = any_desk.postgres(), any_desk.postgres()
    assert first.start() == second.start()
    pid = any_desk.pid
    first.stop()
    assert any_desk.pid == pid
    second.stop()
    assert any_desk.running is None


def test_processes_that_start_at_the_same_moment_share_one_server(new_desk: Desk) -> None:
    holders = [new_desk.python(HOLDER) for _ in range(3)]
    for holder in holders:
        started(holder)
    assert (new_desk.data_dir / "postgres.log").read_text().count("ready to accept connections") == 1
    for holder in holders:
        assert new_desk.running is not None
        holder.communicate("\n")
        assert holder.returncode == 0
    assert new_desk.running is None


def test_a_holder_that_is_killed_holds_nothing_any_longer(desk: Desk) -> None:
    holder = desk.holder()
    pid = desk.pid
    with desk.postgres():
        holder.kill()
        holder.wait()
        assert desk.pid == pid
    assert desk.running is None


def test_a_server_whose_only_holder_was_killed_is_joined(desk: Desk) -> None:
    holder = desk.holder()
    pid = desk.pid
    holder.kill()
    holder.wait()
    with desk.postgres() as server:
        assert desk.pid == pid
        assert ask(server, "select 1") == "1"
    assert desk.running is None


def test_ctrl_c_reaches_the_program_but_not_the_server(desk: Desk) -> None:
    holder = desk.holder()
    with desk.postgres() as server:
        pid = desk.pid
        os.killpg(holder.pid, signal.SIGINT)
        _, complaint = holder.communicate()
        assert "KeyboardInterrupt" in complaint
        assert desk.pid == pid
        assert ask(server, "select 1") == "1"


def test_a_forked_child_keeps_no_share(desk: Desk) -> None:
    parent = desk.python(FORKING)
    started(parent)
    with desk.postgres():
        pid = desk.pid
    assert desk.pid == pid, "the parent still holds its share"
    assert parent.stdin
    parent.stdin.write("\n")
    parent.stdin.flush()
    started(parent)
    assert desk.running is None, "the child outlives the share of its parent"
    os.killpg(parent.pid, signal.SIGKILL)
