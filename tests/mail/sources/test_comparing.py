"""The nightly comparison with the server, and filling what it found missing."""

from typing import Any

import pytest

from deskbell.kernel.errors import NotFoundError
from deskbell.kernel.jobs import JobSpec
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.sources import comparing
from deskbell.mail.sources.errors import MailServerError, RefusedError
from deskbell.wiring import JOBS
from tests.mail.imap_server import message, messages
from tests.mail.sources.fetched import SYSTEM, FetchedDesk

pytestmark = pytest.mark.anyio


async def run(desk: FetchedDesk, spec: JobSpec, folder_id: int) -> None:
    """Run a job as the worker does: what it does elsewhere between two transactions."""
    assert spec.remote is not None
    with desk.database.transaction(SYSTEM) as session:
        given = spec.function(session, folder_id)
    if given is not None:
        returned = await spec.remote.call(given)
        with desk.database.transaction(SYSTEM) as session:
            spec.remote.record(session, given=given, returned=returned)


async def compared(desk: FetchedDesk, mailbox: Mailbox) -> dict[str, Any]:
    await run(desk, JOBS[comparing.COMPARE], desk.folder(mailbox)["id"])
    return desk.folder(mailbox)


async def filled(desk: FetchedDesk, mailbox: Mailbox) -> dict[str, Any]:
    await run(desk, JOBS[comparing.FILL], desk.folder(mailbox)["id"])
    return desk.folder(mailbox)


def waiting(desk: FetchedDesk, name: str) -> list[dict[str, Any]]:
    rows = desk.query("select args from jobs.procrastinate_jobs where task_name = %s order by id", name)
    return [row["args"] for row in rows]


def forget(desk: FetchedDesk, mailbox: Mailbox, *uids: int) -> None:
    """Lose messages that were fetched, as no fault of ours is known to do."""
    folder = desk.folder(mailbox)["id"]
    its = "select inbound_id from inbound_arrivals where folder_id = %s and uid = any(%s)"
    [lost] = [[row["inbound_id"] for row in desk.query(its, folder, list(uids))]]
    desk.query("delete from inbound_arrivals where folder_id = %s and uid = any(%s)", folder, list(uids))
    desk.query("delete from inbound_messages where id = any(%s)", lost)


async def test_a_night_compares_each_folder_by_itself(mail_desk: FetchedDesk) -> None:
    one, two = mail_desk.mailbox("INBOX", "Support"), mail_desk.mailbox()
    resting, elsewhere = mail_desk.mailbox(), mail_desk.mailbox()
    mail_desk.change(resting, is_active=False)
    mail_desk.change(elsewhere, imap_host="")
    with mail_desk.database.transaction(SYSTEM) as session:
        assert comparing.compare_all(session) == 3
    folders = mail_desk.query("select id from mailbox_folders where mailbox_id = any(%s) order by id", [one.id, two.id])
    assert waiting(mail_desk, comparing.COMPARE) == [{"folder_id": row["id"]} for row in folders]


async def test_where_nothing_is_missing_the_folder_says_how_many_there_are(mail_desk: FetchedDesk) -> None:
    mailbox = mail_desk.mailbox()
    mail_desk.server.deliver(mailbox.address, *messages(range(10_000, 10_005)))
    mail_desk.fetch(mailbox)
    mail_desk.server.deliver(mailbox.address, message(10_005))  # new, and so not missing
    folder = await compared(mail_desk, mailbox)
    assert (folder["missing"], folder["on_server"], folder["last_uid"]) == ([], 6, 5)
    assert folder["compared_at"] is not None


async def test_what_the_ledger_lacks_is_found_and_filled_on_request_and_nothing_else(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), messages(range(11_000, 11_010))
    mail_desk.server.deliver(mailbox.address, *sent)
    mail_desk.fetch(mailbox)
    forget(mail_desk, mailbox, 3, 4, 8)
    folder = await compared(mail_desk, mailbox)
    assert folder["missing"] == [3, 4, 8]
    with mail_desk.database.transaction(SYSTEM) as session:
        assert comparing.fill_gaps(session, folder["id"]) == 3
    assert waiting(mail_desk, comparing.FILL) == [{"folder_id": folder["id"]}]
    arrivals = mail_desk.query("select count(*) from inbound_arrivals")[0]["count"]
    assert (await filled(mail_desk, mailbox))["missing"] == []
    assert sorted(mail_desk.ledger(mailbox)) == sorted(sent)
    assert mail_desk.query("select count(*) from inbound_arrivals")[0]["count"] == arrivals + 3
    assert mail_desk.jobs() == 13


async def test_many_gaps_are_filled_by_one_job_after_the_other(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), messages(range(12_000, 12_250))
    mail_desk.server.deliver(mailbox.address, *sent)
    mail_desk.fetch(mailbox)
    forget(mail_desk, mailbox, *range(1, 250))
    await compared(mail_desk, mailbox)
    left = [len((await filled(mail_desk, mailbox))["missing"]) for _ in range(3)]
    assert left == [149, 49, 0]
    assert len(waiting(mail_desk, comparing.FILL)) == 2
    assert sorted(mail_desk.ledger(mailbox)) == sorted(sent)


async def test_what_the_server_has_no_longer_is_not_missing_any_more(mail_desk: FetchedDesk) -> None:
    mailbox = mail_desk.mailbox()
    paths = mail_desk.server.deliver(mailbox.address, *messages(range(13_000, 13_003)))
    mail_desk.fetch(mailbox)
    forget(mail_desk, mailbox, 2)
    await compared(mail_desk, mailbox)
    next((paths[1].parent.parent / "cur").glob(f"{paths[1].name}*")).unlink()
    assert (await filled(mail_desk, mailbox))["missing"] == []
    assert len(mail_desk.ledger(mailbox)) == 2


async def test_what_cannot_be_had_stays_missing_with_the_servers_words(mail_desk: FetchedDesk) -> None:
    mailbox = mail_desk.mailbox()
    paths = mail_desk.server.deliver(mailbox.address, *messages(range(14_000, 14_003)))
    mail_desk.fetch(mailbox)
    forget(mail_desk, mailbox, 2)
    await compared(mail_desk, mailbox)
    next((paths[1].parent.parent / "cur").glob(f"{paths[1].name}*")).chmod(0)
    with pytest.raises(MailServerError, match="Internal error"):
        await filled(mail_desk, mailbox)
    assert mail_desk.folder(mailbox)["missing"] == [2]


async def test_a_folder_that_was_numbered_anew_is_left_to_fetching(mail_desk: FetchedDesk) -> None:
    mailbox = mail_desk.mailbox()
    mail_desk.server.deliver(mailbox.address, *messages(range(15_000, 15_003)))
    mail_desk.fetch(mailbox)
    forget(mail_desk, mailbox, 2)
    before = await compared(mail_desk, mailbox)
    mail_desk.server.renumber(mailbox.address)
    assert await compared(mail_desk, mailbox) == before
    assert await filled(mail_desk, mailbox) == before
    assert len(mail_desk.ledger(mailbox)) == 2


async def test_a_server_that_refuses_fails_its_own_job_alone(mail_desk: FetchedDesk) -> None:
    wrong = mail_desk.mailbox(password="wrong")
    mail_desk.account(wrong)
    with pytest.raises(RefusedError, match="Authentication failed"):
        await compared(mail_desk, wrong)


async def test_a_folder_that_nobody_knows_is_not_found(mail_desk: FetchedDesk) -> None:
    with mail_desk.database.transaction(SYSTEM) as session, pytest.raises(NotFoundError, match="no folder 99"):
        comparing.fill_gaps(session, 99)
