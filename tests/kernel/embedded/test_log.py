"""The server's log stays short, and stays one log."""

from pathlib import Path

from deskbell.kernel.embedded.log import shorten, written_since
from tests.kernel.embedded.conftest import Desk, ask


def test_a_long_log_is_cut_while_the_server_writes_on(desk: Desk) -> None:
    with desk.postgres() as server:
        before = server.log_file.read_text()
        shorten(server.log_file, longest=10)
        assert server.log_file.read_text() == ""
        assert server.log_file.with_name("postgres.log.1").read_text() == before
        ask(server, "do $$ begin raise log 'after the cut'; end $$; select 1")
        assert server.log_file.read_text().count("after the cut") >= 1
        assert "\0" not in server.log_file.read_text()


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    shorten(log)
    log.write_text("a line\n")
    shorten(log)
    assert log.read_text() == "a line\n"
    assert written_since(log, 2) == "line\n"
    assert written_since(tmp_path / "none", 0) == ""
