"""Mail servers deliver to the processes that run jobs, or to `deskbell mail listen` alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import structlog

from deskbell.kernel.doors import Door, doors_in, networks_in
from deskbell.kernel.errors import SetupError
from deskbell.mail.sources.listener import Listener, Terms, listening
from deskbell.runtime import Desk

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.mail")

AGAIN = 5.0
"""Seconds after which a door that somebody else holds is tried again."""


def listener_of(desk: Desk) -> Listener:
    """Make the listener on the terms of the settings. Raises SetupError where they do not do."""
    settings = desk.settings.mail
    terms = Terms(
        max_bytes=settings.accept_bytes,
        networks=networks_in(settings.listen_networks),
        connections=settings.listen_connections,
        recipients=settings.listen_recipients,
        timeout=settings.listen_timeout,
        certificate=settings.listen_cert,
        key=settings.listen_key,
        mode=int(settings.listen_mode, 8),
    )
    return Listener(desk.database, terms)


@contextlib.asynccontextmanager
async def receiving(desk: Desk, stop: asyncio.Event) -> AsyncIterator[None]:
    """Take mail where the settings say so while the block runs; `stop` ends that in good order, an error at once."""
    doors = doors_in(desk.settings.mail.listen)
    if not doors:
        yield
        return
    task = asyncio.create_task(_receive(listener_of(desk), doors, stop))
    try:
        yield
    except BaseException:
        task.cancel()
        raise
    finally:
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            log.error("mail_listener_failed", exc_info=error)


async def _receive(listener: Listener, doors: Sequence[Door], stop: asyncio.Event) -> None:
    """Several workers on a machine share its settings: one of them listens, and when that ends another one does."""
    async with listening(listener):
        closed = doors
        while not stop.is_set():
            closed = [door for door in closed if not await _opened(listener, door)]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN if closed else None):
                    await stop.wait()


async def _opened(listener: Listener, door: Door) -> bool:
    try:
        await listener.open(door)
    except SetupError as error:
        log.warning("mail_listener_waits", address=str(door), reason=error.message)
        return False
    return True


async def receive_alone(
    listener: Listener, doors: Sequence[Door], on_ready: Callable[[list[str]], None], stop: asyncio.Event
) -> None:
    """Take mail at these doors until `stop` is set; `on_ready` is told which they are. Raises SetupError."""
    async with listening(listener, doors):
        on_ready(listener.doors)
        await stop.wait()
