"""What the domain says, in the reader's language.

The domain says it in plain English, as it knows neither readers nor languages; the catalogs have a template of each
message (`There is no ticket %(number)s.`), which `tools/said.py` finds in the source.

A message is recognised by what its template has between the places: by plain searching, in a time that grows with its
length alone. What is in a place is passed on as it is, whatever it looks like; but for a place called `message`, which
holds another message. What is not recognised is shown as it is.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from deskbell.kernel.errors import DeskbellError
from deskbell.kernel.languages import SOURCE, current, languages
from deskbell.kernel.remembering import once_for_short

CONTEXT: Final = "message\x04"
"""Before the templates in a catalog (gettext's `msgctxt`)."""
NESTED: Final = "message"
_PLACE: Final = re.compile(r"%\((\w+)\)s")
_REMEMBERED: Final = 300
"""Characters of a message of which the translation is kept."""


def worded(message: str | DeskbellError) -> str:
    """Return a message, or that of an error, in the language that is spoken just now."""
    text = message.message if isinstance(message, DeskbellError) else message
    code = current().code
    return text if code == SOURCE or not text else _translating(code)(text)


@dataclass(frozen=True, slots=True)
class Template:
    """A message with places: the texts around them, one more than places, and its translation cut up likewise."""

    texts: tuple[str, ...]
    places: tuple[str, ...]
    translated: tuple[str, ...]
    translated_places: tuple[str, ...]

    def values(self, message: str) -> dict[str, str] | None:
        """Return what stands in the places, as little as can be in each; None for another message.

        A text between two places is taken where it comes first. Where that leads to nothing, no other place does: what
        follows is looked for in all of the rest.
        """
        first, *inner, last = self.texts
        end = len(message) - len(last)
        if end < len(first) or not message.startswith(first) or not message.endswith(last):
            return None
        position, values = len(first), dict[str, str]()
        for name, text in zip(self.places, (*inner, None), strict=True):
            stop = end if text is None else message.find(text, position, end)
            if stop < position or values.setdefault(name, message[position:stop]) != message[position:stop]:
                return None
            position = stop + len(text or "")
        return values

    def filled(self, values: dict[str, str]) -> str:
        """Put values into the translation."""
        given = (values[name] for name in self.translated_places)
        return "".join(piece for pair in zip(self.translated, (*given, ""), strict=True) for piece in pair)


@dataclass(frozen=True, slots=True)
class Wordings:
    """The messages of a language: those without places by themselves, the others, the most telling one first."""

    plain: dict[str, str]
    templates: tuple[Template, ...]

    def translated(self, message: str, *, is_inner: bool = False) -> str:
        """Return the translation; of what is not known, the message."""
        known = self.plain.get(message)
        return known if known is not None else next(self._fitting(message, is_inner=is_inner), message)

    def _fitting(self, message: str, *, is_inner: bool) -> Iterator[str]:
        for template in self.templates:
            values = template.values(message)
            if values is not None:
                if NESTED in values and not is_inner:
                    values[NESTED] = self.translated(values[NESTED], is_inner=True)
                yield template.filled(values)


def wordings(entries: Sequence[tuple[str, str]]) -> Wordings:
    """Make wordings of pairs of a template and its translation."""
    with_places = [_template(*entry) for entry in entries if _PLACE.search(entry[0])]
    plain = {text: translation for text, translation in entries if not _PLACE.search(text)}
    return Wordings(plain, tuple(sorted(with_places, key=_telling)))


def _template(text: str, translation: str) -> Template:
    return Template(*_cut(text), *_cut(translation))


def _cut(template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pieces = _PLACE.split(template)
    return tuple(piece.replace("%%", "%") for piece in pieces[::2]), tuple(pieces[1::2])


def _telling(template: Template) -> tuple[int, int, tuple[str, ...]]:
    """Sort by how much text there is, then by how few places; by the text itself where these are alike."""
    return -sum(map(len, template.texts)), len(template.places), template.texts


@cache
def _translating(code: str) -> Callable[[str], str]:
    words = languages()[code].words
    catalog: dict[object, str] = getattr(words, "_catalog", {})  # there is no public way to all of a catalog
    marked = [(str(key), text) for key, text in catalog.items() if isinstance(key, str) and key.startswith(CONTEXT)]
    known = wordings([(key.removeprefix(CONTEXT), text) for key, text in marked if text])
    return once_for_short(_REMEMBERED)(known.translated)
