"""Web server and worker in one event loop, until a signal says stop."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
import uvloop

from deskbell.cli.receiving import listener_of, receive_alone, receiving
from deskbell.kernel.doors import Door
from deskbell.kernel.errors import SetupError
from deskbell.kernel.tls import weakness
from deskbell.runtime import Desk
from deskbell.web.protocol import Protocol
from deskbell.web.site import create_site
from deskbell.wiring import JOBS
from deskbell.worker import FetchPace, run_fetching, run_worker

if TYPE_CHECKING:
    from starlette.types import ASGIApp

CONNECTIONS = 1000
"""Beyond these there is a 503 at once."""

GRACE = 10
"""Seconds that requests in flight have to finish."""


class Server(uvicorn.Server):
    """uvicorn, but the signals are ours, and it says when it is ready."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], end_streams: Callable[[], None]) -> None:
        """`on_ready` is called once, when requests are answered; `end_streams` ends what would never finish."""
        super().__init__(config)
        self._on_ready, self._end_streams = on_ready, end_streams

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise SIGTERM again in the end, before the database is stopped."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets=sockets)
        if self.started:
            self._on_ready()

    def stop(self) -> None:
        """Finish what is in flight; asked again, do not."""
        self.force_exit = self.should_exit
        if self.force_exit:  # requests that are cut off would each log a traceback
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.should_exit = True
        self._end_streams()


def serve(
    desk: Desk, listener: socket.socket, *, with_worker: bool, on_ready: Callable[[], None], on_stop: Callable[[], None]
) -> None:
    """Answer requests on `listener`, and run jobs where wanted, until SIGINT or SIGTERM."""
    _warn_of_tls(desk)
    listener_of(desk)  # what is wrong with it is said now
    site = create_site(desk)
    server = Server(_config(site, desk), on_ready, site.state.live.close)
    _settle()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(desk, server, listener, with_worker=with_worker, on_stop=on_stop))
    if not server.started:
        raise SetupError("The web server could not start; what it wrote above says why.")


def _settle() -> None:
    """Leave what is there for good out of garbage collection, and look for garbage less often.

    By its defaults Python does so several times while it makes one page, and now and then through all that was loaded.
    And a thread that works beside the event loop would keep it waiting for 5 ms each time that it waits for a socket.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    sys.setswitchinterval(0.0005)


def work(desk: Desk, *, concurrency: int, queues: list[str] | None, on_stop: Callable[[], None]) -> None:
    """Run jobs alone, until SIGINT or SIGTERM."""
    _warn_of_tls(desk)
    listener_of(desk)  # what is wrong with it is said now
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_told(desk, partial(_jobs, desk, concurrency=concurrency, queues=queues), on_stop))


def receive(
    desk: Desk, doors: Sequence[Door], *, on_ready: Callable[[list[str]], None], on_stop: Callable[[], None]
) -> None:
    """Take mail alone, until SIGINT or SIGTERM. Raises SetupError."""
    _warn_of_tls(desk)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_told(desk, partial(receive_alone, listener_of(desk), doors, on_ready), on_stop))


def _warn_of_tls(desk: Desk) -> None:
    if weak := weakness(desk.admin):
        structlog.get_logger("deskbell").warning("database_tls", reason=weak)


def _config(app: "ASGIApp", desk: Desk) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        limit_concurrency=CONNECTIONS,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=desk.settings.web.forwarded_allow_ips,
        timeout_graceful_shutdown=GRACE,
    )


async def _run(
    desk: Desk, server: Server, listener: socket.socket, *, with_worker: bool, on_stop: Callable[[], None]
) -> None:
    ending = asyncio.Event()
    jobs = asyncio.create_task(_jobs(desk, ending)) if with_worker else None
    with _heeding(lambda: _stop(server, jobs, ending, on_stop)):
        try:
            await server.serve(sockets=[listener])
        finally:
            ending.set()
            if jobs is not None:
                await asyncio.wait([jobs])
            await desk.database.aclose()


def _stop(server: Server, jobs: asyncio.Task[None] | None, ending: asyncio.Event, on_stop: Callable[[], None]) -> None:
    if not ending.is_set():
        on_stop()
    elif jobs is not None:
        jobs.cancel()
    server.stop()
    ending.set()


async def _until_told(
    desk: Desk, work: Callable[[asyncio.Event], Coroutine[Any, Any, None]], on_stop: Callable[[], None]
) -> None:
    """Call `work` with an event that a signal sets; a second signal cancels it."""
    ending = asyncio.Event()
    working = asyncio.create_task(work(ending))

    def stop() -> None:
        if ending.is_set():
            working.cancel()
        else:
            on_stop()
        ending.set()

    with _heeding(stop):
        await asyncio.wait([working])
        await desk.database.aclose()
    if not working.cancelled():
        working.result()


async def _jobs(desk: Desk, ending: asyncio.Event, *, concurrency: int = 4, queues: list[str] | None = None) -> None:
    database, address = desk.database, desk.database.address
    async with receiving(desk, ending), asyncio.TaskGroup() as group:
        jobs = run_worker(database, JOBS, address=address, stop=ending, concurrency=concurrency, queues=queues)
        group.create_task(jobs)
        if queues is None:  # who wants some jobs alone wants no mail fetched
            pace = FetchPace(poll=desk.settings.mail.poll_seconds)
            group.create_task(run_fetching(database, address=address, stop=ending, pace=pace))


@contextlib.contextmanager
def _heeding(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` for each SIGINT and SIGTERM."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for each in signals:
        loop.add_signal_handler(each, stop)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)
