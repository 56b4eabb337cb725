"""A cache that is gone, slow, full, new or full of rubbish changes nothing but the time it takes."""

import asyncio
import gc
import json
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from deskbell.audit.caching import Question, cached
from deskbell.kernel.address import Address
from deskbell.kernel.cache import Cache
from deskbell.kernel.crypto import sign
from deskbell.kernel.database import Database
from deskbell.kernel.settings import CacheSettings
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.testing.plugin import open_database
from tests.redis_server import PASSWORD, RedisServer, free_port, redis_server

pytestmark = pytest.mark.anyio
KEY = b"for this test alone, and no other"
QUESTION = Question("what is it", {}, ("tickets",), TypeAdapter(str))
AT_ONCE = 1e-9


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@dataclass
class Desk:
    """A desk that counts how often it had to compute."""

    database: Database
    cache: Cache
    computed: int = 0

    def _compute(self) -> str:
        self.computed += 1
        return "it is a trap"

    def ask(self) -> str:
        with self.database.transaction(SYSTEM) as session:
            return self.answer(session)

    async def ask_asynchronously(self) -> str:
        async with self.database.async_transaction(SYSTEM) as session:
            return await session.run_sync(self.answer)

    def answer(self, session: Session) -> str:
        return cached(session, QUESTION, self._compute)


Opened = Callable[..., Desk]


@pytest.fixture
def opened(fresh_address: Address, tmp_path: Path) -> Iterator[Opened]:
    with closing(open_database(fresh_address, tmp_path)) as database:
        Factory(database).ticket()
    desks: list[Desk] = []

    def desk(url: str, *, timeout: float = 1.0, retry_after: float = 60.0, lifetime: int = 3600) -> Desk:
        settings = CacheSettings(url=SecretStr(url), timeout=timeout, retry_after=retry_after, lifetime=lifetime)
        cache = Cache(settings, KEY)
        database = open_database(fresh_address, tmp_path, cache=cache)
        desks.append(Desk(database, cache))
        return desks[-1]

    yield desk
    for each in desks:
        each.database.close()
        each.cache.close()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "deskbell.kernel.cache"]


def test_an_answer_is_stored_signed_and_for_a_while(opened: Opened, redis: RedisServer) -> None:
    desk = opened(redis.url, lifetime=100)
    assert {desk.ask() for _ in range(3)} == {"it is a trap"}
    assert desk.computed == 1
    [(name, value)] = redis.values().items()
    assert name.startswith(b"deskbell:1:")
    assert b"trap" not in name
    with redis.database() as client:
        assert 0 < int(client.ttl(name)) <= 100
    assert value.count(b".") == 1


def rubbish(name: bytes, value: bytes) -> Iterator[bytes]:
    forged = json.dumps([name.decode(), {"mark": [1, "2026-01-01T00:00:00+00:00"], "answer": "forged"}]).encode()
    yield from (b"", b"rubbish", b"\xff\x00", value[:-3], value + b"x", b"null", forged)
    yield sign(b"another desk's key, long enough..", "cache", forged).encode()
    yield sign(KEY, "cursor", forged).encode()
    yield sign(KEY, "cache", json.dumps(["another name", {}]).encode()).encode()
    yield sign(KEY, "cache", json.dumps([name.decode(), 7]).encode()).encode()
    yield sign(KEY, "cache", b"7").encode()


def test_what_this_desk_did_not_store_is_no_answer(opened: Opened, redis: RedisServer) -> None:
    desk = opened(redis.url)
    desk.ask()
    [(name, value)] = redis.values().items()
    for number, each in enumerate(rubbish(name, value), 2):
        with redis.database() as client:
            client.set(name, each)
        assert desk.ask() == "it is a trap"
        assert desk.computed == number
    with redis.database() as client:
        client.delete(name)
        client.lpush(name, "a list")
    assert desk.ask() == "it is a trap"


def test_a_server_that_is_killed_is_done_without_and_found_again(
    opened: Opened, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk = opened(redis.url, retry_after=AT_ONCE)
    desk.ask()
    redis.kill()
    assert {desk.ask() for _ in range(5)} == {"it is a trap"}
    assert desk.computed == 6
    [line] = warnings(caplog)
    assert "fails" in line
    assert PASSWORD not in line
    redis.start()
    assert {desk.ask() for _ in range(3)} == {"it is a trap"}
    assert desk.computed == 7
    assert len(warnings(caplog)) == 2


def test_a_server_that_was_restarted_between_two_questions_is_no_failure(
    opened: Opened, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    desk = opened(redis.url)
    desk.ask()
    redis.kill()
    redis.start()
    assert desk.ask() == desk.ask()
    assert desk.computed == 2
    assert warnings(caplog) == []


def test_a_server_that_failed_is_left_alone_for_a_while(
    opened: Opened, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    desk = opened(redis.url)
    redis.kill()
    desk.ask()
    redis.start()
    desk.ask()
    assert redis.values() == {}
    assert len(warnings(caplog)) == 1


def test_a_server_that_does_not_answer_costs_its_time_once(opened: Opened, redis: RedisServer) -> None:
    desk = opened(redis.url, timeout=0.5)
    desk.ask()
    with redis.paused():
        before = monotonic()
        assert {desk.ask() for _ in range(20)} == {"it is a trap"}
        assert monotonic() - before < 8  # twenty times it would be ten seconds
    assert desk.computed == 21


def test_a_full_server_is_one_line(opened: Opened, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with redis_server(tmp_path, "--maxmemory", "1", "--maxmemory-policy", "noeviction") as full:
        desk = opened(full.url, retry_after=AT_ONCE)
        assert {desk.ask() for _ in range(3)} == {"it is a trap"}
        assert desk.computed == 3
        assert any("OutOfMemory" in line for line in warnings(caplog))


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # redis-py leaves a socket whose TLS failed to the collector
@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("redis://:wrong%20secret@127.0.0.1:{port}/0", "Authentication|WRONGPASS|invalid"),
        ("redis://127.0.0.1:{closed}/0", "refused"),
        ("rediss://:wrong%20secret@127.0.0.1:{port}/0", "Error"),
        ("redis://127.0.0.1:{port}/0?socket_timeout=often", "often|Invalid"),
        ("unix:///nowhere/redis.sock", "No such file"),
    ],
)
def test_what_is_wrong_with_it_is_said_once_and_to_operators_alone(
    opened: Opened, redis: RedisServer, caplog: pytest.LogCaptureFixture, url: str, problem: str
) -> None:
    desk = opened(url.format(port=redis.port, closed=free_port()))
    assert desk.ask() == desk.ask() == "it is a trap"
    [line] = warnings(caplog)
    told = desk.cache.state().problem
    assert told is not None
    assert re.search(problem, line)
    assert re.search(problem, told)
    for secret in ("wrong secret", "wrong%20secret"):
        assert secret not in line + told + desk.cache.address
    gc.collect()  # here, and not in another test


def test_an_operator_is_told_where_it_is_and_that_it_answers(opened: Opened, redis: RedisServer) -> None:
    state = opened(redis.url).cache.state()
    assert (state.address, state.problem) == (f"redis://127.0.0.1:{redis.port}/3", None)


def test_a_wrong_address_is_refused_without_repeating_it() -> None:
    for url in ("http://:hidden@host/", "redis://", "redis://:hidden@host:port/0", "hidden", "unix://"):
        with pytest.raises(ValidationError) as refused:
            CacheSettings(url=SecretStr(url))
        assert "redis://:password@host" in str(refused.value)
        assert "hidden" not in str(refused.value)


async def test_the_event_loop_goes_on_while_the_cache_does_not_answer(opened: Opened, redis: RedisServer) -> None:
    """The same answers come out of both worlds, and nobody else waits."""
    desk = opened(redis.url, timeout=0.5)
    assert await desk.ask_asynchronously() == desk.ask() == "it is a trap"
    assert desk.computed == 1
    with redis.paused():
        waiting = asyncio.create_task(desk.ask_asynchronously())
        turns = 0
        while not waiting.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns > 3, "the loop stood still"
        assert await waiting == "it is a trap"
    await desk.database.aclose()


async def test_whoever_stops_waiting_leaves_nothing_behind(opened: Opened, redis: RedisServer) -> None:
    desk = opened(redis.url, retry_after=AT_ONCE)
    await desk.ask_asynchronously()
    with redis.paused():
        waiting = asyncio.create_task(desk.ask_asynchronously())
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await desk.ask_asynchronously() == "it is a trap"
    await desk.database.aclose()


def test_without_an_address_there_is_no_cache() -> None:
    assert CacheSettings().url is None


def test_closing_twice_and_closing_unused_is_fine() -> None:
    with closing(Cache(CacheSettings(url=SecretStr("redis://127.0.0.1")), KEY)) as cache:
        cache.close()
