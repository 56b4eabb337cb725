"""Ctrl-C between two steps instead of within one: a statement that is cut off leaves its connection unusable."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deskbell.cli.console import note

STOPPED = 130
"""What a program exits with after Ctrl-C."""


@contextmanager
def between_steps() -> Iterator[Callable[[], None]]:
    """Yield a function to be called between two steps, which raises KeyboardInterrupt if Ctrl-C was pressed meanwhile.

    Pressed again, it is raised at once.
    """
    pressed = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def on_press(_signal: int, _frame: object) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()
        note("Stopping after this step; Ctrl-C again does not wait.")

    def check() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    heeded = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if heeded:  # otherwise somebody has decided what it means: a shell, for a process in the background
        signal.signal(signal.SIGINT, on_press)
    try:
        yield check
    finally:
        if heeded:
            signal.signal(signal.SIGINT, before)


def interrupted_with(error: BaseException | None) -> int | None:
    """Return the exit code when an error is what became of Ctrl-C or SIGTERM on its way up, else None."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return STOPPED
        if isinstance(error, SystemExit):
            return error.code if isinstance(error.code, int) else 1
        error = error.__cause__ or error.__context__
    return None
