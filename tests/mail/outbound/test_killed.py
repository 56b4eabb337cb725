"""A worker that is killed between the server's 250 and our record: the message goes once more, with the same id."""

import asyncio
import signal
import sys

import pytest
from sqlalchemy import text

from deskbell.kernel.actor import Actor
from deskbell.kernel.address import Address
from deskbell.mail.outbound.models import OutboundState
from deskbell.wiring import JOBS
from deskbell.worker import run_worker
from tests.mail.outbound.conftest import Outbox, Post
from tests.worker.conftest import BRISK

pytestmark = pytest.mark.anyio

VICTIM = """
import asyncio, os, signal, sys
from dataclasses import replace
from pathlib import Path
from deskbell.kernel.address import Address
from deskbell.kernel.jobs import Remote
from deskbell.kernel.reach import SmtpServer
from deskbell.kernel.resources import RESOURCES_KEY
from deskbell.mail.outbound.actions import HAND_OVER
from deskbell.testing.plugin import open_database
from deskbell.wiring import JOBS
from deskbell.worker import run_worker
from tests.worker.conftest import BRISK

async def die(parcel):
    outcome = await JOBS[HAND_OVER].remote.call(parcel)
    assert outcome.fate == "taken", outcome
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    database = open_database(Address.parse(sys.argv[1]), Path(sys.argv[3]))
    resources = database._info[RESOURCES_KEY]
    reach = replace(resources.reach, server=SmtpServer("127.0.0.1", int(sys.argv[2]), "none"))
    database._info = {**database._info, RESOURCES_KEY: replace(resources, reach=reach)}
    spec = JOBS[HAND_OVER]
    jobs = {HAND_OVER: replace(spec, remote=Remote(die, spec.remote.record))}
    await run_worker(database, jobs, address=database.address, stop=asyncio.Event(), pace=BRISK)

asyncio.run(main())
"""


async def test_a_killed_worker_sends_a_message_at_most_once_more(
    committed: Outbox, fresh_address: Address, post: Post, tmp_path: object
) -> None:
    await asyncio.to_thread(committed.answer)
    superuser = fresh_address.dsn
    for _ in range(2):
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", VICTIM, superuser, str(post.port), str(tmp_path)
        )
        async with asyncio.timeout(60):
            assert await victim.wait() == -signal.SIGKILL
    assert len({mail["Message-ID"] for mail in post.messages()}) == 1
    stop = asyncio.Event()
    worker = asyncio.create_task(
        run_worker(committed.database, JOBS, address=committed.database.address, stop=stop, pace=BRISK)
    )
    async with asyncio.timeout(60):
        while committed.message().state is OutboundState.SENDING:  # noqa: ASYNC110 - the database sets no asyncio.Event
            await asyncio.sleep(0.1)
    stop.set()
    await worker
    assert (len(post.taken), committed.message().state) == (2, OutboundState.FAILED)
    with committed.database.transaction(Actor.system()) as session:
        waiting = "select count(*) from jobs.procrastinate_jobs where task_name = 'mail.hand_over' and status = 'todo'"
        assert session.scalar(text(waiting)) == 0
    await committed.database.aclose()
