"""What goes wrong while mail is delivered: the database, the disk, the network, and those who mean no good."""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import SetupError
from deskbell.mail.sources.incoming import END, FalseEndError, Incoming, TooLargeBodyError
from deskbell.mail.sources.listener import Listener, Terms
from tests.mail.sources.delivering import LETTER, PATIENCE, TO_FILE, Caller, listener
from tests.tls_server import authority
from tests.web.api.conftest import short_log

pytestmark = pytest.mark.anyio
__all__ = ["short_log"]  # a fixture
FULL_DISK = """
create function full_disk() returns trigger language plpgsql as $$
begin raise disk_full using message = 'could not extend file: No space left on device'; end $$;
create trigger full_disk before insert on inbound_messages execute function full_disk();
"""


async def test_a_full_disk_puts_mail_off_until_there_is_room(fresh_address: Address, fresh_database: Database) -> None:
    async with listener(fresh_database) as post:
        with psycopg.connect(fresh_address.dsn) as owner:
            owner.execute(FULL_DISK.encode())
        caller = await post.greeted()
        assert (
            await caller.deliver(LETTER, "a@example.test", "b@example.test")
            == ["452 4.3.1 The desk's database has no room left, try again later"] * 2
        )
        with psycopg.connect(fresh_address.dsn) as owner:
            owner.execute("drop trigger full_disk on inbound_messages")
        [answer] = await caller.deliver(LETTER, "a@example.test")
        assert answer.startswith("250 2.0.0 Taken")


async def test_without_a_database_mail_is_put_off_at_every_step(
    fresh_address: Address, fresh_database: Database
) -> None:
    """Connections are refused, as when the server is stopped, and those that are there are cut."""
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        with away(fresh_address):
            answers = await caller.deliver(LETTER, "a@example.test")
            assert answers[1].startswith("451 4.3.0"), answers
        for line in ("MAIL FROM:<>", "RCPT TO:<a@example.test>", "DATA"):
            await caller.say("RSET") if line.startswith("MAIL") else None
            await caller.say(line)
        with away(fresh_address):
            caller.send(LETTER, b".\r\n")
            assert (await caller.hear()).startswith("451 4.3.0")
        [answer] = await caller.deliver(LETTER, "a@example.test")
        assert answer.startswith("250 2.0.0 Taken")
        assert await post.count() == 1


class away:  # noqa: N801 - reads as a condition
    """The database takes no connections while the block runs."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def _do(self, *statements: str) -> None:
        with psycopg.connect(self.address.to_database("postgres").dsn, autocommit=True) as owner:
            for statement in statements:
                owner.execute(statement.format(self.address.database).encode())

    def __enter__(self) -> None:
        end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'"
        self._do("alter database {} allow_connections false", end)

    def __exit__(self, *_: object) -> None:
        self._do("alter database {} allow_connections true")


async def test_who_vanishes_at_any_step_leaves_nothing_or_one_message(fresh_database: Database) -> None:
    """Each prefix of the dialogue is cut, by closing and by resetting the connection."""
    dialogue = b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.test>\r\nDATA\r\n" + LETTER + b".\r\nQUIT\r\n"
    whole = dialogue.index(LETTER) + len(LETTER) + 3
    async with listener(fresh_database) as post:
        for cut in [*range(0, len(dialogue), 7), whole - 1]:
            caller = await post.call()
            caller.send(dialogue[:cut])
            if cut % 2:
                caller.writer.transport.abort()
            else:
                caller.close()
        await _until(lambda: not post.listener._speakers and not post.listener._writing)
        assert await post.count() <= 1, "what was cut off before its end is no message"
        caller = await post.greeted()
        [answer] = await caller.deliver(LETTER, "a@example.test")
        assert answer.startswith("250")
        assert [message.raw for message in await post.messages()] == [LETTER]


async def test_what_was_being_written_when_its_sender_vanished_is_kept_and_known_again(
    fresh_address: Address, fresh_database: Database
) -> None:
    async with listener(fresh_database) as post:
        caller = await post.greeted()
        for line in ("MAIL FROM:<>", "RCPT TO:<a@example.test>", "DATA"):
            await caller.say(line)
        with psycopg.connect(fresh_address.dsn) as holder:
            holder.execute("lock table inbound_messages in access exclusive mode")
            caller.send(LETTER, b".\r\n")
            await _until(lambda: bool(post.listener._writing))
            caller.writer.transport.abort()
            await _until(lambda: not post.listener._speakers)
        await _until(lambda: not post.listener._writing)
        [answer] = await (await post.greeted()).deliver(LETTER, "a@example.test")
        assert answer == "250 2.0.0 Known as message 1"


async def test_a_thousand_messages_over_twenty_connections_are_all_there(fresh_database: Database) -> None:
    async with listener(fresh_database) as post:

        async def deliver(number: int) -> list[str]:
            caller = await post.greeted()
            answers = []
            for each in range(50):
                letter = LETTER.replace(b"<1@", b"<%d.%d@" % (number, each))
                answers += await caller.deliver(letter, "help@example.test")
            caller.close()
            return answers

        answers = [answer for each in await asyncio.gather(*map(deliver, range(20))) for answer in each]
        assert len({answer for answer in answers if answer.startswith("250 2.0.0 Taken")}) == 1000
        assert await post.count() == 1000
        assert await post.count(TO_FILE) == 1000


@asynccontextmanager
async def encrypted(database: Database, folder: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A listener with STARTTLS; yield its port, and what trusts it."""
    vouches = authority(folder, "authority")
    certificate, key = vouches.sign("localhost", folder)
    async with listener(database, "smtp", certificate=certificate, key=key) as post:
        yield post.port, ssl.create_default_context(cafile=vouches.file)


async def test_what_is_delivered_may_be_encrypted(fresh_database: Database, tmp_path: Path) -> None:
    async with encrypted(fresh_database, tmp_path) as (port, trusting):

        def deliver() -> tuple[dict[str, str], dict[str, str]]:
            with smtplib.SMTP("localhost", port, timeout=PATIENCE) as client:
                client.ehlo()
                before = dict(client.esmtp_features)
                client.starttls(context=trusting)
                client.ehlo()
                client.sendmail("kim@example.test", "help@example.test", LETTER + b"x" * 2_000_000)
                return before, dict(client.esmtp_features)

        before, after = await asyncio.to_thread(deliver)
        assert "starttls" in before
        assert {"starttls", "auth"}.isdisjoint(after)
        assert {"size", "8bitmime", "smtputf8", "pipelining"} <= after.keys()


async def test_commands_before_the_handshake_are_not_carried_into_it(fresh_database: Database, tmp_path: Path) -> None:
    """CVE-2011-0411: what an attacker puts behind STARTTLS in the clear must not be heard as if it were encrypted."""
    async with encrypted(fresh_database, tmp_path) as (port, trusting):
        reader, writer = await asyncio.open_connection("localhost", port)
        caller = Caller(reader, writer, is_lmtp=False)
        await caller.hear()
        await caller.say("EHLO x")
        caller.send(b"STARTTLS\r\nEHLO attacker\r\nMAIL FROM:<evil@example.test>\r\n")
        assert (await caller.hear()).startswith("220")
        async with asyncio.timeout(PATIENCE):
            try:
                await writer.start_tls(trusting, server_hostname="localhost")
                assert (await caller.say("MAIL FROM:<>")).startswith("503"), "it heard the attacker's EHLO"
            except (ConnectionError, ssl.SSLError):
                pass  # it took the injected commands for a broken handshake, and hung up
        writer.close()


async def test_a_certificate_that_cannot_be_read_is_said_before_anything_listens(
    fresh_database: Database, tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match="DESKBELL_MAIL_LISTEN_CERT"):
        Listener(fresh_database, Terms(certificate=tmp_path / "none.pem"))


COMMANDS = st.sampled_from(
    ["LHLO x", "EHLO", "HELO x", "MAIL FROM:<>", "MAIL FROM:<a@b> SIZE=9", "RCPT TO:<a@b>", "DATA", "RSET", "NOOP", ".",
     "VRFY a", "EXPN a", "HELP", "HELP MAIL", "AUTH PLAIN =", "STARTTLS", "BDAT 5 LAST", "QUIT x"]
)  # fmt: skip
NOISE = st.binary(max_size=1500) | COMMANDS.map(lambda line: line.encode() + b"\r\n")
NOISE |= st.tuples(COMMANDS, st.binary(max_size=100)).map(lambda pair: pair[0].encode() + b" " + pair[1] + b"\r\n")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.lists(NOISE, max_size=30))
async def test_whatever_is_said_the_listener_goes_on(fresh_database: Database, said: list[bytes]) -> None:
    async with listener(fresh_database) as post:
        caller = await post.call()
        caller.send(*said)
        caller.writer.write_eof()
        await caller.ended()
        assert (await (await post.greeted()).say("MAIL FROM:<>")) == "250 OK"


@given(st.binary(max_size=300), st.lists(st.integers(1, 20), max_size=60), st.binary(max_size=40))
def test_a_body_is_read_the_same_in_whatever_pieces_it_comes(text: bytes, sizes: list[int], after: bytes) -> None:
    message = text.replace(b"\r\n.", b"\r\n") + b"\r\n"
    stuffed = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
    incoming, rest, stream = Incoming(1000), None, stuffed + after
    while rest is None:
        size = sizes.pop() if sizes else 50
        rest, stream = incoming.feed(stream[:size]), stream[size:]
    assert after.endswith(stream)
    assert rest + stream == after
    try:
        assert incoming.message() == message
    except FalseEndError:
        assert any(b"." in line for line in message.replace(b"\r", b"\n").split(b"\n"))


def test_a_body_at_its_limit_is_taken_and_one_byte_more_is_not() -> None:
    for size, fits in ((98, True), (99, False), (5000, False)):
        incoming = Incoming(100)
        assert incoming.feed(b"x" * size + END) == b""
        if fits:
            assert len(incoming.message()) == 100
        else:
            with pytest.raises(TooLargeBodyError):
                incoming.message()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the listener sets no event for tests
            await asyncio.sleep(0.01)
