"""Collect the texts of the pages and mails into the catalogs of the languages: `python -m tools.messages`.

Texts are marked in the source; what errors say to people is found there by `tools.said`.

New texts are added without a translation, which a test then asks for; those that are gone are removed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from tools.said import CONTEXT, templates

PACKAGE: Final = Path("deskbell")
LANGUAGES: Final = ("ar", "de")
_UNDATED: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Git knows when a catalog changed; a date in it would be a conflict each time."""
_METHODS: Final = (
    ("web/**.py", "python"),
    ("mail/outbound/**.py", "python"),
    ("web/templates/**.html", "jinja2"),
)
_KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None}
_OPTIONS: Final = {"web/templates/**.html": {"silent": "false", "trimmed": "false"}}


def catalog() -> Catalog:
    """Return all texts of the pages and mails, and all messages of errors, each with the files that it is in."""
    found = Catalog(project="Deskbell", charset="utf-8", fuzzy=False)
    for file, message, comments, context in _texts():
        found.add(message, locations=[(file, 0)], auto_comments=comments, context=context)
    return found


def path_of(language: str) -> Path:
    """Return where a language's translations lie."""
    return PACKAGE / "web" / "locale" / f"{language}.po"


def load(language: str) -> Catalog:
    """Return a language's translations, none where it has none yet."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, project="Deskbell", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _texts() -> Iterator[tuple[str, str | tuple[str, ...], list[str], str | None]]:
    extracted = extract_from_dir(PACKAGE, _METHODS, _OPTIONS, _KEYWORDS)
    for file, _line, message, comments, context in sorted(extracted, key=lambda text: (text[0], text[1])):
        yield Path(file).as_posix(), message, comments, context
    for path, template in templates(PACKAGE):
        yield path.relative_to(PACKAGE).as_posix(), template, [], CONTEXT


def main() -> None:
    """Bring all catalogs up to date."""
    texts = catalog()
    for language in LANGUAGES:
        translations = load(language)
        translations.update(texts, no_fuzzy_matching=True)
        translations.obsolete.clear()
        translations.header_comment = f"# The pages in the language {language!r}. `make messages` adds new texts."
        translations.creation_date = translations.revision_date = _UNDATED
        translations.last_translator = translations.language_team = translations.project
        with path_of(language).open("wb") as file:
            write_po(file, translations, width=120, omit_header=False, sort_output=True, include_lineno=False)


if __name__ == "__main__":
    main()
