"""The vocabulary of the made-up desk: lists of words by kind, names built of syllables, and how they are inflected."""

import re
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

_DAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "the 3rd",
    "the 15th",
    "the 28th",
)
_RELATIVES = ("wife", "husband", "brother", "sister", "neighbour", "mother", "father", "boss", "friend", "daughter")
_COLLEAGUES = ("colleague", "accountant", "warehouse", "developer", "office", "technician", "team", "supervisor")
_FEELINGS = ("worried", "annoyed", "disappointed", "confused", "surprised", "angry", "unhappy", "impatient")
_TIMES = ("morning", "day", "week", "month", "year", "quarter", "evening", "night")
_VOWELS = "aeiou"
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeioAEIO])")
_SLOT = re.compile(r"\{(\w+)\}")
_HEAD = 3  # the most frequent words are nearly alike (Zipf and Mandelbrot)
LATER = frozenset({"order", "invoice", "amount", "code"})
"""Slots that are filled for each ticket anew: see `Numbers`."""


@cache
def data(name: str) -> dict[str, Any]:
    """Read a file of words beside this module."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def common(chance: Callable[[], float], choices: Sequence[T], flat: int = 1) -> T:
    """Choose by Zipf's law: the n-th is n times rarer than the first; the first few are alike when `flat` is a few."""
    return choices[int(flat * (len(choices) / flat + 1) ** chance()) - flat]


def done(verb: str) -> str:
    """Return the past participle."""
    irregular: dict[str, str] = data("words.toml")["irregular"]
    if verb in irregular:
        return irregular[verb]
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def doing(verb: str) -> str:
    """Return the present participle."""
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def _doubled(verb: str) -> str:
    return verb + verb[-1] if verb in data("words.toml")["doubled"].split() else verb


def plural(noun: str) -> str:
    """Return the plural."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in _VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


class Vocabulary:
    """Everything that sentences are made of. Equal for equal chance."""

    def __init__(self, chance: Random) -> None:
        """`chance` builds the names and then chooses the words."""
        self._random = chance.random
        source = data("words.toml")
        nouns, verbs = source["nouns"].split(), source["verbs"].split()
        self.given: list[str] = source["given"].split()
        syllables, endings = source["syllables"].split(), source["endings"].split()
        self.surnames = [self._built(syllables, 1, 2) + self._one(endings) for _ in range(30_000)]
        self.products = [f"{self._built(syllables, 2, 3)} {int(100 * self._random()) * 10 + 10}" for _ in range(700)]
        self.places = [self._built(syllables, 1, 3) + self._one(endings) for _ in range(1500)]
        self._words: dict[str, Sequence[str]] = {
            "noun": nouns,
            "nouns": [plural(noun) for noun in nouns],
            "adj": source["adjectives"].split(),
            "adv": source["adverbs"].split(),
            "verb": verbs,
            "done": [done(verb) for verb in verbs],
            "doing": [doing(verb) for verb in verbs],
            "product": self.products,
            "place": self.places,
            "day": _DAYS,
            "relative": _RELATIVES,
            "colleague": _COLLEAGUES,
            "feeling": _FEELINGS,
            "time": _TIMES,
        }

    def person(self) -> str:
        """Return somebody's name."""
        return f"{common(self._random, self.given)} {common(self._random, self.surnames)}"

    def company(self) -> str:
        """Return the name of a company."""
        names = data("words.toml")["companies"]
        kind = self._one(names["kinds"].split())
        first = self._one(names["first"].split()) if self._random() < 0.2 else self._one(self.surnames)  # noqa: PLR2004 - most are called after their founder
        return f"{first} {kind}"

    def sentence(self, template: str) -> str:
        """Fill a template; what belongs to one ticket alone is left to be filled later."""
        filled = _SLOT.sub(lambda slot: self._filled(slot[1]), template)
        return _ARTICLE.sub(r"\1n ", filled[0].upper() + filled[1:])

    def _filled(self, slot: str) -> str:
        if slot in LATER:
            return f"{{{slot}}}"
        if slot == "person":
            return self.person()
        if slot == "company":
            return self.company()
        if slot == "number":
            return str(2 + int(400 ** self._random()))
        return common(self._random, self._words[slot], _HEAD)

    def _one(self, choices: Sequence[T]) -> T:
        return choices[int(len(choices) * self._random())]

    def _built(self, syllables: Sequence[str], least: int, most: int) -> str:
        count = least + int((most - least + 1) * self._random())
        return "".join(self._one(syllables) for _ in range(count)).capitalize()
