"""How a query that cannot be understood is refused: where, what stood there, what could, what was probably meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import one_line
from deskbell.search.language.tree import Span

_SHOWN = 40
_LISTED = 12
_BEGINNING = 3
"""Letters from which on the beginning of a name says which one is meant."""


class QueryError(InvalidError):
    """The query cannot be read."""

    code = "query"

    def __init__(
        self,
        message: str | None = None,
        /,
        *,
        span: Span,
        found: str = "",
        expected: Sequence[str] = (),
        suggestion: str | None = None,
    ) -> None:
        """`suggestion` is text that could stand in the place of `span`."""
        super().__init__(
            message,
            field="q",
            position=span.start,
            end=span.end,
            found=shown(found),
            expected=list(expected),
            suggestion=suggestion,
        )


def shown(text: str) -> str:
    """Make a piece of the query fit to stand in a message, whatever characters it has."""
    return one_line(text, _SHOWN) if text else ""


def nearest(found: str, known: Iterable[str]) -> str | None:
    """Return which of the known names was probably meant: `statsu` is status, `prio` is priority."""
    names = list(known)
    wanted = found.lower()
    near = get_close_matches(wanted, names, n=1, cutoff=0.6)
    begun = [name for name in names if len(wanted) >= _BEGINNING and name.startswith(wanted)]
    return near[0] if near else min(begun, key=len, default=None)


def did_you_mean(suggestion: str | None) -> str:
    """Return a sentence to append to a message, or nothing."""
    return f" Did you mean `{suggestion}`?" if suggestion else ""


def listed(names: Iterable[str]) -> str:
    """Write names in a row, the first dozen of them."""
    all_names = list(names)
    return ", ".join(all_names[:_LISTED]) + (", …" if len(all_names) > _LISTED else "")
