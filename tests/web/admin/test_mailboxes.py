"""Mailboxes, decisions about mail, and letters: forms do what they say, and say why they do not."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from deskbell.accounts.models import Role
from deskbell.kernel.address import Address
from deskbell.kernel.resources import resources_of
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.ledger import receive
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.mailboxes.models import Mailbox, MailboxFolder
from deskbell.mail.outbound.letters import ORIGINALS
from deskbell.mail.outbound.models import LetterTemplate, OutboundKind
from deskbell.testing.factories import SYSTEM
from deskbell.web.admin.letters import MEANINGS, where
from tests.web.pages.conftest import Browser, Pages
from tests.web.waiting import slow_server, waiting_transactions

pytestmark = pytest.mark.anyio

FORM = {"address": "help@example.org", "name": "Help", "acknowledges": "true", "is_plus": "true"}
FETCHED = {**FORM, "imap_host": "imap.example.org", "imap_user": "help", "imap_password": "swordfish"}


async def ask(desk: Pages, statement: Any) -> list[Any]:
    async with desk.database.async_transaction(SYSTEM) as session:
        return list((await session.execute(statement)).scalars())


async def password_of(desk: Pages, mailbox_id: int) -> str | None:
    def opened(session: Session) -> str | None:
        one = session.get_one(Mailbox, mailbox_id, options=[undefer(Mailbox.imap_password)], populate_existing=True)
        vault = resources_of(session).vault
        sealed = one.imap_password
        return vault.open(sealed, "mailboxes.imap_password", mailbox_id) if sealed else None

    async with desk.database.async_transaction(SYSTEM) as session:
        return await session.run_sync(opened)


async def add(admin: Browser, **form: str) -> str:
    """Add a mailbox; return where its page is."""
    answer = await admin.send("/admin/mailboxes", None, **form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_mailbox_is_added_and_its_password_is_never_shown(desk: Pages, admin: Browser) -> None:
    place = await add(admin, **FETCHED, tags="card, vip", imap_folders="INBOX\nSupport")
    page = (await admin.client.get(place)).text
    assert ("One is kept." in page, "swordfish" in page, 'value="card, vip"' in page) == (True, False, True)
    assert "Not fetched yet" in (await admin.client.get("/admin/mailboxes")).text
    [mailbox] = await ask(desk, select(Mailbox))
    assert (mailbox.imap_folders, mailbox.kept) == (["INBOX", "Support"], ["imap_password"])
    assert await password_of(desk, mailbox.id) == "swordfish"


async def test_an_empty_field_keeps_the_password_and_a_tick_removes_it(desk: Pages, admin: Browser) -> None:
    place = await add(admin, **FETCHED)
    number = int(place.rpartition("/")[2])
    same = {**FETCHED, "imap_password": "", "name": "Renamed"}
    assert (await admin.send(place, None, **same)).status_code == 303
    assert await password_of(desk, number) == "swordfish"
    refused = await admin.send(place, None, **{**same, "imap_host": "imap.evil.example"})
    assert (refused.status_code, 'id="imap_password-error"' in refused.text) == (422, True)
    delivered = {**FORM, "forget": "imap_password"}
    assert (await admin.send(place, None, **delivered)).status_code == 303
    assert await password_of(desk, number) is None


async def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(admin: Browser) -> None:
    await add(admin, **FORM)
    for field, form in {
        "address": {"address": "nobody"},
        "imap_port": {"imap_port": "99999"},
        "team_id": {"team_id": "no team"},
        "priority": {"priority": "enormous"},
        "dkim_key": {"dkim_domain": "example.org", "dkim_selector": "a", "dkim_key": "nothing"},
        "authority": {"authority": "nothing"},
    }.items():
        answer = await admin.send("/admin/mailboxes", None, **{**FETCHED, "address": "x@example.org", **form})
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), field
        assert ('value="Help"' in answer.text, "swordfish" in answer.text) == (True, False)
    taken = await admin.send("/admin/mailboxes", None, **{**FORM, "address": "HELP@example.org"})
    assert (taken.status_code, 'id="address-error"' in taken.text) == (409, True)


async def test_the_connections_are_tried_as_the_form_has_them_and_nothing_is_saved(desk: Pages, admin: Browser) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    form = {**FETCHED, "imap_host": "127.0.0.1", "imap_port": port, "imap_security": "none"}
    page = (await admin.send("/admin/mailboxes/test", None, **form)).text
    assert re.search(r"Connect</b>.*?works", page, re.DOTALL)
    assert "fails" in page
    assert ('value="Help"' in page, "swordfish" in page) == (True, False)
    part = (await admin.send("/admin/mailboxes/test", {"hx-request": "true"}, **form)).text
    assert ("<html" in part, "fails" in part) == (False, True)
    assert await ask(desk, select(Mailbox)) == []
    server.close()
    nothing = (await admin.send("/admin/mailboxes/test", None, **FORM)).text
    assert "There is nothing to test" in nothing
    wrong = await admin.send("/admin/mailboxes/test", None, **{**FORM, "address": "nobody"})
    assert (wrong.status_code, "is not an e-mail address" in wrong.text) == (422, True)


async def test_no_transaction_waits_for_a_server(live: Pages, fresh_address: Address) -> None:
    """One that did would hold a connection for as long as somebody else's server likes, and vacuuming up."""
    admin = await live.browser_of(Role.ADMIN)
    place = await add(admin, **FORM)
    for path in (f"{place}/test", "/admin/mailboxes/test"):
        async with slow_server() as server, asyncio.timeout(60):
            form = {**FETCHED, "imap_host": "127.0.0.1", "imap_port": str(server.port), "imap_security": "none"}
            tried = asyncio.create_task(admin.send(path, None, **form))
            await server.is_waited_for.wait()
            assert waiting_transactions(fresh_address) == 0
            server.may_go_on.set()
            page = await tried
            assert (page.status_code, "fails" in page.text) == (200, True)


async def test_connections_are_tried_for_nobody_else(desk: Pages, admin: Browser) -> None:
    """Neither for another site's form, nor for who is not logged in."""
    place = await add(admin, **FORM)
    for path in (f"{place}/test", "/admin/mailboxes/test"):
        assert (await admin.client.post(path, data=FORM)).status_code == 403
        stranger = await (await desk.browser()).send(path, None, **FORM)
        assert (stranger.status_code, "nothing to test" in stranger.text) in {(303, False), (401, False)}


async def test_the_kept_password_is_tried_at_its_own_server_alone(admin: Browser) -> None:
    place = await add(admin, **FETCHED)
    other = {**FETCHED, "imap_password": "", "imap_host": "127.0.0.1"}
    refused = await admin.send(f"{place}/test", None, **other)
    assert (refused.status_code, "The server is another one now." in refused.text) == (422, True)


async def test_problems_and_gaps_of_folders_are_shown_with_what_can_be_done(desk: Pages, admin: Browser) -> None:
    place = await add(admin, **FETCHED)
    number = int(place.rpartition("/")[2])
    async with desk.database.async_transaction(SYSTEM) as session:
        folder = MailboxFolder(mailbox_id=number, name="INBOX", problem="LOGIN failed <b>", missing=[4, 7])
        session.add(folder)
    listed = (await admin.client.get("/admin/mailboxes")).text
    assert ("Cannot be fetched" in listed, "LOGIN failed &lt;b&gt;" in listed) == (True, True)
    assert "2 messages missing" in listed
    overview = (await admin.client.get("/admin")).text
    assert "The mailbox Help cannot be fetched: LOGIN failed &lt;b&gt;" in overview
    assert "2 messages in the mailbox Help were not fetched." in overview
    page = (await admin.client.get(place)).text
    assert "UID 4, 7" in page
    [way] = re.findall(r'action="([^"]*/fill)"', page)
    for form in (way, f"{place}/compare"):
        assert (await admin.send(form)).status_code == 303
    assert (await admin.send(way.replace(f"/{folder.id}/", "/99/"))).status_code == 404
    rests = await admin.send(f"{place}/deactivate")
    assert (rests.status_code, "Deactivated" in (await admin.client.get("/admin/mailboxes")).text) == (303, True)
    assert (await admin.send(f"{place}/activate")).status_code == 303


async def suspended(desk: Pages, words: str = "Hello") -> int:
    """Make a message that waits for a decision."""

    def take_in(session: Session) -> int:
        message = receive(session, f"Subject: No sender\n\n{words}\n".encode(), source="test").id
        file_message(session, message)
        return message

    async with desk.database.async_transaction(SYSTEM) as session:
        return await session.run_sync(take_in)


async def state_of(desk: Pages, message: int) -> MailState:
    [found] = await ask(desk, select(InboundMessage.state).where(InboundMessage.id == message))
    return MailState(found)


async def test_messages_are_let_in_turned_away_and_read_again(desk: Pages, admin: Browser) -> None:
    first, second = await suspended(desk, "one"), await suspended(desk, "two")
    page = (await admin.client.get(f"/admin/mail/{first}")).text
    assert ("Let in as a new ticket" in page, "Turn away" in page, "Read it again" in page) == (True, True, True)
    assert (await admin.send(f"/admin/mail/{first}/release")).status_code == 303
    assert await state_of(desk, first) is MailState.RECEIVED
    assert (await admin.send(f"/admin/mail/{second}/reject", why="<b>not ours")).status_code == 303
    assert "&lt;b&gt;not ours" in (await admin.client.get(f"/admin/mail/{second}")).text
    again = await admin.send(f"/admin/mail/{second}/reject")
    assert (again.status_code, "waits for no decision" in again.text) == (409, True)
    assert (await admin.send(f"/admin/mail/{second}/replay")).status_code == 303


async def test_all_that_failed_are_read_again(desk: Pages, admin: Browser) -> None:
    message = await suspended(desk)
    async with desk.database.async_transaction(SYSTEM) as session:
        (await session.get_one(InboundMessage, message)).state = MailState.FAILED
    page = (await admin.client.get("/admin/mail?state=failed")).text
    assert "Read all failed messages again" in page
    assert (await admin.send("/admin/mail/replay", state="ticket")).status_code == 422
    assert (await admin.send("/admin/mail/replay", state="failed", mailbox="")).status_code == 303
    assert await state_of(desk, message) is MailState.RECEIVED


async def test_the_ledger_is_filtered(desk: Pages, admin: Browser) -> None:
    await suspended(desk)
    for asked, is_there in {
        "state=suspended": True,
        "state=failed": False,
        "words=no+SEND": True,
        "words=other": False,
        "since=2020-01-01&until=2999-12-31": True,
        "since=2999-01-01": False,
        "mailbox=1": False,
        "since=never": True,
    }.items():
        page = (await admin.client.get(f"/admin/mail?{asked}")).text
        assert ("No sender" in page.split("</form>")[-1]) == is_there, asked
    unknown = await admin.client.get("/admin/mail?ticket=DB-99")
    assert (unknown.status_code, 'id="ticket-error"' in unknown.text) == (422, True)


async def test_letters_are_written_anew_and_go_back(desk: Pages, admin: Browser) -> None:
    place = "/admin/letters/answered/de"
    assert "Your words" not in (await admin.client.get("/admin/letters")).text
    words = {"subject": "Re: {{ ticket.title }}", "body": "Moin {{ recipient.name }},\n\n{{ message }}"}
    assert (await admin.send(place, None, **words)).status_code == 303
    [kept] = await ask(desk, select(LetterTemplate))
    assert (kept.kind, kept.locale, kept.subject) == (OutboundKind.ANSWERED, "de", "Re: {{ ticket.title }}")
    assert "Your words" in (await admin.client.get(place)).text
    shown = await admin.client.get(f"{place}/preview")
    assert ("Moin Kim Ito" in shown.text, "sandbox" in shown.headers["content-security-policy"]) == (True, True)
    typed = await admin.send(f"{place}/preview", None, subject="<b>{{ ticket.number }}", body="{{ message }} <script>x")
    assert ("&lt;b&gt;DB-1042" in typed.text, "<script>" in typed.text) == (True, False)
    assert (await admin.send(f"{place}/revert")).status_code == 303
    assert await ask(desk, select(LetterTemplate)) == []


async def test_a_letter_that_cannot_be_sent_is_refused_at_its_place(admin: Browser) -> None:
    place, body = "/admin/letters/answered/en", "{{ message }}\n\nHello {{ nobody }}, {{ message }}"
    answer = await admin.send(place, None, subject="Answer", body=body)
    assert (answer.status_code, 'id="body-error"' in answer.text) == (422, True)
    assert re.search(r"Line 3, character \d+:", answer.text)
    assert "<mark>" in answer.text
    assert "Hello {{ nobody }}" in answer.text
    assert "This cannot be sent" in (await admin.send(f"{place}/preview", None, subject="x", body=body)).text
    assert (await admin.client.get("/admin/letters/answered/tlh")).status_code == 404


def test_each_name_of_a_letter_is_explained_beside_its_form() -> None:
    assert MEANINGS.keys() == {name for original in ORIGINALS.values() for name in original.names}


def test_a_place_in_a_text_is_told_by_line_and_column() -> None:
    told = where("one\ntwo {{ x }}\nthree", 10)
    assert (told["line"], told["column"], told["before"] + told["at"] + told["after"]) == (2, 7, "two {{ x }}")
    assert where("", 0) == {"line": 1, "column": 1, "before": "", "at": "", "after": ""}


@pytest.mark.parametrize("role", [Role.AGENT, Role.CUSTOMER])
async def test_mailboxes_are_for_administrators(desk: Pages, admin: Browser, role: Role) -> None:
    place = await add(admin, **FETCHED)
    browser = await desk.browser_of(role)
    for path in (place, f"{place}/test", "/admin/mailboxes/test", f"{place}/deactivate"):
        assert (await browser.send(path, None, **FORM)).status_code == 403, path
