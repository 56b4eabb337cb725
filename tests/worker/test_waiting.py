"""Ending tasks: also those that lose a cancellation, as what they wait for may swallow it."""

import asyncio

import pytest

from deskbell.worker.waiting import end

pytestmark = pytest.mark.anyio


async def deaf(times: int) -> int:
    """Lose so many cancellations; return how many came."""
    heard = 0
    while heard < times:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard += 1
    await asyncio.sleep(60)
    return heard


async def test_a_task_that_loses_cancellations_does_not_hold_up_the_end_for_ever() -> None:
    tasks = [asyncio.create_task(deaf(times)) for times in (0, 1, 2)]
    await asyncio.sleep(0)
    await asyncio.wait_for(end(tasks), 30)
    assert [task.cancelled() for task in tasks] == [True] * 3
