"""From a letter's words and facts to what is read: subject, plain text, HTML.

Each name stands as a mark in the Markdown and is replaced when that has become text or HTML: nothing that comes from
outside is ever read as Markdown or as a template.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import cache
from html import escape
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from deskbell.kernel.languages import current, gettext, preferred, span, speaking
from deskbell.kernel.text import one_line
from deskbell.mail.outbound.letters import ORIGINALS, SUBJECT_LENGTH, Facts, Quote, Wording, original_of
from deskbell.mail.outbound.models import OutboundKind
from deskbell.mail.outbound.plain import html_of, text_of
from deskbell.mail.outbound.wording import filled

_LAYOUT: Final = Path(__file__).parent / "layout"
_MARK: Final = re.compile(r"(<p>)?(zq[0-9a-f]{16}x\d+qz)(</p>\n?)?")
_ALONE: Final = re.compile(r"(?<=\n\n)(zq[0-9a-f]{16}x\d+qz)(?=\n\n)")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_BUTTON: Final = "<!-- button -->"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter as it is read."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Value:
    """What a name stands for. As a paragraph of its own it may be more: `block` in HTML, `lines` as text."""

    text: str
    block: str = field(default="", repr=False)
    lines: str = ""

    def __bool__(self) -> bool:
        """What `{% if name %}` asks."""
        return bool(self.text)

    def __str__(self) -> str:
        """Within a subject."""
        return self.text


@dataclass(frozen=True, slots=True)
class Slot:
    """A value's mark."""

    mark: str
    value: Value

    def __bool__(self) -> bool:
        """What `{% if name %}` asks."""
        return bool(self.value)

    def __str__(self) -> str:
        """Within a body."""
        return self.mark


def address_of(mailbox: str) -> str:
    """Return the bare address of `Help <help@example.org>`: who the envelope says it is from."""
    return parseaddr(mailbox)[1]


def render(kind: OutboundKind, facts: Facts, locale: str, wording: Wording | None = None) -> Rendered:
    """Write a message in the recipient's language, or in English where we have none of theirs.

    `wording` are an administrator's words; without them it says what our own letter says.
    """
    with speaking(preferred("", locale.replace("_", "-"))):
        words, values = wording or original_of(kind), _values(kind, facts)
        subject = one_line(filled(words.subject, values), SUBJECT_LENGTH) or one_line(facts.site, SUBJECT_LENGTH)
        key = secrets.token_hex(8)
        slots = {name: Slot(f"zq{key}x{number}qz", value) for number, (name, value) in enumerate(values.items())}
        markdown, marks = filled(words.body, slots), {slot.mark: slot.value for slot in slots.values()}
        return Rendered(subject, _text(markdown, marks), _html(subject, markdown, marks))


def _values(kind: OutboundKind, facts: Facts) -> dict[str, Value]:
    return {
        "site": Value(facts.site),
        "time": Value(span(facts.seconds)),
        "ticket.number": Value(facts.number),
        "ticket.title": Value(facts.title),
        "requester.name": Value(facts.requester),
        "agent.name": Value(facts.agent),
        "author.name": Value(facts.author),
        "recipient.name": Value(facts.recipient),
        "can_reply": Value("✓" if facts.can_reply else ""),
        "link": _linked(facts.link, gettext(ORIGINALS[kind].button)),
        "message": Value(facts.words, _block("message.html", facts.words, html=facts.words_html)),
        "signature": Value(facts.signature and f"-- \n{facts.signature}", _block("signature.html", facts.signature)),
        "files": _listed(facts.files, gettext("Files that are not part of this mail:")),
        "reason": _listed(facts.reason, ""),
        "quote": _quoted(facts.quote),
    }


def _linked(link: str, button: str) -> Value:
    return Value(link, _filled("button.html", link=link, button=button), f"{button}:\n{link}") if link else Value("")


def _quoted(quote: Quote | None) -> Value:
    if quote is None:
        return Value("")
    said = gettext("%(name)s wrote on %(time)s:") % {"name": quote.author, "time": quote.at}
    lines = "\n".join(f"> {line}".rstrip() for line in quote.text.splitlines())
    return Value(f"{said}\n{lines}", _filled("quote.html", said=said, text=quote.text))


def _listed(lines: tuple[str, ...], said: str) -> Value:
    text = "\n".join(f"- {line}" for line in lines)
    block = _filled("lines.html", said=said, words=lines) if lines else ""
    return Value("\n".join(lines), block, f"{said}\n{text}".strip() if lines else "")


def _block(name: str, words: str, **more: str) -> str:
    return _filled(name, words=words, **more) if words else ""


def _text(markdown: str, marks: Mapping[str, Value]) -> str:
    said = f"\n\n{text_of(markdown)}\n\n"
    said = _ALONE.sub(lambda found: marks[found[1]].lines or marks[found[1]].text, said)
    said = _MARK.sub(lambda found: marks[found[2]].text, said)
    return _EMPTY_LINES.sub("\n\n", said).strip() + "\n"


def _html(subject: str, markdown: str, marks: Mapping[str, Value]) -> str:
    """What comes after the button is small print."""
    body = _MARK.sub(lambda found: _placed(found, marks[found[2]]), html_of(markdown))
    letter, _button, small = body.partition(_BUTTON)
    return _filled("letter.html", subject=subject, letter=Markup(letter), small=Markup(small))  # noqa: S704 - see above


def _placed(found: re.Match[str], value: Value) -> str:
    """Put a value where its mark is: as a block where it is a paragraph by itself, else within the line."""
    opened, closed = found[1] or "", found[3] or ""
    if opened and closed and (value.block or not value.text):
        return value.block
    return f"{opened}{escape(value.text)}{closed}"


def _filled(name: str, **values: object) -> str:
    return _environment().get_template(name).render(language=current(), **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_LAYOUT),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
