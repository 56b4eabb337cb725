"""A Redis that is set by a variable serves the commands, and its state is shown to operators."""

from pathlib import Path

import psycopg

from tests.cli.conftest import Terminal
from tests.redis_server import PASSWORD, redis_server

FIGURES = ("statistics", "--from", "2026-01-01", "--until", "2027-01-01", "--json")


def test_a_redis_is_added_by_a_setting_alone(terminal: Terminal, tmp_path: Path) -> None:
    with psycopg.connect(terminal.address.dsn) as connection:  # a desk without any change remembers nothing
        connection.execute("insert into tags (name, color) values ('new', '#000000')")
    assert terminal.ok("db", "status", "--json").json["cache"] is None
    plain = terminal.ok(*FIGURES).json
    with redis_server(tmp_path) as redis:
        terminal.monkeypatch.setenv("DESKBELL_CACHE_URL", redis.url)
        assert terminal.ok(*FIGURES).json == plain
        stored = redis.values()
        assert len(stored) == 1
        assert terminal.ok(*FIGURES).json == plain
        assert redis.values() == stored
        assert terminal.ok("db", "status", "--json").json["cache"] == f"redis://127.0.0.1:{redis.port}/3 answers"
        redis.kill()
        without = terminal.ok(*FIGURES)
        status = terminal.ok("db", "status")
    assert without.json == plain
    assert "fails" in status.out
    assert PASSWORD not in without.err + status.out + status.err
