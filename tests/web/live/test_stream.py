"""The stream of changes over a real socket: who gets it, what it says, how it ends and where it goes on."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn

from deskbell.accounts.login import close_all_sessions
from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.testing.factories import SYSTEM
from deskbell.web.csrf import COOKIE
from deskbell.web.live import listeners
from deskbell.web.protocol import Protocol
from tests.web.pages.conftest import Browser, Pages, pages_on, short_log

__all__ = ["short_log"]
pytestmark = pytest.mark.anyio


@dataclass
class Stream:
    """An open stream, read event by event."""

    response: httpx.Response
    lines: AsyncIterator[str]
    ids: list[str] = field(default_factory=list)

    async def next(self, event: str) -> Any:
        """Return the data of the next event of this kind; others are passed over."""
        kind = ""
        async with asyncio.timeout(60):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                kind = value if name == "event" else kind
                if name == "id":
                    self.ids.append(value)
                if name == "data" and kind == event:
                    return json.loads(value)
        pytest.fail(f"the stream ended without {event}")

    async def ends(self) -> bool:
        """Read to the end."""
        async with asyncio.timeout(60):
            async for _ in self.lines:
                pass
        return True


@dataclass
class Served(Pages):
    """A desk behind a port."""

    port: int = 0
    server: uvicorn.Server | None = None

    @asynccontextmanager
    async def listening(self, browser: Browser, after: str = "", last: str = "") -> AsyncIterator[Stream]:
        """Open the stream of a browser."""
        cookie = {"Cookie": f"{COOKIE}={browser.client.cookies[COOKIE]}", "Accept": "text/event-stream"}
        headers = {**cookie, **({"Last-Event-ID": last} if last else {})}
        address = f"http://127.0.0.1:{self.port}/workspace/live{f'?after={after}' if after else ''}"
        async with httpx.AsyncClient(timeout=60) as client, client.stream("GET", address, headers=headers) as response:
            yield Stream(response, response.aiter_lines())


@pytest.fixture
async def desk(fresh_database: Database) -> AsyncIterator[Served]:
    """The application on a database of its own, served as `deskbell serve` does."""
    async with AsyncExitStack() as stack:
        pages = pages_on(fresh_database, stack)
        config = uvicorn.Config(pages.app, http=Protocol, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        yield Served(pages.app, fresh_database, stack, port=listener.getsockname()[1], server=server)
        pages.app.state.live.close()
        await server.shutdown(sockets=[listener])
    await fresh_database.aclose()


@pytest.fixture
async def ravi(desk: Served) -> User:
    return await desk.make(lambda f: f.user(Role.AGENT, full_name="Ravi Iyer"))


async def settled(stream: Stream) -> None:
    """Read what a stream begins with."""
    await stream.next("presence")


async def test_a_change_made_elsewhere_is_told_with_its_ticket_and_who_made_it(desk: Served, ravi: User) -> None:
    ticket, ada = await desk.make(lambda f: (f.ticket(), f.user(Role.AGENT)))
    async with desk.listening(await desk.browser(ravi)) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        await stream.next("everything")
        client = await desk.as_(ada)
        began = asyncio.get_running_loop().time()
        await client.post(f"/api/v1/tickets/{ticket.ticket_number}/comments", json={"content": "Hello"})
        [told] = (await stream.next("changed"))["tickets"]
        assert asyncio.get_running_loop().time() - began < 2
        assert (told["id"], told["number"], told["by"], told["new"]) == (
            ticket.id,
            ticket.ticket_number,
            [ada.id],
            False,
        )
        assert set(told["kinds"]) == {"comment", "ticket"}


async def test_who_comes_back_gets_what_they_missed_and_no_more(desk: Served, ravi: User) -> None:
    browser = await desk.browser(ravi)
    async with desk.listening(browser) as stream:
        await stream.next("everything")
        first = await desk.make(lambda f: f.ticket())
        await stream.next("changed")
    missed = await desk.make(lambda f: f.ticket())
    async with desk.listening(browser, last=stream.ids[-1]) as stream:
        [told] = (await stream.next("changed"))["tickets"]
        assert (told["number"], told["new"]) == (missed.ticket_number, True)
        assert told["number"] != first.ticket_number


async def test_a_page_says_from_where_on_it_wants_to_know(desk: Served, ravi: User) -> None:
    """What changes after the page was read and before its stream is open would be lost otherwise."""
    browser = await desk.browser(ravi)
    async with desk.listening(browser) as stream:
        await stream.next("everything")
        await desk.make(lambda f: f.ticket())
        await stream.next("changed")
        page = (await browser.client.get("/tickets")).text
        between = await desk.make(lambda f: f.ticket())
        after = page.partition('data-live="')[2].partition('"')[0]
        async with desk.listening(browser, after=after) as second:
            [told] = (await second.next("changed"))["tickets"]
            assert told["number"] == between.ticket_number


async def test_a_bulk_change_is_told_in_one_word(desk: Served, ravi: User) -> None:
    async with desk.listening(await desk.browser(ravi)) as stream:
        await stream.next("everything")
        await desk.make(lambda f: f.tickets(150))
        await stream.next("everything")


async def test_customers_and_strangers_get_no_stream(desk: Served) -> None:
    customer = await desk.browser_of(Role.CUSTOMER)
    assert (await customer.client.get("/workspace/live")).status_code == 403
    stranger = await desk.browser()
    assert (await stranger.client.get("/workspace/live")).status_code == 303
    token = await desk.as_role(Role.AGENT)
    assert (await token.get("/workspace/live")).status_code in {303, 401}


async def test_a_stream_ends_when_its_session_does(desk: Served, ravi: User) -> None:
    async with desk.listening(await desk.browser(ravi)) as stream:
        await stream.next("everything")
        async with desk.database.async_transaction(SYSTEM) as session:
            await session.run_sync(close_all_sessions, ravi.id)
        await stream.next("ended")
        assert await stream.ends()


async def test_a_stream_ends_when_somebody_becomes_a_customer(desk: Served, ravi: User) -> None:
    async with desk.listening(await desk.browser(ravi)) as stream:
        await stream.next("everything")
        async with desk.database.async_transaction(SYSTEM) as session:
            await session.run_sync(lambda s: s.get(User, ravi.id).__setattr__("role", Role.CUSTOMER))
        await stream.next("ended")


async def test_who_is_there_is_told_to_the_others(desk: Served, ravi: User) -> None:
    ticket = await desk.make(lambda f: f.ticket())
    ada, hers = await desk.browser_of(Role.AGENT), f"/tickets/{ticket.ticket_number}/presence"
    his = await desk.browser(ravi)
    async with desk.listening(ada) as stream:
        await settled(stream)
        assert (await his.send(hers, doing="viewing")).status_code == 204
        people = (await stream.next("presence"))["tickets"][ticket.ticket_number]
        assert people == [{"id": ravi.id, "name": "Ravi Iyer", "doing": "viewing"}]
        await his.send(hers, doing="typing")
        assert (await stream.next("presence"))["tickets"][ticket.ticket_number][0]["doing"] == "typing"
        await his.send(hers, doing="left")
        assert (await stream.next("presence"))["tickets"] == {ticket.ticket_number: []}


async def test_a_browser_has_connections_left_for_pages(desk: Served, ravi: User) -> None:
    browser = await desk.browser(ravi)
    async with AsyncExitStack() as stack:
        first, *_ = [
            await stack.enter_async_context(desk.listening(browser)) for _ in range(listeners.MOST_OF_A_BROWSER + 1)
        ]
        await first.next("replaced")
        assert await first.ends()
        assert len(desk.app.state.live) == listeners.MOST_OF_A_BROWSER


async def test_stopping_the_server_ends_streams_at_once(desk: Served, ravi: User) -> None:
    async with desk.listening(await desk.browser(ravi)) as stream:
        await settled(stream)
        desk.app.state.live.close()
        assert await stream.ends()


async def test_nobody_listens_nobody_looks(desk: Served, ravi: User) -> None:
    hub = desk.app.state.live
    async with desk.listening(await desk.browser(ravi)) as stream:
        await settled(stream)
    async with asyncio.timeout(60):
        await hub._task
    assert len(hub) == 0


async def test_the_feed_outlives_broken_connections(desk: Served, ravi: User) -> None:
    async with desk.listening(await desk.browser(ravi)) as stream:
        await stream.next("everything")
        for line in desk.database.lane._idle:
            line.die()
        ticket = await desk.make(lambda f: f.ticket())
        assert (await stream.next("changed"))["tickets"][0]["number"] == ticket.ticket_number


def test_who_does_not_read_is_told_to_look_at_everything() -> None:
    async def overflow() -> None:
        listener = listeners.Listener(None, "", 0)  # type: ignore[arg-type]  # nobody
        for _ in range(listeners.MOST_WAITING + 1):
            listener.send([b"x"])
        listener.end()
        assert b"event: everything" in (await listener.next(1) or b"")
        assert await listener.next(1) is None

    asyncio.run(overflow())
