"""Every text that a page or a script shows goes through the catalogs: found by reading templates and scripts."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from jinja2 import nodes

from deskbell.web.templating import HERE, build_environment

TEMPLATES: Final = HERE / "templates"
SCRIPTS: Final = HERE / "static" / "js"
SPOKEN: Final = ("title", "aria-label", "aria-description", "placeholder", "alt", "data-name")
UNREAD: Final = ("code", "kbd", "svg")
MARKING: Final = ("_", "gettext", "ngettext")
NAMES: Final = {"Deskbell", "PostgreSQL", "CSV", "SHA-256", "Message-ID", "ms", "Ctrl + Enter", "light dark"}
"""What is the same in all languages: names, formats, units, keys; and a value of `color-scheme`."""
EXAMPLES: Final = {"status:open tag:billing card"}
"""Queries are written the same way in all languages."""
ENVIRONMENT: Final = build_environment()
WORD: Final = re.compile(r"[^\W\d_]{2,}")
PROSE: Final = re.compile(r"^[A-Z][a-z]|^[a-z]+ [a-z]+ [a-z]")
NOT_TEXT: Final = re.compile(r'[\w-]+="[^"]*"|(?<!\S)/\S+')  # attributes and addresses that a macro or block writes
HIDDEN: Final = re.compile(r"{#.*?#}|{%-?\s*trans\b.*?endtrans\s*-?%}|{%.*?%}", re.DOTALL)
OUTPUT: Final = re.compile(r"{{.*?}}", re.DOTALL)
PLURAL: Final = re.compile(r"{%-?\s*trans\s+(\w+)\s*=(?:(?!endtrans).)*?{%-?\s*pluralize\s*-?%}", re.DOTALL)
VALUE: Final = re.compile(r"\${[^{}]*}")
SHOWN_BY_SCRIPTS: Final = re.compile(
    r"""(?:textContent|innerText|innerHTML|title|ariaLabel|placeholder|alt)\s*[=:]\s*["'`][^"'`]*[A-Za-z]{2}"""
    r"""|(?:alert|confirm|prompt)\(\s*["'`]|["'`][A-Z][a-z]+ [a-z]+[^"'`]*["'`]"""
)


class Reader(HTMLParser):
    """Collects what a person would read or hear."""

    def __init__(self) -> None:
        """Nothing is collected yet."""
        super().__init__()
        self.texts: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in UNREAD
        self.texts += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.texts += NOT_TEXT.sub("", data).replace("·", "\n").splitlines()


def unmarked(source: str) -> list[str]:
    """The texts of a template that no catalog knows."""
    reader = Reader()
    reader.feed(OUTPUT.sub(lambda found: " | ".join(written(found[0])), HIDDEN.sub("", source)))
    reader.close()
    texts = [text.strip() for shown in reader.texts for text in shown.split("|")]
    prose = [text for text in constants(ENVIRONMENT.parse(source)) if PROSE.search(text)]
    return [text for text in [*texts, *prose] if WORD.search(text) and text not in NAMES | EXAMPLES]


def written(output: str) -> Iterator[str]:
    """The constants that `{{ … }}` may write as they are."""
    for node in ENVIRONMENT.parse(output).find_all(nodes.Output):
        for part in node.nodes:
            yield from outcomes(part)


def outcomes(node: nodes.Node | None) -> Iterator[str]:
    """The constants that an expression may have as its value."""
    if isinstance(node, nodes.Const):
        yield str(node.value)
    elif isinstance(node, nodes.CondExpr):
        yield from (*outcomes(node.expr1), *outcomes(node.expr2))
    elif isinstance(node, nodes.Filter):
        yield from outcomes(node.node)
    elif isinstance(node, nodes.Or | nodes.And):
        yield from (*outcomes(node.left), *outcomes(node.right))


def constants(node: nodes.Node) -> Iterator[str]:
    """The constants of a template that are not marked: arguments of macros, values of tables."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in MARKING:
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes():
        yield from constants(child)


def relative(path: Path) -> str:
    return path.relative_to(HERE).as_posix()


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=relative)
def test_a_template_has_no_text_that_is_not_marked(path: Path) -> None:
    assert unmarked(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=relative)
def test_the_first_value_of_a_plural_is_what_is_counted(path: Path) -> None:
    """Jinja counts by the first value unless another is named; a word cannot be counted in any language but ours."""
    first = PLURAL.findall(path.read_text(encoding="utf-8"))
    assert set(first) <= {"count", "n"}


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.js")), ids=relative)
def test_a_script_has_no_text_of_its_own(path: Path) -> None:
    """Scripts take their texts from the page."""
    constant = VALUE.sub("", path.read_text(encoding="utf-8"))
    assert SHOWN_BY_SCRIPTS.findall(constant) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Saved</p>",
        '<button title="Close">×</button>',
        '<input placeholder="{{ \'Search\' if wide else "" }}">',
        '{{ field("name", "Your name") }}',
        '{% set titles = {404: "There is nothing here"} %}{{ titles[404] }}',
    ],
)
def test_what_is_not_marked_is_found(source: str) -> None:
    assert unmarked(source) != []


@pytest.mark.parametrize(
    "source",
    [
        '<p class="{{ "wide" if wide }}">{{ _("Saved") }} · {{ name }}</p>',
        "{% trans count=n %}one ticket{% pluralize %}many{% endtrans %}",
        "<code>deskbell mail import</code><kbd aria-label=\"{{ _('Enter') }}\">Enter</kbd>",
        '{% macro wrong(field) %} aria-describedby="wrong-{{ field }}"{% endmacro %}',
    ],
)
def test_what_is_marked_or_no_text_is_left_alone(source: str) -> None:
    assert unmarked(source) == []
