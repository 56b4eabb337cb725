"""The part of an HTML message that was written now, cut out where its text is cut."""

import re
from collections.abc import Sequence
from typing import Final

from deskbell.mail.parsing.markup_text import Rendered, to_text
from deskbell.mail.parsing.quotes import new_lines
from deskbell.mail.parsing.soup import VOID, Close, Open, Token

_CONTENT: Final = {"img", "hr"}
# What the text of HTML and the text that a program wrote beside it say differently: addresses behind links, what stands
# in an image's place, and the signs for bold, lists and quotes.
_ADDRESS: Final = re.compile(r"[<(\[]\s*(?:https?:|mailto:|tel:|cid:)?[^\s<>()\[\]]{1,2000}[>)\]]")
_IMAGE: Final = re.compile(r"\[[^\[\]\n]{0,300}\]")
_SIGNS: Final = re.compile(r"[\s*_/>\-•·◦▪|#=~`<()\[\]\u200b-\u200f\ufeff\xad]+")


def new_part(page: Sequence[Token], rendered: Rendered, new_text: str) -> Sequence[Token] | None:
    """Return the part of `page` that says `new_text`, balanced, `page` itself if that is all; None if in doubt.

    `rendered` is the text of the whole page. The programs' own signs (`gmail_quote`, `blockquote`, Outlook's line above
    the header) are marks in it, so the page is cut where its text is.
    """
    lines = new_lines(rendered.text, rendered.marks)
    if lines is None:
        return None
    start, end = lines
    if start == 0 and end >= len(rendered.origins):
        return page if _squeezed(rendered.text) == _squeezed(new_text) else None
    first = rendered.origins[start] if start else 0
    last = min(rendered.origins[end:], default=len(page))
    part = _cut(page, first, last)
    return part if _squeezed(to_text(part).text) == _squeezed(new_text) else None


def _cut(page: Sequence[Token], first: int, last: int) -> list[Token]:
    """Return what stands between `first` and `last`, with the elements that are open there, without empty ends."""
    filled = [index for index in range(first, last) if _has_content(page[index])]
    if not filled:
        return []
    open_before: list[Open] = []
    for token in page[: filled[0]]:
        _follow(open_before, token)
    open_after = list(open_before)
    for token in page[filled[0] : filled[-1] + 1]:
        _follow(open_after, token)
    closing = [Close(each.name) for each in reversed(open_after)]
    return [*open_before, *page[filled[0] : filled[-1] + 1], *closing]


def _has_content(token: Token) -> bool:
    return bool(token.strip()) if isinstance(token, str) else isinstance(token, Open) and token.name in _CONTENT


def _follow(opened: list[Open], token: Token) -> None:
    if isinstance(token, Close):
        opened.pop()
    elif isinstance(token, Open) and token.name not in VOID:
        opened.append(token)


def _squeezed(text: str) -> str:
    return _SIGNS.sub("", _IMAGE.sub("", _ADDRESS.sub("", text)))
