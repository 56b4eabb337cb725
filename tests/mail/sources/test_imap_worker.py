"""Mailboxes fetched by workers: at once, by one of them, whatever happens to others, the servers, the database."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from deskbell.kernel.address import Address
from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.models import LogIn, Mailbox
from deskbell.mail.mailboxes.oauth import TOKENS, Grant
from deskbell.mail.sources.imap import connect
from deskbell.mail.sources.servers import imap_server as imap_server_of
from deskbell.worker import FetchPace, run_fetching
from tests.mail.imap_server import PASSWORD, imap_server, line_to, message, messages
from tests.mail.sources.fetched import BRISK, SYSTEM, FetchedDesk
from tests.mail.token_server import token_server

pytestmark = pytest.mark.anyio

PATIENT = replace(BRISK, poll=3600)
"""Nothing but IDLE tells of new mail."""

LOCKS = (
    "select count(*) from pg_locks l join pg_database d on d.oid = l.database"
    " where d.datname = current_database() and l.locktype = 'advisory' and l.classid = 1835100524"
)

VICTIM = """
import asyncio, sys
from pathlib import Path
from deskbell.kernel.address import Address
from deskbell.testing.plugin import open_database
from deskbell.worker import run_fetching
from tests.mail.token_server import token_server
from tests.mail.sources.fetched import BRISK

async def main():
    database = open_database(Address.parse(sys.argv[1]), Path(sys.argv[2]))
    await run_fetching(database, address=database.address, stop=asyncio.Event(), pace=BRISK)

asyncio.run(main())
"""


@asynccontextmanager
async def worker(desk: FetchedDesk, pace: FetchPace = BRISK) -> AsyncIterator[asyncio.Event]:
    """Fetch beside the block; yield what stops it."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_fetching(desk.database, address=desk.database.address, stop=stop, pace=pace))
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)
        await desk.database.async_engine.dispose()


async def until(desk: FetchedDesk, condition: Any) -> None:
    await asyncio.to_thread(desk.until, condition)


def set_secret(desk: FetchedDesk, mailbox: Mailbox, name: str, text: str) -> None:
    with desk.database.transaction(SYSTEM) as session:
        sealed = resources_of(session).vault.seal(text, f"mailboxes.{name}", mailbox.id)
        setattr(session.get_one(Mailbox, mailbox.id), name, sealed)


async def test_new_mail_is_fetched_as_soon_as_the_server_tells_of_it(mail_desk: FetchedDesk) -> None:
    mailbox = mail_desk.mailbox("INBOX", "Support")
    async with worker(mail_desk, PATIENT):
        for number in range(3):
            first, second = messages((20_000 + number, 20_100 + number))
            mail_desk.server.deliver(mailbox.address, first)
            mail_desk.server.deliver(mailbox.address, second, folder="Support")
            await until(mail_desk, lambda: {first, second} <= set(mail_desk.ledger(mailbox)))  # noqa: B023 - awaited here
    assert len(mail_desk.ledger(mailbox)) == 6


async def test_a_server_that_does_not_tell_is_asked_again_and_again(mail_desk: FetchedDesk) -> None:
    with imap_server(further="imap_capability = IMAP4rev1 LITERAL+\n") as mute:
        mailbox = mail_desk.mailbox(imap_port=mute.port)
        async with worker(mail_desk):
            for number in range(3):
                mute.deliver(mailbox.address, message(20_200 + number))
                await until(mail_desk, lambda: len(mail_desk.ledger(mailbox)) == number + 1)  # noqa: B023 - awaited here


async def test_a_broken_mailbox_says_why_hinders_no_other_and_is_fetched_once_it_is_put_right(
    mail_desk: FetchedDesk,
) -> None:
    broken, well = mail_desk.mailbox(password="wrong"), mail_desk.mailbox()
    for each in (broken, well):
        mail_desk.server.deliver(each.address, message(20_300 + each.id))
    async with worker(mail_desk):
        await until(mail_desk, lambda: mail_desk.ledger(well) and mail_desk.folder(broken)["problem"])
        folder = mail_desk.folder(broken)
        assert folder["problem"] == (
            f"127.0.0.1 does not let {broken.address} in: [AUTHENTICATIONFAILED] Authentication failed."
        )
        since = folder["failing_since"]
        await until(mail_desk, lambda: mail_desk.folder(broken)["checked_at"] > since)
        assert (mail_desk.folder(broken)["failing_since"], mail_desk.folder(well)["problem"]) == (since, "")
        set_secret(mail_desk, broken, "imap_password", PASSWORD)
        await until(mail_desk, lambda: mail_desk.ledger(broken))
        await until(mail_desk, lambda: not mail_desk.folder(broken)["problem"])
    assert mail_desk.folder(broken)["failing_since"] is None


async def test_a_mailbox_that_is_put_to_rest_is_not_fetched_any_more(mail_desk: FetchedDesk) -> None:
    resting, well = mail_desk.mailbox(), mail_desk.mailbox()
    async with worker(mail_desk):
        mail_desk.server.deliver(resting.address, message(20_400))
        await until(mail_desk, lambda: mail_desk.ledger(resting))
        mail_desk.change(resting, is_active=False)
        await until(mail_desk, lambda: mail_desk.query(LOCKS)[0]["count"] == 1)
        mail_desk.server.deliver(resting.address, message(20_401))
        mail_desk.server.deliver(well.address, message(20_402))
        await until(mail_desk, lambda: mail_desk.ledger(well))
    assert len(mail_desk.ledger(resting)) == 1


async def test_of_two_workers_one_fetches_a_mailbox_and_the_other_takes_over(mail_desk: FetchedDesk) -> None:
    with line_to(mail_desk.server.port) as line:
        mailbox = mail_desk.mailbox(imap_port=line.port)
        async with worker(mail_desk), worker(mail_desk) as second:
            mail_desk.server.deliver(mailbox.address, message(20_500))
            await until(mail_desk, lambda: mail_desk.ledger(mailbox))
            assert line.connections == 1
            second.set()
            mail_desk.server.deliver(mailbox.address, message(20_501))
            await until(mail_desk, lambda: len(mail_desk.ledger(mailbox)) == 2)
        before = line.connections
        async with worker(mail_desk) as first:
            await until(mail_desk, lambda: line.connections == before + 1)
            async with worker(mail_desk):
                first.set()
                await until(mail_desk, lambda: line.connections == before + 2)


async def test_it_stops_at_once_whatever_its_servers_are_doing(mail_desk: FetchedDesk) -> None:
    with line_to(mail_desk.server.port) as silent, line_to(mail_desk.server.port) as idle:
        silent.is_silent = True
        mail_desk.mailbox(imap_port=silent.port)
        well = mail_desk.mailbox(imap_port=idle.port)
        mail_desk.server.deliver(well.address, message(20_600))
        async with worker(mail_desk, replace(PATIENT, grace=2)):
            await until(mail_desk, lambda: mail_desk.ledger(well) and silent.connections)
            before = monotonic()
        assert monotonic() - before < 8
        silent.is_silent = False


async def test_a_line_that_is_cut_is_tied_again_without_complaint(mail_desk: FetchedDesk) -> None:
    with line_to(mail_desk.server.port) as line, capture_logs() as lines:
        mailbox = mail_desk.mailbox(imap_port=line.port)
        async with worker(mail_desk, PATIENT):
            for number in range(3):
                mail_desk.server.deliver(mailbox.address, message(20_700 + number))
                # Marked as read is the last thing that is done with a message: then the line is idle.
                await until(mail_desk, lambda: mail_desk.server.flags(mailbox.address) == ["S"] * (number + 1))  # noqa: B023 - awaited here
                line.cut()
        assert mail_desk.folder(mailbox)["problem"] == ""
    assert [each for each in lines if each["event"] == "folder_not_fetched"] == []


async def test_a_server_that_lets_in_no_more_is_quoted_and_left_alone_for_a_while(mail_desk: FetchedDesk) -> None:
    with imap_server(connections=1) as full:
        mailbox = mail_desk.mailbox(imap_port=full.port)
        full.maildir(mailbox.address, "INBOX")
        with closing(connect(imap_server_of(mail_desk.account(mailbox)), patience=PATIENT.patience)):
            async with worker(mail_desk, PATIENT):
                problems = "select problem from mailbox_folders where problem <> ''"
                await until(mail_desk, lambda: mail_desk.query(problems))
                [row] = mail_desk.query(problems)
        assert "Maximum number of connections from user+IP exceeded" in row["problem"]


async def test_all_is_fetched_when_the_database_was_away_meanwhile(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), messages(range(21_000, 21_500))
    async with worker(mail_desk):
        mail_desk.server.deliver(mailbox.address, *sent[:300])
        for _ in range(5):
            mail_desk.cut_off()
            await asyncio.sleep(0.05)
        mail_desk.server.deliver(mailbox.address, *sent[300:])
        await until(mail_desk, lambda: len(mail_desk.ledger(mailbox)) >= 500)
    assert sorted(mail_desk.ledger(mailbox)) == sorted(sent)
    assert mail_desk.jobs() == 500


async def test_a_database_that_is_not_there_is_waited_for(mail_desk: FetchedDesk) -> None:
    stop, nowhere = asyncio.Event(), Address("127.0.0.1", 1, "away", "nobody", "")
    with capture_logs() as lines:
        task = asyncio.create_task(run_fetching(mail_desk.database, address=nowhere, stop=stop, pace=BRISK))
        await until(mail_desk, lambda: len(lines) >= 2)
        stop.set()
        await asyncio.wait_for(task, 60)
    assert {line["event"] for line in lines} == {"fetching_restarts"}


async def test_killed_again_and_again_each_message_is_written_down_once(mail_desk: FetchedDesk, tmp_path: Any) -> None:
    mailbox, sent = mail_desk.mailbox(), messages(range(22_000, 22_350))
    mail_desk.server.deliver(mailbox.address, *sent)
    kills = 0
    while len(mail_desk.ledger(mailbox)) < len(sent):
        had = len(mail_desk.ledger(mailbox))
        victim = await asyncio.create_subprocess_exec(sys.executable, "-c", VICTIM, mail_desk.admin.dsn, str(tmp_path))
        await until(mail_desk, lambda: len(mail_desk.ledger(mailbox)) > had)  # noqa: B023 - awaited here
        victim.send_signal(signal.SIGKILL)
        await victim.wait()
        kills += 1
    assert kills > 1
    assert sorted(mail_desk.ledger(mailbox)) == sorted(sent)
    assert mail_desk.jobs() == len(sent)
    assert mail_desk.query("select count(*) from inbound_arrivals")[0]["count"] == len(sent)


async def test_a_refresh_token_that_is_good_once_is_kept_and_used_the_next_time(mail_desk: FetchedDesk) -> None:
    with token_server(rotates=True) as tokens, imap_server(tokens_port=tokens.port) as machine:
        mailbox = mail_desk.mailbox(imap_port=machine.port)
        tokens.email = mailbox.address
        facts = {"login": LogIn.OAUTH2, "oauth_token_url": tokens.url, "oauth_client_id": "the desk"}
        mail_desk.change(mailbox, **facts)
        set_secret(mail_desk, mailbox, "oauth_refresh", "refresh-0")
        machine.deliver(mailbox.address, message(24_000))
        async with worker(mail_desk):
            await until(mail_desk, lambda: mail_desk.ledger(mailbox))
            await until(
                mail_desk,
                lambda: (
                    imap_server_of(mail_desk.account(mailbox)).grant == Grant(tokens.url, "the desk", "", "refresh-1")
                ),
            )
            machine.deliver(mailbox.address, message(24_001))
            await until(mail_desk, lambda: len(mail_desk.ledger(mailbox)) == 2)
        assert len(tokens.asked) == 1
        TOKENS.forget(Grant(tokens.url, "the desk", "", "refresh-1"))
        machine.deliver(mailbox.address, message(24_002))
        async with worker(mail_desk):
            await until(mail_desk, lambda: len(mail_desk.ledger(mailbox)) == 3)
        assert [asked["refresh_token"] for asked in tokens.asked] == ["refresh-0", "refresh-1"]
