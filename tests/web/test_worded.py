"""Messages of the domain in the reader's language: recognised by their shape, whatever stands in their places."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import pytest

from deskbell.kernel.errors import InvalidError
from deskbell.web import i18n
from deskbell.web.worded import CONTEXT, worded, wordings
from tools import said

WEB = Path("deskbell/web")
PAGES = ("workspace", "portal", "admin", "pages")
ERRORS = {"error", "wrong", "hint"}
"""What an error, or a hint, is called in the pages."""
SHOWN = re.compile(r"{{[^{}]*\b(?:reason|problem|advice|error\.message|step\.words|one\.words)\b(?!\()[^{}]*}}")
HAVE_WORDS = {"problem.message", "error.message", "job.reason", "{{ problem }}", "kit.problem", "_("}
"""What the route has put into words already, and what only programs say."""
TEMPLATES = sorted({template for _path, template in said.templates()})
LEAST = 6
"""Letters by which a message is known: with less, anything might be taken for it."""
SOME = wordings(
    [
        ("There is no %(kind)s.", "%(kind)s fehlt."),
        ("There is no %(kind)s %(number)s.", "%(kind)s %(number)s fehlt."),
        ("%(sign)s is a sign: write “%(sign)s”.", "„%(sign)s“ ist ein Zeichen."),
        ("It is 100%% %(what)s, {% so %}.", "Es ist zu 100%% %(what)s, {% so %}."),
        ("Line %(line)s: %(message)s", "Zeile %(line)s: %(message)s"),
        ("It is gone.", "Es ist weg."),
    ]
)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("It is gone.", "Es ist weg."),
        ("There is no ticket.", "ticket fehlt."),
        ("There is no ticket 7.", "ticket 7 fehlt."),
        ("There is no %(kind)s %s {0} %%.", "%(kind)s %s {0} %% fehlt."),
        ("There is no .", " fehlt."),
        ("OR is a sign: write “OR”.", "„OR“ ist ein Zeichen."),
        ("OR is a sign: write “AND”.", "OR is a sign: write “AND”."),
        ("It is 100% true, {% so %}.", "Es ist zu 100% true, {% so %}."),
        ("Line 3: There is no tag x.", "Zeile 3: tag x fehlt."),
        ("Line 3: Line 4: It is gone.", "Zeile 3: Zeile 4: It is gone."),
        ("Nobody has said this.", "Nobody has said this."),
        ("", ""),
    ],
)
def test_a_message_is_recognised_and_its_values_are_passed_on_as_they_are(message: str, shown: str) -> None:
    assert SOME.translated(message) == shown


def test_what_is_between_a_template_and_its_value_is_the_same_every_time() -> None:
    """Of two templates that fit, the one with more text of its own is taken, in whatever order they come."""
    entries = [("%(a)s has %(b)s.", "1"), ("%(a)s has no %(b)s.", "2"), ("%(a)s has %(b)s, no more.", "3")]
    both = [wordings(entries), wordings(entries[::-1])]
    assert [each.translated("DB-1 has no copy 3.") for each in both] == ["2", "2"]


@pytest.mark.parametrize("filler", ["There is no ", "x", " ", "a is a sign: write “a", "\n", "Line 1: "])
@pytest.mark.parametrize("code", ["de", "ar"])
def test_a_long_value_takes_no_long_time(code: str, filler: str) -> None:
    """A hundred kilobytes that look like the beginnings of messages; to try all ways would take years."""
    text = filler * (100_000 // len(filler))
    began = process_time()
    with i18n.speaking(i18n.languages()[code]):
        assert text in worded(f"There is no ticket {text}.")
        worded(text)
    SOME.translated(f"{text} is a sign: write “{text}.")
    assert process_time() - began < 1


def test_english_is_not_touched() -> None:
    assert worded(InvalidError("A ticket needs a title.")) == "A ticket needs a title."


def test_a_template_has_so_much_text_that_nothing_else_is_taken_for_it() -> None:
    texts = {template: said.PLACE.sub("", template) for template in TEMPLATES}
    assert [template for template, text in texts.items() if sum(map(str.isalpha, text)) < LEAST] == []


@pytest.mark.parametrize("code", ["de", "ar"])
def test_every_message_is_shown_in_the_readers_language(code: str) -> None:
    with i18n.speaking(i18n.languages()[code]):
        left = [template for template in TEMPLATES if worded(filled(template)) == filled(template)]
    assert left == []


@pytest.mark.parametrize("code", ["de", "ar"])
def test_every_message_is_taken_for_itself(code: str) -> None:
    """A value that is seldom seen comes back in the translation of the template that it was put into."""
    language = i18n.languages()[code]
    with i18n.speaking(language):
        wrong = [each for each in TEMPLATES if worded(filled(each)) != filled(language.words.gettext(CONTEXT + each))]
    assert wrong == []


def test_pages_say_what_went_wrong_in_the_readers_language() -> None:
    """What an error says is `worded` where a page shows it, or is passed on in another error."""
    assert [place for room in PAGES for path in (WEB / room).glob("*.py") for place in plain(path)] == []


def test_templates_say_reasons_in_the_readers_language() -> None:
    found = [
        (path.name, shown)
        for path in sorted((WEB / "templates").rglob("*.html"))
        for shown in SHOWN.findall(path.read_text(encoding="utf-8"))
    ]
    assert [each for each in found if not any(name in each[1] for name in ("worded", *HAVE_WORDS))] == []


def plain(path: Path) -> Iterator[str]:
    """The messages of errors that a module neither translates nor passes on."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed = {
        argument
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id == "worded" or call.func.id.endswith("Error")
        for argument in call.args
    }
    read = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "message")
    for node in read:
        if isinstance(node.value, ast.Name) and node.value.id in ERRORS and node not in passed:
            yield f"{path.name}:{node.lineno}"


def filled(template: str) -> str:
    """A message of this shape."""
    if not said.PLACE.search(template):
        return template
    return said.PLACE.sub("QX7", template).replace("%%", "%")
