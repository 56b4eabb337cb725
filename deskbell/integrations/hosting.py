"""A desk inside of a host's process: opened when first needed, in each process for itself, closed when that ends."""

import asyncio
import atexit
import os
from contextlib import ExitStack
from threading import RLock
from weakref import WeakSet

from anyio.from_thread import start_blocking_portal

from deskbell.kernel.database import set_default_database
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk, ensure_schema, open_desk

_hosts: WeakSet["Host"] = WeakSet()
_inherited: list[object] = []
"""What a forked process got of its parent's. It is kept, as collecting it would close connections that are shared."""


class Host:
    """A desk that several threads use. A process that is forked off opens one of its own."""

    def __init__(self, settings: Settings | None = None, *, desk: Desk | None = None, upgrade: bool = False) -> None:
        """Without settings they are read from the environment; `upgrade` brings the schema up to date.

        A `desk` that is open already is used as it is, and left open: whoever opened it closes it, in the same process.
        """
        self._settings, self._given, self._upgrade = settings, desk, upgrade
        self._begin()
        _hosts.add(self)

    def _begin(self) -> None:
        self._lock = RLock()
        self._stack = ExitStack()
        self._desk = self._given
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def opened(self) -> Desk | None:
        """The desk where it is open, without waiting for anything."""
        return self._desk

    @property
    def desk(self) -> Desk:
        """The desk. Raises SetupError with one line of what must be put right."""
        with self._lock:
            if self._desk is None:
                with ExitStack() as opening:
                    desk = opening.enter_context(open_desk(self._settings or Settings()))
                    ensure_schema(desk, upgrade=self._upgrade)
                    self._stack.push(opening.pop_all())
                self._desk = desk
            return self._desk

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """A running event loop in a thread of its own: for what is asynchronous in a synchronous host."""
        with self._lock:
            if self._loop is None:
                desk = self.desk
                portal = self._stack.enter_context(start_blocking_portal("asyncio", name="deskbell"))
                self._stack.callback(portal.call, desk.database.aclose)
                self._loop = portal.call(_running_loop)
            return self._loop

    def close(self) -> None:
        """Close the loop and the desk; whoever needs them later opens them again."""
        with self._lock:
            try:
                self._stack.close()
            finally:
                self._begin()

    def leave_to_parent(self) -> None:
        """In a forked process: forget what is the parent's without touching it."""
        if self._desk is not None:
            _inherited.append((self._stack, self._desk, self._loop))
            set_default_database(None)
        self._begin()


async def _running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def _close_all() -> None:
    for host in list(_hosts):
        host.close()


def _leave_all_to_parent() -> None:
    for host in list(_hosts):
        host.leave_to_parent()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)
