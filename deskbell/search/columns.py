"""The columns that a list of tickets can show, by the names under which a saved view chooses them."""

from collections.abc import Mapping, Sequence
from typing import Final

from deskbell.kernel.errors import InvalidError
from deskbell.search.language.errors import did_you_mean, nearest, shown

COLUMNS: Final[Mapping[str, str]] = {
    "number": "its number",
    "title": "what it is about",
    "status": "where it stands",
    "priority": "how urgent it is",
    "channel": "through what it came in",
    "requester": "who asked",
    "assignee": "who works on it",
    "organization": "the requester's organization",
    "team": "the team that it was given to",
    "tags": "the tags that it bears",
    "created": "when it was opened",
    "updated": "when it last changed",
    "replied": "who spoke last in public, and when",
    "responded": "when the desk first answered",
    "resolved": "when it was resolved or closed",
    "due": "when it should be resolved",
    "reopened": "how often it came back",
}
USUAL: Final = ("number", "title", "status", "priority", "requester", "assignee", "updated")
"""What is shown where a view chooses nothing."""


def checked_columns(names: Sequence[str]) -> list[str]:
    """Return the names, in lower case. Raises InvalidError for one that is not known or comes twice."""
    wanted = [name.strip().lower() for name in names]
    for name in wanted:
        if name not in COLUMNS:
            hint = did_you_mean(nearest(name, COLUMNS))
            raise InvalidError(
                f"There is no column {shown(name)!r}.{hint} Columns are {', '.join(COLUMNS)}.", field="columns"
            )
        if wanted.count(name) > 1:
            raise InvalidError(f"The column {name} is there twice.", field="columns")
    return wanted
