"""The leaves of a message put together again: one text, one HTML, and the files."""

import html as html_escapes
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote

from deskbell.mail.parsing import flowed, leaves, markup, uuencoded
from deskbell.mail.parsing.charsets import decode
from deskbell.mail.parsing.headers import tolerant
from deskbell.mail.parsing.markup_text import Rendered, to_text
from deskbell.mail.parsing.model import ParsedAttachment
from deskbell.mail.parsing.structure import Part, Walk, content_type

_MAX_TEXTS: Final = 100
_CID: Final = re.compile(r'src="cid:([^"]+)"', re.IGNORECASE)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{1,200}charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)


@dataclass(slots=True)
class _Section:
    """What is written at one place of the message, in one version or in two."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Contents:
    """What the leaves hold; `marks` are lines of `text` at which the HTML says that a quote begins."""

    text: str = ""
    marks: frozenset[int] = frozenset()
    html: str | None = None
    attachments: list[ParsedAttachment] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)


def read_contents(walk: Walk) -> Contents:
    """Read all leaves."""
    contents, sections = Contents(), dict[int, _Section]()
    alone = not content_type(walk.headers).startswith("multipart/")
    texts = 0
    for part in walk:
        body, defect = leaves.body_of(part)
        contents.defects += [defect] if defect else []
        if texts < _MAX_TEXTS and leaves.is_text(part, alone=alone):
            texts += 1
            _read_text(part, body, sections.setdefault(part.choice, _Section()), contents)
        else:
            contents.attachments.append(leaves.attachment(part, body))
    _compose(sections.values(), contents)
    _find_inline(contents)
    return contents


def _read_text(part: Part, body: bytes, section: _Section, contents: Contents) -> None:
    declared = tolerant(part.headers.get_content_charset, None)
    is_html = content_type(part.headers) == "text/html"
    if is_html and not declared and (meta := _META_CHARSET.search(body, 0, 2_000)):
        declared = meta[1].decode("ascii", "replace")
    text, defect = decode(body, declared)
    contents.defects += [defect] if defect else []
    if is_html:
        _keep_html(text, section, contents)
        return
    text, files = uuencoded.extract(flowed.unwrapped(part.headers, text))
    section.plain.append(text)
    for name, content in files:
        contents.attachments.append(leaves.named_file(name, content))


def _keep_html(text: str, section: _Section, contents: Contents) -> None:
    html = markup.without_data_uris(text)
    if markup.is_readable(html) and len(html) + sum(map(len, section.html)) <= markup.MAX_HTML:
        section.html.append(html)
        return
    contents.defects.append("its HTML is too large to be shown; it was kept as an attachment")
    contents.attachments.append(ParsedAttachment("message.html", "text/html", text.encode()))
    section.plain.append(to_text(html[: markup.MAX_HTML]).text)


def _compose(sections: Iterable[_Section], contents: Contents) -> None:
    """Write the sections beneath each other: as text the plain version where there is one, as HTML the other."""
    lines, marks, htmls, has_html = list[str](), set[int](), list[str](), False
    for section in sections:
        shown = markup.sanitised("".join(section.html)) if section.html else ""
        rendered = _as_text(section)
        offset = len(lines) + bool(lines)
        if rendered.text.strip():
            lines += [""] * bool(lines) + rendered.text.split("\n")
            marks |= {mark + offset for mark in rendered.marks}
        has_html = has_html or bool(shown.strip())
        htmls.append(shown or f"<pre>{html_escapes.escape(rendered.text)}</pre>" * bool(rendered.text.strip()))
    contents.text, contents.marks = "\n".join(lines), frozenset(marks)
    contents.html = "\n".join(filter(None, htmls)) if has_html else None


def _as_text(section: _Section) -> Rendered:
    plain = "\n\n".join(filter(str.strip, section.plain))
    if plain or not section.html:
        return Rendered(plain, frozenset())
    return to_text("".join(section.html))


def _find_inline(contents: Contents) -> None:
    shown = {unquote(html_escapes.unescape(each)) for each in _CID.findall(contents.html or "")}  # RFC 2392
    contents.attachments = [
        replace(each, is_inline=True) if each.content_id in shown else each for each in contents.attachments
    ]
