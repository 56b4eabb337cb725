"""What people write to the made-up desk: decks of sentences, made once, that messages are drawn from.

A message then costs a few microseconds, and its words have the frequencies of the vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from deskbell.curation.demo.words import Vocabulary, data

Deck = tuple[str, ...]
_TYPING_ERRORS = 0.02  # share of the sentences in a deck
_SLIPS = 0.1  # share of the messages
_FOREIGN = 0.015
_OWN_LINES = (  # sentences that no other ticket has
    "My order number is {order}.",
    "It is about order {order}.",
    "The amount was {amount}.",
    "See invoice {invoice}.",
    "The error code was {code}.",
    "My customer number is {order}.",
    "I paid {amount} for it.",
    "Reference: {code}.",
)
_LENGTHS = (1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 7)  # sentences of a first message
_ONE_PARAGRAPH = 4  # sentences at most
_REPLIES = (1, 1, 2, 2, 2, 3, 3, 4)  # of a comment


@dataclass(frozen=True, slots=True)
class Topic:
    """What tickets are about, with sentences that belong to it."""

    name: str
    weight: int
    team: str
    tags: tuple[str, ...]
    titles: Deck
    problems: Deck
    answers: Deck


class Language:
    """All decks. Equal for equal seeds."""

    def __init__(self, seed: int) -> None:
        """Make the decks: about half a second."""
        chance = Random(f"language {seed}")  # noqa: S311 - made-up data
        self.vocabulary = Vocabulary(chance)
        phrases = data("phrases.toml")
        self.greetings: Deck = tuple(phrases["greetings"])
        self.closings: Deck = tuple(phrases["closings"])
        self.foreign: Deck = tuple(phrases["foreign"]["sentences"])
        self.customer = self._deck(chance, phrases["customer"], 6000, _TYPING_ERRORS)
        self.agent = self._deck(chance, phrases["agent"], 4500)
        self.notes = self._deck(chance, phrases["notes"], 2000)
        self.topics = [
            Topic(
                name,
                topic["weight"],
                topic["team"],
                tuple(topic["tags"]),
                self._deck(chance, topic["titles"], 800, _TYPING_ERRORS / 2),
                self._deck(chance, topic["problems"], 500, _TYPING_ERRORS),
                self._deck(chance, topic["answers"], 400),
            )
            for name, topic in phrases["topics"].items()
        ]

    def _deck(self, chance: Random, templates: Sequence[str], size: int, typing_errors: float = 0) -> Deck:
        random, sentence = chance.random, self.vocabulary.sentence
        made = (sentence(templates[int(len(templates) * random())]) for _ in range(size))
        return tuple(mistyped(chance, text) if random() < typing_errors else text for text in made)


def mistyped(chance: Random, text: str) -> str:
    """Swap two neighbours, leave one out or strike one twice, as fingers do; what is to be filled stays whole."""
    at = 1 + int((len(text) - 2) * chance.random())
    if "{" in text or not text[at : at + 2].isalpha():
        return text
    kind = int(3 * chance.random())
    middle = (text[at + 1] + text[at], text[at], text[at] * 2 + text[at + 1])[kind]
    return text[:at] + middle + text[at + 2 :]


class Writer:
    """Draws messages from the decks."""

    def __init__(self, language: Language, chance: Random) -> None:
        """`chance` decides; it may be shared with whoever decides what happens."""
        self._language = language
        self._chance = chance
        self._random = chance.random

    def one(self, deck: Deck) -> str:
        """Draw a sentence, with numbers of its own where it has room for some."""
        text = deck[int(len(deck) * self._random())]
        return self._with_numbers(text) if "{" in text else text

    def _with_numbers(self, text: str) -> str:
        number = self._random()
        return text.format(
            order=int(900_000 * number) + 100_000,
            invoice=f"{int(number * 1e4) % 12 + 1:02}-{int(number * 1e7) % 9000 + 1000}",
            amount=f"{int(number * 1e9) % 900 + 4}.{int(number * 1e6) % 100:02} €",
            code=f"{'EWSKX'[int(number * 5)]}{int(number * 1e8) % 9000 + 1000}",
        )

    def title(self, topic: Topic) -> str:
        """Write three to nine words."""
        return self.one(topic.titles)

    def first_message(self, topic: Topic, name: str) -> str:
        """Write what a customer writes first: 20 to 120 words, about 45, now and then in another language."""
        random, one, language = self._random, self.one, self._language
        if random() < _FOREIGN:
            return f"{one(language.foreign)}\n\n{name}"
        lines = [one(topic.problems)]
        lines += [one(language.customer) for _ in range(_LENGTHS[int(len(_LENGTHS) * random())])]
        if random() < 0.5:  # noqa: PLR2004 - half of them
            lines.append(one(_OWN_LINES))
        paragraphs = (lines,) if len(lines) <= _ONE_PARAGRAPH else (lines[:3], lines[3:])
        middle = "\n\n".join([" ".join(paragraph) for paragraph in paragraphs])
        return self._typed(f"{one(language.greetings)}\n\n{middle}\n\n{one(language.closings)},\n{name}")

    def answer(self, topic: Topic, name: str, to: str) -> str:
        """Write what an agent answers: about 35 words."""
        random, one, language = self._random, self.one, self._language
        lines = [one(topic.answers)]
        lines += [one(language.agent) for _ in range(_REPLIES[int(len(_REPLIES) * random())])]
        return f"Hello {to},\n\n{' '.join(lines)}\n\n{one(language.closings)}\n{name}"

    def reply(self) -> str:
        """Write what a customer writes back: about 25 words."""
        random, one, language = self._random, self.one, self._language
        count = _REPLIES[int(len(_REPLIES) * random())]
        return self._typed(" ".join([one(language.customer) for _ in range(count)]))

    def _typed(self, text: str) -> str:
        """Strike a wrong key now and then, in words where nobody else did."""
        return mistyped(self._chance, text) if self._random() < _SLIPS else text

    def note(self) -> str:
        """Write what colleagues tell each other: about 15 words."""
        one, notes = self.one, self._language.notes
        return f"{one(notes)} {one(notes)}" if self._random() < 0.5 else one(notes)  # noqa: PLR2004 - half of them
