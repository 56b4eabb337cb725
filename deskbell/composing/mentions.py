"""Who is mentioned in a text: `@name` or `@address`, of people of the desk. Texts in, ids out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_AT: Final = re.compile(r"(?<![\w.@+-])@(?=\w)")  # not within an e-mail address
_GOES_ON: Final = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who can be mentioned."""

    id: int
    name: str
    email: str


def mentioned(text: str, people: Iterable[Colleague]) -> list[int]:
    """Return whom the text mentions, each once, in its order. Where several have the name, all of them are.

    The longest name that fits counts: `@Ann Lee` is not Ann. Case does not matter.
    """
    handles = _by_handle(people)
    longest = sorted(handles, key=len, reverse=True)
    found: dict[int, None] = {}
    for at in _AT.finditer(text):
        handle = next((handle for handle in longest if _begins(text, at.end(), handle)), None)
        found |= dict.fromkeys(handles[handle] if handle else ())
    return list(found)


def _by_handle(people: Iterable[Colleague]) -> dict[str, list[int]]:
    handles: dict[str, list[int]] = {}
    for person in people:
        for handle in {person.name.strip(), person.email.strip()} - {""}:
            handles.setdefault(handle, []).append(person.id)
    return handles


def _begins(text: str, start: int, handle: str) -> bool:
    end = start + len(handle)
    return text[start:end].casefold() == handle.casefold() and not _GOES_ON.match(text, end)
