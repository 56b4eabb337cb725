"""What `sort:` says, as sort keys that end in a unique one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from deskbell.kernel.fields import Sort
from deskbell.kernel.paging import SortKey
from deskbell.search.language.errors import QueryError, did_you_mean, listed, nearest, shown
from deskbell.search.language.tree import Value
from deskbell.tickets.models import Ticket

ASCENDING, DESCENDING = "-asc", "-desc"


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """How the result is sorted. `keys` are empty where it is by relevance, which no index knows."""

    keys: tuple[SortKey, ...]

    @property
    def is_by_relevance(self) -> bool:
        """Whether the words decide."""
        return not self.keys


def sort_names(sorts: Mapping[str, Sort]) -> list[str]:
    """Return all that may stand behind `sort:`."""
    directions = {True: ("", ASCENDING, DESCENDING), False: ("", DESCENDING)}
    return [f"{name}{direction}" for name, sort in sorts.items() for direction in directions[bool(sort.keys)]]


def order_of(values: tuple[Value, ...], sorts: Mapping[str, Sort]) -> Order | None:
    """Return the order, None where nothing is said. Raises QueryError."""
    if not values:
        return None
    sorts_said = [_sort(value, sorts) for value in values]
    if not all(sort.keys for sort, _ in sorts_said):
        return _by_relevance(values)
    last, descends = sorts_said[-1]
    keys = [replace(key, descending=down) for sort, down in sorts_said for key in sort.keys]
    keys += [replace(key, descending=descends) for key in last.then]
    if not keys[-1].is_unique:
        keys.append(SortKey(Ticket.id, descending=descends))
    return Order(tuple(keys))


def _sort(value: Value, sorts: Mapping[str, Sort]) -> tuple[Sort, bool]:
    said = value.text.strip().lower()
    name = said.removesuffix(ASCENDING).removesuffix(DESCENDING)
    if said not in sort_names(sorts):
        suggestion = nearest(said, sort_names(sorts))
        message = (
            f"sort: cannot be “{shown(value.text)}”.{did_you_mean(suggestion)} "
            f"It is one of {listed(sorts)}, with -asc or -desc after it."
        )
        raise QueryError(message, span=value.span, found=value.text, expected=sort_names(sorts), suggestion=suggestion)
    return sorts[name], sorts[name].descends if name == said else said.endswith(DESCENDING)


def _by_relevance(values: tuple[Value, ...]) -> Order:
    if len(values) > 1:
        message = "What is sorted by relevance cannot be sorted by something else as well."
        raise QueryError(message, span=values[1].span, found=values[1].text)
    return Order(())
