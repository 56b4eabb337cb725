"""Waiting for another process: look often, give up at a deadline on the monotonic clock."""

import time
from collections.abc import Iterator


def deadline_in(seconds: float) -> float:
    """The moment, on the monotonic clock, that lies so many seconds ahead."""
    return time.monotonic() + seconds


def ticks(deadline: float, pause: float = 0.005) -> Iterator[None]:
    """At once, then every `pause` seconds until the deadline has passed."""
    yield
    while time.monotonic() < deadline:
        time.sleep(pause)
        yield
