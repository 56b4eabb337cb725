"""A desk inside of somebody else's process: threads, forks, and the end."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deskbell.integrations.hosting import Host
from deskbell.kernel.address import Address
from deskbell.kernel.database import default_database
from deskbell.kernel.errors import SetupError
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk
from deskbell.testing.factories import SYSTEM
from deskbell.testing.servers import environment
from tests.integrations.running import environment as clean_environment

FORKING = """
import os, sys
from sqlalchemy import text
from deskbell.integrations.hosting import Host
from deskbell.testing.factories import SYSTEM

def backend():
    with host.desk.database.transaction(SYSTEM) as session:
        return session.scalar(text("select pg_backend_pid()"))

async def asynchronous():
    async with host.desk.database.async_transaction(SYSTEM) as session:
        return await session.scalar(text("select pg_backend_pid()"))

def later():
    import asyncio
    return asyncio.run_coroutine_threadsafe(asynchronous(), host.loop).result(60)

host = Host()
before = {backend(), later()}
reading, writing = os.pipe()
child = os.fork()
if child == 0:
    os.write(writing, repr({backend(), later()}).encode())
    sys.exit(0)
_, status = os.waitpid(child, 0)
others = eval(os.read(reading, 100))
assert status == 0 and len(others) == 2, (status, others)
assert {backend(), later()} == before, "the parent's connections are as they were"
assert not others & before
"""


def answers(host: Host) -> bool:
    with host.desk.database.transaction(SYSTEM) as session:
        return session.is_active


def test_many_threads_open_one_desk(settings: Settings) -> None:
    host = Host(settings)
    assert host.opened is None
    with ThreadPoolExecutor(4) as pool:
        desks = list(pool.map(lambda _: host.desk, range(8)))
    assert all(desk is desks[0] for desk in desks)
    assert default_database() is desks[0].database
    host.close()
    assert host.opened is None


def test_a_desk_that_was_closed_is_opened_again(settings: Settings) -> None:
    host = Host(settings)
    for _ in range(2):
        assert answers(host)
        loop = host.loop
        assert asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "yes"), loop).result(60) == "yes"
        host.close()
        assert loop.is_closed()


def test_a_desk_that_was_given_is_left_open(desk: Desk) -> None:
    host = Host(desk=desk)
    assert answers(host)
    host.close()
    with desk.database.transaction(SYSTEM) as session:
        assert session.is_active


def test_what_must_be_put_right_is_said_each_time(settings: Settings, tmp_path: Path) -> None:
    host = Host(settings.model_copy(update={"secret_key": None, "data_dir": tmp_path / "other"}))
    for _ in range(2):
        with pytest.raises(SetupError, match="another DESKBELL_SECRET_KEY"):
            _ = host.desk


def test_a_process_that_is_forked_off_opens_a_desk_of_its_own(fresh_address: Address, tmp_path: Path) -> None:
    variables = clean_environment(environment(fresh_address, tmp_path))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
