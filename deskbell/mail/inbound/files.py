"""Messages in files: single ones, folders of them, mbox and Maildir. One at a time, always in the same order."""

import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from deskbell.kernel.text import clean

_READ_TO_RECOGNISE: Final = 4_096  # bytes
_ENVELOPE: Final = re.compile(rb"From \S.*\d:\d\d.*\b\d{4}\b")  # RFC 4155, appendix A: sender, date with time, year
_FIELD: Final = re.compile(rb"[!-9;-~]+[ \t]*:")
_TELLING: Final = re.compile(
    rb"(?im)^(?:From|To|Subject|Date|Message-ID|Received|Return-Path|Delivered-To|MIME-Version):"
)


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """One message, untouched. `source` says where it was: the file, in an mbox with `:` and its number from 1."""

    source: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that holds no message or could not be read, and why, as the end of a sentence."""

    source: str
    reason: str


Found: TypeAlias = FoundMessage | Skipped


def read_messages(paths: Iterable[Path | str]) -> Iterator[Found]:
    """Yield every message in the files and folders, and what was passed over. Never raises for what it finds there.

    Folders are read with everything below them, by name. An mbox is recognised by its first line, a Maildir by its
    folders; a file called `.eml` is always a message, another one if it begins with header fields.
    """
    folders: set[tuple[int, int]] = set()
    for path in paths:
        yield from _read(Path(path), folders)


def _read(path: Path, folders: set[tuple[int, int]]) -> Iterator[Found]:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            if (status.st_dev, status.st_ino) in folders:  # a link back to where we are, or the same folder twice
                yield _skipped(path, "was read already under another name")
                return
            folders.add((status.st_dev, status.st_ino))
            yield from _read_folder(path, folders)
        elif stat.S_ISREG(status.st_mode):
            yield from _read_file(path, is_message=path.suffix.lower() == ".eml")
        else:
            yield _skipped(path, "is neither a file nor a folder")
    except FileNotFoundError:
        yield _skipped(path, "does not exist")
    except (OSError, ValueError) as error:
        yield _skipped(path, f"could not be read: {getattr(error, 'strerror', None) or error}")


def _read_folder(path: Path, folders: set[tuple[int, int]]) -> Iterator[Found]:
    names = _names_in(path)
    is_maildir = {"cur", "new", "tmp"} <= set(names)
    for name in names:
        if not is_maildir or name not in {"cur", "new", "tmp"}:
            yield from _read(path / name, folders)
        elif name != "tmp":  # there are only messages still being delivered
            yield from _read_maildir(path / name)


def _names_in(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def _read_maildir(path: Path) -> Iterator[Found]:
    for name in _names_in(path):
        try:
            yield from _read_file(path / name, is_message=True)
        except OSError as error:
            yield _skipped(path / name, f"could not be read: {error.strerror}")


def _read_file(path: Path, *, is_message: bool) -> Iterator[Found]:
    with path.open("rb") as file:
        head = file.read(_READ_TO_RECOGNISE)
        file.seek(0)
        if _ENVELOPE.match(head.partition(b"\n")[0].rstrip(b"\r")):
            yield from _read_mbox(path, file)
        elif is_message or _looks_like_message(head):
            yield FoundMessage(_named(path), file.read())
        else:
            yield _skipped(path, "does not look like a message: it does not begin with header fields")


def _looks_like_message(head: bytes) -> bool:
    return bool(_FIELD.match(head) and _TELLING.search(head.replace(b"\r\n", b"\n").partition(b"\n\n")[0]))


def _read_mbox(path: Path, file: BinaryIO) -> Iterator[FoundMessage]:
    """Yield the messages between the envelope lines: dated lines that follow an empty one.

    The standard library's `mailbox` reads the whole file first and takes any line that begins with "From ".
    """
    lines: list[bytes] = []
    number = 0
    after_blank = True
    for line in file:
        if after_blank and line.startswith(b"From ") and _ENVELOPE.match(line.rstrip(b"\r\n")):
            if number:
                yield FoundMessage(f"{_named(path)}:{number}", _without_last_blank(lines))
            number += 1
            lines = []
        else:
            lines.append(line)
        after_blank = not line.strip(b"\r\n")
    yield FoundMessage(f"{_named(path)}:{number}", _without_last_blank(lines))


def _without_last_blank(lines: list[bytes]) -> bytes:
    """The blank line before an envelope line belongs to the envelope."""
    return b"".join(lines[:-1] if lines and not lines[-1].strip(b"\r\n") else lines)


def _skipped(path: Path, reason: str) -> Skipped:
    return Skipped(_named(path), reason)


def _named(path: Path) -> str:
    return clean(str(path))
