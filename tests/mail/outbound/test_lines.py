"""Several messages by one connection: none is sent twice, none is lost, whatever became of the connection meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import pytest

from deskbell.kernel.local_storage import LocalStorage
from deskbell.mail.outbound.lines import MOST
from deskbell.mail.outbound.mime import Mail
from deskbell.mail.outbound.sending import Fate, Outcome, Parcel, hand_over
from tests.mail.outbound.conftest import Post, server_at

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GREETED = [b"220 hello", b"250 mx"]
TAKEN = [b"250 ok", b"250 ok", b"354 go on", b"250 taken"]


@pytest.fixture
def parcels(post: Post, tmp_path: Path) -> list[Parcel]:
    """Messages, each to somebody else."""
    storage, found = LocalStorage(tmp_path), []
    for number in range(5):
        to = f"kim{number}@example.test"
        headers: dict[str, Any] = {"From": Address("Help", addr_spec="help@example.org"), "To": to}
        headers["Message-ID"] = f"<{number}@example.org>"
        mail = Mail(headers, f"Hello {number}\n", "")
        found.append(Parcel(number, "help@example.org", to, mail, server_at(post.port), storage, AT))
    return found


async def one_by_one(parcels: Sequence[Parcel]) -> list[Fate]:
    return [(await hand_over(parcel)).fate for parcel in parcels]


def recipients(post: Post) -> list[str]:
    return [address for envelope in post.taken for address in envelope.rcpt_tos]


def test_several_messages_go_by_one_connection(post: Post, parcels: list[Parcel]) -> None:
    assert asyncio.run(one_by_one(parcels)) == [Fate.TAKEN] * 5
    assert recipients(post) == [parcel.recipient for parcel in parcels]
    assert len(set(post.peers)) == 1


def test_what_goes_at_once_goes_by_connections_of_its_own(post: Post, parcels: list[Parcel]) -> None:
    async def both() -> list[Outcome]:
        await one_by_one(parcels[:1])
        return list(await asyncio.gather(*(hand_over(parcel) for parcel in parcels[1:])))

    assert [outcome.fate for outcome in asyncio.run(both())] == [Fate.TAKEN] * 4
    assert sorted(recipients(post)) == [parcel.recipient for parcel in parcels]
    assert len(set(post.peers)) >= 2  # as many as wait at once; one may be done before another begins


def test_a_connection_is_for_one_server_and_who_logs_in_there(post: Post, parcels: list[Parcel]) -> None:
    one, two = (server_at(post.port, user=user, password="right") for user in ("one", "two"))
    wrong = replace(one, password="wrong")
    sent = [replace(parcel, server=server) for parcel, server in zip(parcels, (one, two, one, wrong), strict=False)]
    assert asyncio.run(one_by_one(sent)) == [Fate.TAKEN, Fate.TAKEN, Fate.TAKEN, Fate.LATER]
    first, second, third = post.peers
    assert (first == third, first == second) == (True, False)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_refused_message_leaves_nothing_behind_for_the_next(post: Post, parcels: list[Parcel], step: str) -> None:
    async def three() -> list[Fate]:
        fates = await one_by_one(parcels[:1])
        post.says[step] = "550 No"
        fates += await one_by_one(parcels[1:2])
        post.says.clear()
        return fates + await one_by_one(parcels[2:3])

    assert asyncio.run(three()) == [Fate.TAKEN, Fate.REFUSED, Fate.TAKEN]
    assert recipients(post) == ["kim0@example.test", "kim2@example.test"]
    assert len(set(post.peers)) == (2 if step == "MAIL" else 1)  # a sender is refused where it is sure to be meant


def test_a_connection_takes_no_more_than_servers_like(post: Post, parcels: list[Parcel]) -> None:
    assert asyncio.run(one_by_one(parcels * 11)) == [Fate.TAKEN] * 55
    assert [post.peers.count(peer) for peer in dict.fromkeys(post.peers)] == [MOST, 55 - MOST]


@dataclass
class Script:
    """What a server answers, conversation by conversation; after its last answer it hangs up when it is spoken to."""

    conversations: list[list[bytes]]
    heard: list[bytes] = field(default_factory=list)
    begun: int = 0
    was_left: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = self.conversations[self.begun]
        self.begun += 1
        try:
            for answer in answers:
                writer.write(answer + b"\r\n")
                self.heard.append(await reader.readuntil(b"\r\n.\r\n" if answer.startswith(b"354") else b"\r\n"))
                if self.heard[-1] == b"QUIT\r\n":
                    self.was_left.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it was we who hung up
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    @property
    def contents(self) -> list[bytes]:
        """The messages that came, in the order in which they did."""
        return [said.partition(b"Hello ")[2][:1] for said in self.heard if b"Message-ID" in said]


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[int]:
    running: list[asyncio.Task[None]] = []

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.append(asyncio.get_running_loop().create_task(script.talk(reader, writer)))

    async with await asyncio.start_server(begin, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for task in running:  # one that still waits for us waits for ever
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


Work = Callable[[list[Parcel]], Awaitable[list[Fate]]]


def told(script: Script, parcels: list[Parcel], work: Work = one_by_one) -> list[Fate]:
    async def run() -> list[Fate]:
        async with serving(script) as port, asyncio.timeout(60):
            return await work([replace(parcel, server=server_at(port)) for parcel in parcels])

    return asyncio.run(run())


AGAIN = [b"250 flushed", *TAKEN[:3]]
"""What the second message hears before it is sent: of RSET, MAIL, RCPT and DATA."""


@pytest.mark.parametrize("answered", range(4))
@pytest.mark.parametrize("last", [None, b"421 Too long here", b"421"])
def test_a_kept_connection_that_ends_before_the_message_is_replaced_once(
    parcels: list[Parcel], answered: int, last: bytes | None
) -> None:
    begins = [*GREETED, *TAKEN, *AGAIN[:answered], *([last] if last else [])]
    script = Script([begins, [*GREETED, *TAKEN]])
    assert told(script, parcels[:2]) == [Fate.TAKEN, Fate.TAKEN]
    assert (script.begun, script.contents) == (2, [b"0", b"1"])


@pytest.mark.parametrize("answer", [b"452 Too many in this session", b"503 Log in again", b"550 No more"])
def test_a_server_that_has_enough_of_a_connection_is_asked_by_another(parcels: list[Parcel], answer: bytes) -> None:
    for before in ([], AGAIN[:1]):  # said to RSET, or to MAIL
        script = Script([[*GREETED, *TAKEN, *before, answer, b"221 bye"], [*GREETED, *TAKEN]])
        assert told(script, parcels[:2]) == [Fate.TAKEN, Fate.TAKEN]
        assert (script.begun, script.contents) == (2, [b"0", b"1"])


def test_a_message_of_which_something_was_sent_goes_by_no_second_connection(parcels: list[Parcel]) -> None:
    """It may have arrived: that is for the outbox to decide, which counts how often it was interrupted."""
    script = Script([[*GREETED, *TAKEN, *AGAIN], [*GREETED, *TAKEN]])
    assert told(script, parcels[:2]) == [Fate.TAKEN, Fate.UNKNOWN]
    assert (script.begun, script.contents) == (1, [b"0", b"1"])


def test_a_new_connection_that_ends_is_not_tried_again_at_once(parcels: list[Parcel]) -> None:
    script = Script([[*GREETED, *TAKEN], GREETED, [*GREETED, *TAKEN]])
    assert told(script, parcels[:2]) == [Fate.TAKEN, Fate.LATER]
    assert (script.begun, script.contents) == (2, [b"0"])


def test_a_connection_that_nobody_needs_is_left_with_a_good_bye(parcels: list[Parcel]) -> None:
    script = Script([[*GREETED, *TAKEN, b"221 bye"]])

    async def send(sent: list[Parcel]) -> list[Fate]:
        fates = await one_by_one(sent)
        await script.was_left.wait()
        return fates

    assert told(script, parcels[:1], send) == [Fate.TAKEN]
    assert script.begun == 1
