"""Passwords of the database change under a desk that is in use: no restart, and nobody notices but who was cut off."""

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.web.running import deskbell, serving

TICKETS = "/api/v1/tickets"
CUT = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity where usename = 'deskbell_app'"
ROUNDS = 2


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="deskbell-test-rotation-") as name:
        yield Path(name) / "desk"


class Visitor(threading.Thread):
    """Asks until told to stop, and counts what is answered."""

    def __init__(self, url: str, token: str, method: str, done: threading.Event) -> None:
        super().__init__()
        self.answers: Counter[int] = Counter()
        self.numbers: list[str] = []
        self.moved = threading.Event()
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._method, self._done = method, done

    def run(self) -> None:
        with self._client as client:
            while not self._done.is_set():
                body = None if self._method == "GET" else {"title": "x", "description": "y"}
                answer = client.request(self._method, TICKETS, json=body)
                self.answers[answer.status_code] += 1
                if answer.status_code == 201:
                    self.numbers.append(answer.json()["ticket_number"])
                self.moved.set()

    def goes_on(self) -> None:
        """Wait until some more was answered."""
        for _ in range(5):
            self.moved.clear()
            assert self.moved.wait(60)


def test_a_desk_in_use_goes_on_while_its_password_changes(folder: Path) -> None:
    with serving(folder) as site:
        deskbell(folder, "user", "create", "sam@example.test", "--role", "agent")
        made = deskbell(folder, "token", "create", "sam@example.test", "--name", "test", "--json")
        token = json.loads(made.stdout)["token"]
        done = threading.Event()
        visitors = [Visitor(site.url, token, method, done) for method in ("GET", "GET", "POST")]
        try:
            for visitor in visitors:
                visitor.start()
            for generation in range(2, 2 + ROUNDS):
                said = deskbell(folder, "db", "rotate-password").stdout
                assert f"(generation {generation})" in said
                deskbell(folder, "db", "shell", "--owner", "-c", "set role none", "-c", CUT)
                for visitor in visitors:
                    visitor.goes_on()
        finally:
            done.set()
            for visitor in visitors:
                visitor.join()
        *readers, writer = visitors
        assert [set(reader.answers) for reader in readers] == [{200}, {200}]
        assert set(writer.answers) <= {201, 503}
        assert writer.answers[503] <= ROUNDS, "more were refused than were cut off"
        assert len(set(writer.numbers)) == writer.answers[201]
        assert site.process.poll() is None
