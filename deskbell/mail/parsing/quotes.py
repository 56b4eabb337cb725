"""What a person wrote now, told apart from what their mail program quoted beneath, above or around it.

What introduces a quote ends with a colon and has an address, a date and a time, in whatever language; where one of them
is missing it takes a known word. mail-parser-reply knows such words for a dozen languages. Its own splitter drops
indentation and takes seconds on long lines, so its patterns are tried here on a few bounded lines at a time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from deskbell.mail.parsing.signatures import is_dashed_name, signature_start
from deskbell.mail.parsing.words import FORWARDED, HEADER, KNOWN_INTRODUCTIONS, ORIGINAL, WROTE

ANALYSED: Final = 1_000_000  # characters; what comes after belongs to where these end
_MOST_TRIES: Final = 300  # places looked at more closely
_WRAPPED: Final = 4  # lines that one introduction may be broken into
_LONGEST_LINE: Final = 200
_HEADER_ROWS: Final = 10

_COLONS: Final = (":", "：")
_DIRECTIONS: Final = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # of writing
_AROUND: Final = " *" + _DIRECTIONS
_PLAIN: Final = str.maketrans("*", " ", _DIRECTIONS)
_BEGINS_WITH_DATE: Final = re.compile(r"[\"'(]?\d|\w{2,12}[.,]? \d")
_FIGURES: Final = re.compile(r"\d{4}|\d{1,2}[./:-]\d{1,2}")
_DATE: Final = re.compile(  # a day with its month and year, in any order, in figures or with the month's name
    r"(?<!\d)\d{1,2}(?!\d)[^\d\n]{1,15}\d{4}(?!\d)|(?<!\d)\d{4}(?!\d)[^\d\n]{1,15}\d{1,2}(?![\d:])|"
    r"(?<!\d)\d{1,2}[./-]\s?\d{1,2}[./-]\s?\d{2,4}(?!\d)|(?<!\d)\d{4}[./-]\s?\d{1,2}[./-]\s?\d{1,2}(?!\d)"
)
_TIME: Final = re.compile(r"(?<![\d.])\d{1,2}[:.]\d{2}(?!\d|\.\d)")
_ADDRESS: Final = re.compile(r"[<(\[]\W{0,3}[^\s<>()@]{1,64}@[^\s<>()@]{1,255}[>)\]]")
_QUOTING: Final = re.compile(r"(?:Quoting|Zitat von|Citando|Citation de|Quote da)\s.{1,100}", re.IGNORECASE)
_BETWEEN_RULES: Final = re.compile(r"-{2,}\s?(.{10,150}?)\s?-{2,}")
_RULE: Final = re.compile(r"\s?(?:[_-]\s?){10,}")


@dataclass(frozen=True, slots=True)
class Split:
    """Both are parts of the text, whole lines; `folded` is empty where nothing is to be folded."""

    new: str
    folded: str


def split_reply(text: str, marks: frozenset[int] = frozenset()) -> Split:
    """Tell what was written now from quotes, signature and footer.

    Answers that stand between quotes keep the quotes they answer. `marks` are lines (from 0) at which a quote is known
    to begin, from the HTML. Where nothing would be new, all is: a bare forward is a message too. A signature *above*
    the quote stays with what was written, as mail programs put it there; `split_signature` finds it. Only a name
    behind a dash ("-Anna") goes.
    """
    lines = text[:ANALYSED].split("\n")
    tail = text[ANALYSED:]
    start, end = _new_lines(lines, marks, whole=not tail)
    if start == end:
        return Split(_trim(text), "")
    if not any(line.strip() for line in lines[end:]):  # whatever was not looked at goes on with the last line
        end, lines[-1], tail = len(lines), lines[-1] + tail, ""
    above, below = _trim("\n".join(lines[:start])), _trim("\n".join(lines[end:]) + tail)
    return Split(_trim("\n".join(lines[start:end])), "\n\n".join(filter(None, (above, below))))


def new_lines(text: str, marks: frozenset[int] = frozenset()) -> tuple[int, int] | None:
    """Return the first line of what `split_reply` calls new and the one after its last, None for a text too long."""
    if len(text) > ANALYSED:
        return None
    lines = text.split("\n")
    start, end = _new_lines(lines, marks, whole=True)
    if start == end or not any(line.strip() for line in lines[end:]):
        return (0 if start == end else start), len(lines)
    return start, end


def _trim(text: str) -> str:
    """Drop blank lines around; the indentation of the first line stays."""
    stripped = text.strip()
    at = text.find(stripped)
    return text[text.rfind("\n", 0, at) + 1 : at] + stripped if stripped else ""


def _new_lines(lines: list[str], marks: frozenset[int], *, whole: bool) -> tuple[int, int]:
    """Return where the new lines begin and end, equal where there are none."""
    quoted = [line.startswith(">") for line in lines]
    quote_at = len(lines)
    for start, end, is_sure in _introductions(lines, marks):
        following = next((i for i in range(end, min(end + _WRAPPED, len(lines))) if lines[i].strip()), start)
        if quoted[following]:
            quoted[start:following] = [True] * (following - start)
        elif is_sure and not quoted[start]:
            quote_at = start
            break
    if whole and quote_at == len(lines):
        last = max((i for i, is_quoted in enumerate(quoted) if is_quoted), default=-1)
        quote_at = signature_start(lines, last + 1)
    start, end = _between(lines[:quote_at], quoted)
    return start, _before_dashed_name(lines, start, end)


def _before_dashed_name(lines: list[str], start: int, end: int) -> int:
    """Return where what was written ends before a name behind a dash ("-Anna") that stands above a quote."""
    if start < end < len(lines) and is_dashed_name(lines, end - 1, lines[end - 1].strip()):
        return next((i + 1 for i in range(end - 2, start - 1, -1) if lines[i].strip()), end)
    return end


def _between(lines: list[str], quoted: list[bool]) -> tuple[int, int]:
    """Take the one block that was written; with several, everything from the top to the last one."""
    written = [i for i, line in enumerate(lines) if line.strip() and not quoted[i]]
    if not written:
        return 0, 0
    first, last = written[0], written[-1]
    return (0 if any(quoted[first:last]) else first), last + 1


def _introductions(lines: list[str], marks: frozenset[int]) -> Iterator[tuple[int, int, bool]]:
    """Yield the first line of each place where a quote is introduced, the line after it, and whether that is sure.

    What is not sure needs quoted lines beneath it. Ends at a forwarded message: that is sent to be read.
    """
    skip_to = 0
    for start in islice(_candidates(lines, marks), _MOST_TRIES):
        if start < skip_to:
            continue
        window = [_squeezed(line) for line in lines[start : start + _HEADER_ROWS]]
        if FORWARDED.fullmatch(next(filter(None, window), "")):
            return
        length, is_sure = _introduction(window)
        if length or start in marks:
            skip_to = start + (length or 1)
            yield start, skip_to, is_sure or start in marks


def _candidates(lines: list[str], marks: frozenset[int]) -> list[int]:
    """Return the lines that could begin an introduction: a ruling line, a header, one soon followed by a colon."""
    found = set(marks)
    for index, line in enumerate(lines):
        if line[:1] in {"", ">"}:
            continue
        begin = line[:_LONGEST_LINE].lstrip(_AROUND)
        if begin[:2] in {"--", "__", "- ", "_ "} or HEADER.match(begin) or FORWARDED.match(begin):
            found.add(index)
        if line[-6:].rstrip(_AROUND).endswith(_COLONS):
            found.update(range(max(index - _WRAPPED + 1, 0), index + 1))
    return sorted(found)


def _squeezed(line: str) -> str:
    return " ".join(line[:_LONGEST_LINE].translate(_PLAIN).split())


def _introduction(window: list[str]) -> tuple[int, bool]:
    """Return how many of these lines introduce a quote, 0 if they do not, and whether that is sure."""
    if ORIGINAL.fullmatch(window[0]) or _is_between_rules(window[0]):
        return 1, True
    ruled = bool(_RULE.fullmatch(window[0]))
    rows = _header_rows(window[1:] if ruled else window, ruled=ruled)
    return (rows + ruled, True) if rows else _wrote(window[:_WRAPPED])


def _header_rows(window: list[str], *, ruled: bool) -> int:
    """Count the lines of a block like "From: … Sent: … To: … Subject: …".

    A customer's own "From: Berlin / To: Munich" is none: beneath a ruling line two rows will do, otherwise it takes
    four, or three with an address, and always a figure, for a mail has a date.
    """
    begin = next((i for i, line in enumerate(window) if line), len(window))
    if begin and not ruled:
        return 0
    text = "\n".join(window[begin:]).partition("\n\n")[0]
    block = text.split("\n")
    rows = sum(1 for line in block if HEADER.fullmatch(line))
    enough = rows >= 4 or (rows >= 3 and "@" in text) or (rows >= 2 and ruled)  # noqa: PLR2004 - see above
    return begin + len(block) if enough and HEADER.fullmatch(block[0]) and re.search(r"\d", text) else 0


def _is_between_rules(line: str) -> bool:
    """Whether this is `---- On Wed, 12 May 2027 10:00:00 +0200 Anna <anna@example.com> wrote ----`."""
    inner = _BETWEEN_RULES.fullmatch(line)
    return bool(inner and _DATE.search(inner[1]) and (_ADDRESS.search(inner[1]) or WROTE.search(inner[1])))


def _wrote(window: list[str]) -> tuple[int, bool]:
    """Count the lines of "On Monday, 3 May 2027, Anna <anna@example.com> wrote:", however it is wrapped."""
    for count, line in enumerate(window, start=1):
        if not line:
            break
        if line.endswith(_COLONS):
            is_one, is_sure = _is_introduction("\n".join(window[:count]))
            begins_later = any(_tells_all("\n".join(window[begin:count])) for begin in range(1, count))
            if is_one and not begins_later:
                return count, is_sure
    return 0, False


def _is_introduction(text: str) -> tuple[bool, bool]:
    """Say whether a text, in one line or wrapped, introduces a quote, and whether one need not be seen beneath it."""
    first, wrapped, _ = text.partition("\n")
    has_figures = bool(_FIGURES.search(text))
    if wrapped and not (_FIGURES.search(first) or "@" in first):
        return False, False
    if _tells_all(text):
        return True, True
    if has_figures and any(intro.match(text) for intro in KNOWN_INTRODUCTIONS):
        return True, bool(_TIME.search(text) or _ADDRESS.search(text))
    begins_so = has_figures and "@" in text and bool(_BEGINS_WITH_DATE.match(text))
    return begins_so or bool(_ADDRESS.search(text) and (WROTE.search(text) or _QUOTING.match(text))), False


def _tells_all(text: str) -> bool:
    """Whether a text says who wrote and when, in figures that no sentence has by chance."""
    date, time, address = _DATE.search(text), _TIME.search(text), _ADDRESS.search(text)
    if not (date and (time or address)) and not (time and address):
        return False
    return bool(date and time and address) or bool(WROTE.search(text))
