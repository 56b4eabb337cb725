"""Work that blocks, aside of the event loop: in a thread that holds up nobody who stops."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """Call `work` in a thread of its own and return what it returns.

    Not by `asyncio.to_thread`, whose threads are waited for at the end of the program, however long a server is silent.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(returned: T | None, error: BaseException | None) -> None:
        if not future.done():
            future.set_result(returned) if error is None else future.set_exception(error)  # type: ignore[arg-type]

    def run() -> None:
        returned, error = None, None
        try:
            returned = work()
        except Exception as raised:  # noqa: BLE001 - whatever it is, it belongs to whoever waits
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, returned, error)

    threading.Thread(target=run, daemon=True, name="deskbell-aside").start()
    return await future
