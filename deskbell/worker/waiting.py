"""Waiting for something with an end to it, ending what will not, and saying in one line what went wrong meanwhile."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any


async def wait_for(event: asyncio.Event, at_most: timedelta) -> None:
    """Wait for the event. Not by `asyncio.wait_for`, which in Python 3.11 can lose a cancellation."""
    with suppress(TimeoutError):
        async with asyncio.timeout(at_most.total_seconds()):
            await event.wait()


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they end: psycopg's pool waits by `asyncio.wait_for`, which can lose a cancellation."""
    waiting = list(tasks)
    while pending := [task for task in waiting if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.2)


def reason_of(error: BaseException) -> str:
    """Say in one line why: a group of errors by the first of them, a wrapped one by what it wraps."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    error = error.__cause__ or error
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]
