"""Messages damaged in every way that a wire, a gateway or a bad mind damages them, and what is asked of reading them.

Each message follows from a seed and its number, so one that went wrong can be made again: `mutated(samples, seed, n)`.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from time import process_time
from typing import Final

from deskbell.mail.parsing import ParsedMail, ReportedRecipient, parse

OWN_SAMPLES: Final = Path(__file__).parents[1] / "tests" / "mail" / "samples"
REAL_SAMPLES: Final = Path(__file__).parents[2] / "shared" / "data" / "mail"
_MOST_CHANGES: Final = 6
_CHUNK: Final = 500
_LONGEST: Final = 200_000  # bytes: a message that doubles itself again and again is cut here
_CHARSETS: Final = (b"utf-8", b"utf-16", b"utf-7", b"iso-2022-jp", b"gb18030", b"x-unknown", b"idna", b"base64", b"hz")
_ENCODINGS: Final = (b"base64", b"quoted-printable", b"8bit", b"x-uuencode", b"binary", b"nonsense")
_TYPES: Final = (
    *(b"text/plain", b"text/html", b"text/calendar", b"multipart/mixed; boundary=x", b"multipart/alternative"),
    *(b"message/rfc822", b"message/delivery-status", b"application/ms-tnef", b"application/pkcs7-mime", b"/", b"text"),
)
_PIECES: Final = (
    *(b"\0", b"\r", b"\n", b"\n\n", b"--", b"=", b"=?", b"?=", b'"', b"<", b">", b"(", b";", b"\xff\xfe", b"\x80" * 40),
    *(b"--x\n", b"begin 644 a\n", b"<!--", b"<div>" * 300, b"<blockquote>", b"</td>", b"&#x110000;", b"data:", b"cid:"),
    *(b"> " * 50, b"On 1.2.2027 a wrote:\n", b"From: x\nSent: 1\nTo: y\nSubject: z\n", b"-- \n", b"_" * 40 + b"\n"),
    *(b"=" * 500, b" " * 5_000, b"\xf0\x9f\x98\x80" * 50, b"\xed\xa0\x80", b"\x1b$B", b"+AAA-", b"\x30\x80" * 30),
)

Chance = random.Random
Mutation = Callable[[Chance, bytes, Sequence[bytes]], bytes]


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What came of reading many damaged messages: processor time in seconds, and what went wrong with which."""

    count: int
    slowest: float
    slowest_number: int
    total: float
    faults: tuple[str, ...]


def samples(*folders: Path) -> list[bytes]:
    """Return the messages below `folders`; bodies alone become messages, as text or as HTML."""
    paths = sorted(chain.from_iterable(folder.rglob("*.*") for folder in folders))
    return [_as_message(path) for path in paths if path.suffix in {".eml", ".html", ".txt"}]


def _as_message(path: Path) -> bytes:
    heads = {".html": b"Content-Type: text/html; charset=utf-8\n\n", ".txt": b"Content-Type: text/plain\n\n"}
    return heads.get(path.suffix, b"") + path.read_bytes()


def fuzz(messages: Sequence[bytes], count: int, seed: int, *, processes: int = 1) -> Fuzzed:
    """Read `count` damaged messages."""
    chunks = [range(begin, min(begin + _CHUNK, count)) for begin in range(0, count, _CHUNK)]
    read = partial(_read_chunk, messages, seed)
    if processes == 1:
        return _merged(map(read, chunks))
    with ProcessPoolExecutor(processes) as pool:
        return _merged(pool.map(read, chunks))


def _read_chunk(messages: Sequence[bytes], seed: int, numbers: range) -> Fuzzed:
    faults, slowest, total = list[str](), (0.0, -1), 0.0
    for number in numbers:
        raw = mutated(messages, seed, number)
        begun = process_time()
        wrong = _fault(raw)
        took = process_time() - begun
        total += took
        slowest = max(slowest, (took, number))
        faults += [f"message {number} of seed {seed}: {wrong}"] if wrong else []
    return Fuzzed(len(numbers), *slowest, total, tuple(faults))


def _merged(parts: Iterator[Fuzzed]) -> Fuzzed:
    done = list(parts)
    slowest = max(done, key=lambda part: part.slowest)
    faults = tuple(chain.from_iterable(part.faults for part in done))
    count, total = sum(part.count for part in done), sum(part.total for part in done)
    return Fuzzed(count, slowest.slowest, slowest.slowest_number, total, faults)


def _fault(raw: bytes) -> str:
    try:
        return complaint(parse(raw))
    except Exception as error:  # noqa: BLE001 - that nothing is raised is what is measured
        return repr(error)


def complaint(mail: ParsedMail) -> str:
    """Say what is wrong with a message as it was read, nothing if nothing is.

    Every string is one that PostgreSQL takes, every file has a safe name, no word of the text is lost, and what is
    shown loads nothing from outside.
    """
    people = [*mail.to, *mail.cc, *mail.reply_to, *filter(None, [mail.sender])]
    strings = [mail.text, mail.new_text, mail.folded_text, mail.subject, mail.html or "", mail.message_id or ""]
    strings += [mail.in_reply_to or "", mail.automatic_reason, mail.new_html or "", mail.html_with_images or ""]
    strings += [*mail.references, *mail.defects, *mail.recipients_seen]
    strings += [part for each in people for part in (each.name, each.email)]
    strings += [part for each in mail.attachments for part in (each.file_name, each.media_type, each.content_id or "")]
    strings += [part for each in _reported(mail) for part in (each.address, each.status, each.diagnostic)]
    checks = {
        "a string is not fit for PostgreSQL": any("\0" in each or _LONE.search(each) for each in strings),
        "a file has no safe name": any(not each.file_name or "/" in each.file_name for each in mail.attachments),
        "its date has no time zone": mail.date is not None and mail.date.tzinfo is None,
        "a word of its text is lost": sorted(f"{mail.new_text}\n{mail.folded_text}".split())
        != sorted(mail.text.split()),
        "its HTML loads or runs something": any(map(_is_active, (mail.html, mail.new_html))),
        "its bounce has no report": (mail.kind == "bounce") != (mail.delivery_report is not None),
    }
    return "; ".join(name for name, is_wrong in checks.items() if is_wrong)


_LONE: Final = re.compile("[\ud800-\udfff]")
_TAG: Final = re.compile(r"<(/?\w+)([^>]*)>")
_ATTRIBUTE: Final = re.compile(r"([\w-]+)=\"([^\"]*)\"")
_ACTIVE_TAGS: Final = {"script", "iframe", "svg", "style", "form", "object", "embed", "link", "meta", "base"}


def _is_active(html: str | None) -> bool:
    return any(
        name.lower() in _ACTIVE_TAGS or any(_loads(*each) for each in _ATTRIBUTE.findall(attributes))
        for name, attributes in _TAG.findall(html or "")
    )


def _loads(name: str, value: str) -> bool:
    is_remote = name == "src" and not value.startswith("cid:")
    return is_remote or name.startswith("on") or "url(" in value * (name == "style") or value.startswith("javascript:")


def _reported(mail: ParsedMail) -> Sequence[ReportedRecipient]:
    return mail.delivery_report.recipients if mail.delivery_report else ()


# --- damage


def mutated(messages: Sequence[bytes], seed: int, number: int) -> bytes:
    """Return the damaged message with this number."""
    chance = random.Random(f"{seed}-{number}")
    raw = chance.choice(messages)
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        raw = chance.choice(_MUTATIONS)(chance, raw, messages)[:_LONGEST]
    return raw


def _flipped(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    damaged = bytearray(raw)
    for _count in range(chance.randint(1, 20)):
        if damaged:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def _truncated(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    return raw[: chance.randint(0, len(raw))]


def _cut_out(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    begin = chance.randint(0, len(raw))
    return raw[:begin] + raw[begin + chance.randint(0, 200) :]


def _inserted(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(raw))
    return raw[:at] + chance.choice(_PIECES) * chance.choice((1, 1, 1, 20)) + raw[at:]


def _line_damaged(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Drop, double or move lines."""
    lines = raw.splitlines(keepends=True) or [b""]
    at, to, count = chance.randrange(len(lines)), chance.randrange(len(lines)), chance.randint(1, 5)
    taken = lines[at : at + count]
    kept = lines if chance.random() < 0.5 else lines[:at] + lines[at + count :]  # noqa: PLR2004 - heads or tails
    return b"".join(kept[:to] + taken * chance.choice((0, 1, 2, 50)) + kept[to:])


def _headers_shuffled(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    head, blank, body = raw.partition(b"\n\n")
    lines = head.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines) + blank + body


def _header_huge(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    name = chance.choice(
        (b"Subject", b"To", b"References", b"Content-Type", b"Content-Disposition", b"X-" + b"y" * 999)
    )
    word = chance.choice((b"=?utf-8?q?a?= ", b"<a@b> ", b"a@b, ", b'x="', b"(", b"\\", b"*0*=%", b"\xe4"))
    return name + b": " + word * chance.choice((10, 1_000, 8_000)) + b"\n" + raw


def _boundary_damaged(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    found = re.search(rb"boundary=\"?([^\"\s;]{1,70})", raw)
    if not found:
        return _nested(chance, raw, ())
    other = chance.choice((b"", b"x", found[1] + b"-", found[1][:-1], b"--"))
    return raw.replace(found[1], other, chance.choice((1, 2, -1)))


def _nested(chance: Chance, raw: bytes, messages: Sequence[bytes]) -> bytes:
    """Make the message a part of another, or one of several."""
    kind = chance.choice((b"multipart/mixed", b"multipart/alternative", b"multipart/related", b"multipart/report"))
    beside = chance.choice(messages) if messages else raw
    parts = chance.sample([raw, beside, b"Content-Type: message/rfc822\n\n" + beside], chance.randint(1, 3))
    body = b"".join(b"\n--n%d\n" % len(raw) + part for part in parts)
    return b"Content-Type: " + kind + b"; boundary=n%d\n\n" % len(raw) + body + b"\n--n%d--\n" % len(raw)


def _relabelled(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    """Claim another character set, transfer encoding or type."""
    pattern, words = chance.choice(
        (
            (rb"(?i)(charset=\"?)[\w-]+", _CHARSETS),
            (rb"(?i)(Content-Transfer-Encoding:\s*)[\w-]+", _ENCODINGS),
            (rb"(?i)(Content-Type:\s*)[\w/.-]+", _TYPES),
        )
    )
    word = chance.choice(words)
    return re.sub(pattern, lambda found: found[1] + word, raw, count=chance.choice((0, 1)))


def _spliced(chance: Chance, raw: bytes, messages: Sequence[bytes]) -> bytes:
    other = chance.choice(messages)
    return raw[: chance.randint(0, len(raw))] + other[chance.randint(0, len(other)) :]


def _line_ends_changed(chance: Chance, raw: bytes, _: Sequence[bytes]) -> bytes:
    return raw.replace(b"\n", chance.choice((b"\r\n", b"\r", b"\n\r", b"\n\n", b"\r\r\n")))


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    *(_flipped, _truncated, _cut_out, _inserted, _line_damaged, _headers_shuffled, _header_huge),
    *(_boundary_damaged, _nested, _relabelled, _spliced, _line_ends_changed),
)
