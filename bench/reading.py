"""What agents open all day: our requests a second beside those of a floor written by hand, in turn, on one desk."""

import json
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote_plus

import psycopg

from bench.desk import Servers, fill, served_desk
from bench.figures import Figure
from bench.load import Found, Load
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk, ensure_schema, open_desk

ROUNDS = 7
SECONDS = 1.5
CONNECTIONS = 16
READING, OPENING = 0.7, 0.5
"""Of the floor's requests a second."""
SAMPLES = 200
_LONG_THREADS = """
select t.ticket_number from tickets t join search_documents d on d.ticket_id = t.id
 where t.deleted_at is null and d.comment_count between 18 and 22 order by t.id desc limit %s
"""
_TEXTS = "select description from tickets where deleted_at is null and id %% 7 = 0 order by id desc limit %s"
_NEW = {"title": "Card not arrived", "description": "My card has not arrived, though you sent it two weeks ago. " * 4}


@dataclass(frozen=True, slots=True)
class Options:
    """How many tickets a new desk is filled with, or where an old one is."""

    tickets: int
    desk: Path | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """The same thing asked of both."""

    name: str
    floor: Sequence[str]
    ours: Sequence[str]
    at_least: float | None = None


def run(options: Options) -> Iterator[Figure]:
    """Yield for each task which part of the floor's requests a second ours are, and the figures behind it."""
    with folder_of(options) as folder, served_desk(folder, options.tickets) as servers:
        for task in _tasks(servers):
            yield _measured(task, servers)


@contextmanager
def folder_of(options: Options) -> Iterator[Path]:
    """Yield the data directory of the desk to measure; a new one is removed in the end."""
    if options.desk is not None:
        yield options.desk
        return
    with TemporaryDirectory(prefix="deskbell-bench-") as folder:
        yield Path(folder)


@contextmanager
def filled_desk(options: Options) -> Iterator[tuple[Desk, psycopg.Connection]]:
    """Open the desk to measure, filled where it has no tickets; yield it and a superuser's connection."""
    with folder_of(options) as folder, open_desk(Settings(data_dir=folder)) as desk:
        ensure_schema(desk, upgrade=True)
        with psycopg.connect(desk.admin.dsn, autocommit=True) as admin:
            fill(admin, options.tickets)
            yield desk, admin


def _tasks(servers: Servers) -> Iterator[Task]:
    """Yield the tasks, the one that adds tickets last."""
    key = f"Authorization: Bearer {servers.token}\r\n"
    yield Task("list of 50", [_get("/tickets")], [_get("/api/v1/tickets", key)], READING)
    yield Task(
        "list of 50 with one status",
        [_get("/tickets?status=open")],
        [_get("/api/v1/tickets?q=status%3Aopen", key)],
        READING,
    )
    numbers = [number for (number,) in servers.admin.execute(_LONG_THREADS, (SAMPLES,))]
    assert numbers, "no ticket has about twenty comments"
    yield Task(
        "ticket with 20 comments",
        [_get(f"/tickets/{number}") for number in numbers],
        [_get(f"/api/v1/tickets/{number}", key) for number in numbers],
        READING,
    )
    words = [quote_plus(pair) for pair in _pairs(servers)]
    yield Task(
        "search for two words",
        [_get(f"/tickets?q={pair}") for pair in words],
        [_get(f"/api/v1/tickets?q={pair}", key) for pair in words],
        READING,
    )
    new = [_post("/api/v1/tickets", key)]
    yield Task("new ticket", [_post("/tickets")], new, OPENING)
    yield Task("new ticket, the floor without any trigger", [_post("/tickets?bare")], new)


def _pairs(servers: Servers) -> Iterator[str]:
    """Yield two words of each of some tickets, common and rare ones as they come."""
    chance = random.Random(20261123)
    for (text,) in servers.admin.execute(_TEXTS, (SAMPLES,)):
        words = sorted({word.lower() for word in text.split() if word.isascii() and word.isalpha() and word[3:]})
        if len(words) > 1:
            yield " ".join(chance.sample(words, 2))


def _get(path: str, headers: str = "") -> str:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"


def _post(path: str, headers: str = "") -> str:
    body = json.dumps(_NEW)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n{headers}\r\n{body}"


def _measured(task: Task, servers: Servers) -> Figure:
    sides = ((task.floor, servers.floor), (task.ours, servers.ours))
    for requests, port in sides:
        _load(requests, port)  # connections, plans and caches
    rounds = [[_load(requests, port) for requests, port in sides] for _ in range(ROUNDS)]
    ratio = statistics.median(ours.per_second / floor.per_second for floor, ours in rounds)
    floors, mine = zip(*rounds, strict=True)
    details = {
        "ours_per_second": _median(mine, "per_second"),
        "floor_per_second": _median(floors, "per_second"),
        "ours_p50_ms": _median(mine, "p50_ms"),
        "floor_p50_ms": _median(floors, "p50_ms"),
        "ours_p95_ms": _median(mine, "p95_ms"),
        "floor_p95_ms": _median(floors, "p95_ms"),
        "client_busy": max(found.busy for found in (*mine, *floors)),
    }
    return Figure(task.name, ratio, "of the floor", at_least=task.at_least, details=details)


def _median(found: Sequence[Found], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in found))


def _load(requests: Sequence[str], port: int) -> Found:
    load = Load(port, list(requests), SECONDS, CONNECTIONS)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(asdict(load)), capture_output=True, text=True, check=True
    )
    found = Found(**json.loads(done.stdout))
    assert not found.refused, found.refusal
    return found
