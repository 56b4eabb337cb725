"""What mail servers deliver is in the ledger, byte by byte, before they are told so; and nothing else is."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from deskbell.kernel.actor import Actor, ActorKind
from deskbell.kernel.database import Database
from deskbell.kernel.doors import Door
from deskbell.kernel.errors import SetupError
from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.addresses import reply_address
from deskbell.mail.sources.listener import Listener, Terms, listening
from deskbell.testing.factories import SYSTEM
from tests.mail.sources.delivering import ARRIVALS, LETTER, MESSAGES, TO_FILE, listener

pytestmark = pytest.mark.anyio


async def test_a_message_is_written_down_with_its_envelope_before_the_250(fresh_database: Database) -> None:
    async with listener(fresh_database, "smtp") as post:
        caller = await post.greeted()
        [answer] = await caller.deliver(LETTER, "help@example.test", "sam@example.test")
        [message] = await post.messages()
        [arrival] = await post.arrivals()
        assert answer == f"250 2.0.0 Taken as message {message.id}"
        assert (message.raw, message.source) == (LETTER, "smtp from 127.0.0.1")
        assert arrival.envelope_from == "kim@example.test"
        assert arrival.envelope_to == ["help@example.test", "sam@example.test"]
        assert await post.count(TO_FILE) == 1


async def test_the_same_message_again_is_known_and_filed_once(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        [first] = await caller.deliver(LETTER, "help@example.test")
        [again] = await caller.deliver(LETTER, "help@example.test")
        assert (first, again) == ("250 2.0.0 Taken as message 1", "250 2.0.0 Known as message 1")
        assert [await post.count(each) for each in (MESSAGES, ARRIVALS, TO_FILE)] == [1, 2, 1]


async def test_lmtp_answers_once_for_each_recipient(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        assert await caller.say("EHLO x") == '500 Error: command "EHLO" not recognized'
        answers = await caller.deliver(LETTER, "a@example.test", "b@example.test", "c@example.test")
        assert answers == ["250 2.0.0 Taken as message 1"] * 3
        assert await caller.say("NOOP") == "250 OK"


async def test_a_bounce_has_an_empty_sender(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        await (await post.greeted()).deliver(LETTER, "help@example.test", sender="")
        [arrival] = await post.arrivals()
        assert arrival.envelope_from == ""


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b".\r\n..\r\n.a\r\n\r\n.\r\n...\r\n", id="dots"),
        pytest.param(b"Subject: \x00\x00\r\n\r\n\x00\r\n", id="NUL"),
        pytest.param(b"a: b\n\nlone\nline feeds\r\n", id="bare LF"),
        pytest.param(b"a: b\r\rlone\rreturns\r\r\n", id="bare CR"),
        pytest.param(bytes(range(256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n", id="8 bit"),
        pytest.param(b"x" * 300_000 + b"\r\n", id="one long line"),
        pytest.param(b"\r\n" * 5000, id="empty lines"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_every_byte_is_kept(fresh_database: Database, raw: bytes) -> None:
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        await caller.say("MAIL FROM:<>")
        await caller.say("RCPT TO:<help@example.test>")
        await caller.say("DATA")
        stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
        caller.send(stuffed, b".\r\n")
        assert (await caller.hear()).startswith("250")
        [message] = await post.messages()
        assert message.raw == raw


async def test_addresses_may_be_of_any_language_and_of_any_bytes(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        assert await caller.say("MAIL FROM:<zoë@example.test> SMTPUTF8 BODY=8BITMIME") == "250 OK"
        assert (await caller.say("RCPT TO:<hjälp@example.test>")).startswith("250")
        assert (await caller.say(b"RCPT TO:<\xff\xfe\x00@example.test>\r\n"))[0] in "25"
        caller.send("DATA", LETTER, b".\r\n")
        assert (await caller.hear()).startswith("354")
        assert (await caller.hear()).startswith("250")
        [arrival] = await post.arrivals()
        assert (arrival.envelope_from, arrival.envelope_to[0]) == ("zoë@example.test", "hjälp@example.test")


async def test_commands_may_come_all_at_once(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        once: tuple[Any, ...] = ("MAIL FROM:<>", "RCPT TO:<a@example.test>", "DATA", LETTER, b".\r\n")
        caller.send(*once, *once, "QUIT")
        answers = [await caller.hear() for _ in range(9)]
        assert [answer[:3] for answer in answers] == ["250", "250", "354", "250"] * 2 + ["221"]
        assert [answer[10:15] for answer in answers[3::4]] == ["Taken", "Known"]
        assert await caller.ended()


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r"])
async def test_a_second_message_is_not_smuggled_in(fresh_database: Database, end: bytes) -> None:
    async with listener(fresh_database, "smtp") as post:
        caller = await post.greeted()
        smuggled = (
            b"MAIL FROM:<ceo@example.test>\r\nRCPT TO:<a@example.test>\r\nDATA\r\nFrom: ceo@example.test\r\n\r\nPay"
        )
        for line in ("MAIL FROM:<>", "RCPT TO:<a@example.test>", "DATA"):
            await caller.say(line)
        caller.send(b"Subject: x\r\n\r\nx", end, smuggled, b"\r\n.\r\n")
        assert (await caller.hear()).startswith("554 5.6.0")
        assert await caller.say("NOOP") == "250 OK"
        assert await post.count() == 0


async def test_what_is_too_large_is_refused_before_it_comes_or_when_it_has(fresh_database: Database) -> None:
    async with listener(fresh_database, max_bytes=100_000) as post:
        caller = await post.greeted()
        assert (await caller.say("MAIL FROM:<> SIZE=100001")).startswith("552")
        [answer] = await caller.deliver(LETTER + b"x" * 100_001, "a@example.test")
        assert answer == "552 5.3.4 The message is larger than 100000 bytes"
        [answer] = await caller.deliver(b"x" * 99_998, "a@example.test")
        assert answer.startswith("250")
        [message] = await post.messages()
        assert message.size == 100_000


async def test_what_never_ends_is_hung_up_on(fresh_database: Database) -> None:
    async with listener(fresh_database, max_bytes=100_000) as post:
        caller = await post.greeted()
        for line in ("MAIL FROM:<>", "RCPT TO:<a@example.test>", "DATA"):
            await caller.say(line)

        async def never_end() -> None:
            while True:
                caller.send(b"x" * 1_000_000)
                await caller.writer.drain()
                await asyncio.sleep(0)

        with pytest.raises(ConnectionError):
            await never_end()
        assert await post.count() == 0


async def test_with_mailboxes_only_their_mail_is_taken(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        await caller.say("MAIL FROM:<>")
        assert (await caller.say("RCPT TO:<anybody@example.test>")).startswith("250")
        async with fresh_database.async_transaction(SYSTEM) as session:
            reach = await session.run_sync(lambda plain: resources_of(plain).reach)
        await _mailboxes(post.database, "Help@Example.test", closed="old@example.test")
        post.listener._addresses = (0.0, post.listener._addresses[1])  # as if the five seconds were over
        answers = {
            "help@example.test": "250",
            "HELP+card@example.TEST": "250",
            reply_address(reach, "help@example.test", 7, 8): "250",
            reply_address(reach, "desk@example.test", 7, 8): "250",  # the desk's own address has no mailbox
            "desk+7-8-aaaaaaaaaaaaaaaa@example.test": "550 5.1.1",
            "other@example.test": "550 5.1.1",
            "help@example.test.example.com": "550 5.1.1",
            "old@example.test": "550 5.2.1",
        }
        await caller.say("RSET")
        await caller.say("MAIL FROM:<>")
        for address, answer in answers.items():
            assert (await caller.say(f"RCPT TO:<{address}>")).startswith(answer), address
        caller.send("DATA", LETTER, b".\r\n")
        assert (await caller.hear()).startswith("354")
        for _ in range(4):
            assert (await caller.hear()).startswith("250")
        [arrival] = await post.arrivals()
        assert (len(arrival.envelope_to), arrival.mailbox_id) == (4, 1)


async def test_a_new_mailbox_takes_mail_at_once(fresh_database: Database) -> None:
    await _mailboxes(fresh_database, "one@example.test")
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        await caller.say("MAIL FROM:<>")
        assert (await caller.say("RCPT TO:<two@example.test>")).startswith("550")
        await _mailboxes(fresh_database, "two@example.test")
        assert (await caller.say("RCPT TO:<two@example.test>")).startswith("250")


async def _mailboxes(database: Database, address: str, *, closed: str = "") -> None:
    insert = "insert into mailboxes (name, address, is_active) values (:name, :name, :active)"
    async with database.async_transaction(Actor(ActorKind.ADMIN, 1)) as session:
        await session.execute(text(insert), {"name": address, "active": True})
        if closed:
            await session.execute(text(insert), {"name": closed, "active": False})


async def test_recipients_and_connections_are_limited(fresh_database: Database) -> None:
    async with listener(fresh_database, recipients=2, connections=1) as post:
        caller = await post.greeted()
        assert (await (await post.call()).hear()).startswith("421 4.3.2")
        await caller.say("MAIL FROM:<>")
        answers = [await caller.say(f"RCPT TO:<{name}@example.test>") for name in "abc"]
        assert [answer[:9] for answer in answers] == ["250 2.1.5", "250 2.1.5", "452 4.5.3"]
        caller.close()
        await post.listener._gone.wait()
        await post.greeted()


async def test_who_says_nothing_or_too_little_is_hung_up_on(fresh_database: Database) -> None:
    async with listener(fresh_database, timeout=0.3) as post:
        silent, slow = await post.call(), await post.greeted()
        for line in ("MAIL FROM:<>", "RCPT TO:<a@example.test>", "DATA"):
            await slow.say(line)

        async def drip() -> None:
            while True:
                slow.send(b"x")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert await silent.ended()
        assert await slow.ended()
        dripping.cancel()
        assert await post.count() == 0


async def test_strangers_are_not_let_in(fresh_database: Database) -> None:
    allowed = Listener(fresh_database, Terms())
    speaker = type("Stranger", (), {"peer": "192.0.2.7"})()
    assert str(allowed.enter(speaker)).startswith("554 5.7.1")
    for peer in ("", "127.0.0.1", "::1", "::ffff:127.0.0.1"):
        speaker.peer = peer
        assert allowed.enter(speaker) is None


async def test_a_socket_is_taken_over_from_the_dead_and_not_from_the_living(
    fresh_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "lmtp"
    door = Door("lmtp", path=str(path))
    async with listening(Listener(fresh_database, Terms(mode=0o600)), [door]):
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(SetupError, match="another process listens there"):
            async with listening(Listener(fresh_database, Terms()), [door]):
                pass
        assert await _greeting(path) == b"220"
    assert path.exists()  # as after a SIGKILL
    async with listening(Listener(fresh_database, Terms()), [door]):
        assert await _greeting(path) == b"220"
    await fresh_database.aclose()


async def _greeting(path: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    line = await reader.readline()
    writer.close()
    return line[:3]


async def test_a_port_in_use_is_said_so(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        with pytest.raises(SetupError, match="address already in use"):
            async with listening(Listener(fresh_database, Terms()), [Door("lmtp", "127.0.0.1", post.port)]):
                pass


async def test_it_stops_when_what_is_under_way_is_finished(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        busy, idle = await post.greeted(), await post.greeted()
        for line in ("MAIL FROM:<>", "RCPT TO:<a@example.test>", "DATA"):
            await busy.say(line)
        stopping = asyncio.create_task(post.listener.close())
        assert (await idle.hear()).startswith("421")
        assert await idle.ended()
        busy.send(LETTER, b".\r\n")
        assert (await busy.hear()).startswith("250")
        assert (await busy.hear()).startswith("421")
        await stopping
        assert await post.count() == 1
