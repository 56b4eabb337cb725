"""Working something out once for what is asked all day, without letting long texts from outside fill the memory."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

A = TypeVar("A", str, bytes, str | bytes)
T = TypeVar("T")


def once_for_short(longest: int, *, remembered: int = 500) -> Callable[[Callable[[A], T]], Callable[[A], T]]:
    """Make a pure function remember what it made of the last so many texts that are no longer than `longest`."""

    def decorate(work: Callable[[A], T]) -> Callable[[A], T]:
        once = lru_cache(maxsize=remembered)(work)

        def of(text: A) -> T:
            return once(text) if len(text) <= longest else work(text)

        return of

    return decorate
