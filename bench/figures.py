"""What a measurement yields, and how it is shown."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `at_most` and `at_least` were promised; `details` and `note` say what is behind it."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    details: dict[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def kept(self) -> bool:
        """Whether the promise is kept."""
        too_much = self.at_most is not None and self.value > self.at_most
        too_little = self.at_least is not None and self.value < self.at_least
        return not (too_much or too_little)

    @property
    def promise(self) -> str:
        """The limit in words."""
        limits = (("≤", self.at_most), ("≥", self.at_least))
        return " ".join(f"{sign} {limit:g}" for sign, limit in limits if limit is not None)


def seconds(action: Callable[[], object]) -> float:
    """Return how long `action` takes."""
    begin = perf_counter()
    action()
    return perf_counter() - begin


@dataclass(frozen=True, slots=True)
class Pairs:
    """Times of two variants in turn, in seconds: what the machine does meanwhile falls on both."""

    plain: Sequence[float]
    other: Sequence[float]

    @property
    def ratio(self) -> float:
        """The median of the ratios of the pairs."""
        return statistics.median(b / a for a, b in zip(self.plain, self.other, strict=True))

    @property
    def details(self) -> dict[str, float]:
        """The medians of both variants, in milliseconds, and the extremes of the ratio."""
        ratios = [b / a for a, b in zip(self.plain, self.other, strict=True)]
        return {
            "plain_ms": statistics.median(self.plain) * 1000,
            "audited_ms": statistics.median(self.other) * 1000,
            "lowest": min(ratios),
            "highest": max(ratios),
        }


def in_turn(plain: Callable[[], float], other: Callable[[], float], *, pairs: int) -> Pairs:
    """Time both variants `pairs` times, each going first every other time."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs):
        order = (0, 1) if number % 2 == 0 else (1, 0)
        for index in order:
            times[index].append((plain, other)[index]())
    return Pairs(*times)
