"""The leaves of a message put together again: one text, one HTML, and the files."""

import html as html_escapes
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final
from urllib.parse import unquote

from deskbell.mail.parsing import embedded, flowed, headers, leaves, markup, uuencoded
from deskbell.mail.parsing.charsets import decode
from deskbell.mail.parsing.containers import Unpacked, may_hold_more, unpacked
from deskbell.mail.parsing.headers import decoded, tolerant
from deskbell.mail.parsing.markup_text import Rendered, to_text
from deskbell.mail.parsing.model import ParsedAttachment
from deskbell.mail.parsing.soup import Close, Open, Token, tokens
from deskbell.mail.parsing.structure import Part, Walk, content_type

MAX_TEXT: Final = 5_000_000  # bytes of all texts; the whole of a longer one becomes an attachment
_MAX_HTML_BYTES: Final = 4 * markup.MAX_HTML
_MAX_TEXTS: Final = 100
_MOST_CONTAINERS: Final = 5  # files that hold more than a file
_MAX_DEPTH: Final = 2  # of signed messages within signed messages
_MAX_ATTACHED: Final = 1_000_000  # bytes of a message in a message whose text is shown
_SHOWN_FIELDS: Final = ("From", "Date", "Subject", "To")
_LAST_LINE: Final = 10_000  # bytes in which a text that is cut may end with a line
_CID: Final = re.compile(r'src="cid:([^"]+)"', re.IGNORECASE)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{1,200}charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)


@dataclass(slots=True)
class _Section:
    """What is written at one place of the message, in one version or in two."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Contents:
    """What the leaves hold; `marks` are lines of `text` at which the HTML says that a quote begins.

    `page` is the HTML of all of it, not sanitised, None where there is none; `rendered` what it says as text.
    """

    text: str = ""
    marks: frozenset[int] = frozenset()
    page: list[Token] | None = None
    rendered: Rendered = field(default_factory=Rendered)
    html: str | None = None
    attachments: list[ParsedAttachment] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)


def read_contents(walk: Walk) -> Contents:
    """Read all leaves."""
    reading = _Reading()
    reading.read(walk)
    reading.compose()
    return reading.contents


@dataclass(slots=True)
class _Reading:
    """One message being read: what was found, and how much text there is still room for."""

    contents: Contents = field(default_factory=Contents)
    sections: dict[tuple[int, int], _Section] = field(default_factory=dict)
    instead: list[_Section] = field(default_factory=list)  # what serves as text where nothing else does
    texts: int = 0
    text_room: int = MAX_TEXT
    html_room: int = markup.MAX_HTML
    entity_room: int = markup.MAX_ENTITIES
    tag_room: int = markup.MAX_TAGS
    messages: int = 0
    looked_into: int = 0
    is_attached: bool = False

    def read(self, walk: Walk, depth: int = 0) -> None:
        """Read the leaves of a message, or of what was signed in one."""
        self.messages += 1
        message = self.messages
        alone = not content_type(walk.headers).startswith("multipart/")
        for part in walk:
            body, defect = leaves.body_of(part)
            self._note(defect)
            section = (message, part.choice)
            if self.texts < _MAX_TEXTS and leaves.is_text(part, alone=alone):
                self.texts += 1
                self._read_text(part, body, self.sections.setdefault(section, _Section()))
            else:
                self._read_file(leaves.attachment(part, body), section, depth)

    def _note(self, defect: str | None) -> None:
        if defect:
            self.contents.defects.append(defect)

    # --- files

    def _read_file(self, file: ParsedAttachment, section: tuple[int, int], depth: int) -> None:
        """Keep a file, and what is packed into it."""
        self.looked_into += may_hold_more(file)
        inside = unpacked(file) if self.looked_into <= _MOST_CONTAINERS else Unpacked()
        self.contents.attachments += [file] if inside.keep else []
        self.contents.attachments += inside.files
        self._note(inside.defect)
        if inside.notice:
            self.sections.setdefault(section, _Section()).plain.append(inside.notice)
        if inside.plain or inside.html:
            self.instead.append(self._instead(inside))
        if inside.message and depth < _MAX_DEPTH:
            walk = Walk(inside.message)
            self.read(walk, depth + 1)
            self.contents.defects += walk.defects

    def _instead(self, inside: Unpacked) -> _Section:
        section = _Section([inside.plain] if inside.plain else [])
        if inside.html:
            self._read_html(inside.html, None, section)
        return section

    # --- texts

    def _read_text(self, part: Part, body: bytes, section: _Section) -> None:
        declared = tolerant(part.headers.get_content_charset, None)
        if content_type(part.headers) == "text/html":
            self._read_html(body, declared, section)
            return
        rest, files = uuencoded.extract(body)
        for name, content in files:
            self.contents.attachments.append(leaves.named_file(decode(name, declared)[0], content))
        text, defect = decode(self._fitting(rest, leaves.file_name(part)), declared)
        self._note(defect)
        section.plain.append(flowed.unwrapped(part.headers, text))

    def _fitting(self, body: bytes, name: str) -> bytes:
        """Return as much of a text as there is room for; the whole of one that is longer becomes a file."""
        if len(body) <= self.text_room:
            self.text_room -= len(body)
            return body
        self._note("its text is too large to be shown; it was kept as an attachment, and its beginning is shown")
        self.contents.attachments.append(ParsedAttachment(name, "text/plain", body))
        end, self.text_room = self.text_room - self.text_room % 4, 0
        return body[: max(body.rfind(b"\n", max(end - _LAST_LINE, 0), end) + 1, 0) or end]

    def _read_html(self, body: bytes, declared: str | None, section: _Section) -> None:
        if not declared and (meta := _META_CHARSET.search(body, 0, 2_000)):
            declared = meta[1].decode("ascii", "replace")
        html, images = embedded.extract_images(body)
        self.contents.attachments += images
        text, defect = decode(html[:_MAX_HTML_BYTES], declared)
        if len(html) <= _MAX_HTML_BYTES:
            self._note(defect)
            if self._has_room(text):
                section.html.append(text)
                return
        self._note("its HTML is too large to be shown; it was kept as an attachment")
        self.contents.attachments.append(ParsedAttachment("message.html", "text/html", html))
        beginning = islice(tokens(text[: self.html_room]), markup.MAX_TAGS)
        section.plain.append(to_text(beginning).text)
        self.html_room -= min(len(text), self.html_room)

    def _has_room(self, html: str) -> bool:
        """Say whether there is still room for this HTML, and take it if so."""
        entities, tags = html.count("&"), html.count("<")
        if len(html) > self.html_room or entities > self.entity_room or tags > self.tag_room:
            return False
        self.html_room -= len(html)
        self.entity_room -= entities
        self.tag_room -= tags
        return True

    # --- all of it

    def compose(self) -> None:
        """Write the sections beneath each other: as text the plain version where there is one, as HTML the other."""
        contents = self.contents
        _compose([*self.sections.values()], contents)
        if not contents.text.strip() and not _shows_images(contents):
            _compose([*self.sections.values(), *(self.instead or self._attached_message())], contents)
        _find_inline(contents)

    def _attached_message(self) -> list[_Section]:
        """Return what is written in a message that was forwarded as a file, without a word about it."""
        if self.is_attached:
            return []
        attached = (each for each in self.contents.attachments if each.media_type == leaves.MESSAGE)
        message = next((each for each in attached if len(each.content) <= _MAX_ATTACHED), None)
        return [_Section([_forwarded(message.content)])] if message else []


def _forwarded(raw: bytes) -> str:
    """Write a message as mail programs write one that they forward."""
    walk = Walk(raw)
    reading = _Reading(is_attached=True)
    reading.read(walk, _MAX_DEPTH)
    reading.compose()
    rows = [f"{name}: {value}" for name in _SHOWN_FIELDS if (value := decoded(headers.field(walk.headers, name)))]
    return "\n".join(["---------- Forwarded message ---------", *rows, "", reading.contents.text])


def _compose(sections: Sequence[_Section], contents: Contents) -> None:
    lines, marks, page = list[str](), set[int](), list[Token]()
    shown = [(section, list(tokens("".join(section.html)))) for section in sections if section.plain or section.html]
    rendered = Rendered()
    for section, written in shown:
        rendered = _as_text(section, written)
        offset = len(lines) + bool(lines)
        if rendered.text.strip():
            lines += [""] * bool(lines) + rendered.text.split("\n")
            marks |= {mark + offset for mark in rendered.marks}
        page += ["\n"] * bool(page)
        page += written or ([Open("pre", {}), rendered.text, Close("pre")] if rendered.text.strip() else [])
    contents.text, contents.marks = "\n".join(lines), frozenset(marks)
    html = markup.sanitised(page) if any(written for _, written in shown) else ""
    contents.page, contents.html = (page, html) if html.strip() else (None, None)
    if contents.page is not None:
        is_whole = len(shown) == 1 and not shown[0][0].plain
        contents.rendered = rendered if is_whole else to_text(page)


def _as_text(section: _Section, written: list[Token]) -> Rendered:
    plain = "\n\n".join(filter(str.strip, section.plain))
    if plain or not section.html:
        return Rendered(plain)
    return to_text(written)


def _shows_images(contents: Contents) -> bool:
    return bool(contents.html and "<img" in contents.html)


def _find_inline(contents: Contents) -> None:
    shown = {unquote(html_escapes.unescape(each)) for each in _CID.findall(contents.html or "")}  # RFC 2392
    contents.attachments = [
        replace(each, is_inline=True) if each.content_id in shown else each for each in contents.attachments
    ]
