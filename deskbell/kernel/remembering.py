"""Working something out once for what is asked all day, without letting long texts from outside fill the memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
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


@dataclass(slots=True)
class Lately:
    """Facts that seldom change, found out by this process, and held to be so for some seconds; for 0 never.

    For what may be a little late: whoever changes such a fact makes their own process forget it, and others learn of it
    in time.
    """

    seconds: float = 0
    _asked: dict[str, float] = field(default_factory=dict)
    _facts: set[str] = field(default_factory=set)

    def holds(self, fact: str) -> bool:
        """Whether it was so when it was last found out, and that was lately."""
        return fact in self._facts and not self._is_old(fact)

    def learn(self, fact: str, is_so: Callable[[], bool]) -> None:
        """Find out whether it is so, where that was not done lately."""
        if self.seconds and self._is_old(fact):
            (self._facts.add if is_so() else self._facts.discard)(fact)
            self._asked[fact] = monotonic()

    def forget(self, fact: str) -> None:
        """Have it found out the next time."""
        self._asked.pop(fact, None)

    def _is_old(self, fact: str) -> bool:
        return monotonic() - self._asked.get(fact, float("-inf")) >= self.seconds
