"""Files that hold more than a file: what Outlook packs into winmail.dat, invitations, signed and encrypted messages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from deskbell.mail.parsing import invitations, secured, tnef
from deskbell.mail.parsing.leaves import named_file
from deskbell.mail.parsing.model import ParsedAttachment


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was found in a file.

    `plain` and `html` (not sanitised) say what it is about, for a message that has no other text; `notice` is to be
    read in any case. `message` is a whole MIME entity. A file is to be kept unless it was unpacked to its last byte.
    """

    keep: bool = True
    files: Sequence[ParsedAttachment] = ()
    plain: str = ""
    html: bytes = b""
    notice: str = ""
    message: bytes = b""
    defect: str | None = None


def may_hold_more(file: ParsedAttachment) -> bool:
    """Whether there is something to look into; to do so takes a part of a second."""
    return _is_tnef(file) or file.media_type in _INSIDE


def unpacked(file: ParsedAttachment) -> Unpacked:
    """Look into a file; whatever its bytes, this neither raises nor hangs."""
    if _is_tnef(file):
        return _from_tnef(file)
    look = _INSIDE.get(file.media_type)
    return look(file) if look else Unpacked()


def _is_tnef(file: ParsedAttachment) -> bool:
    return file.file_name.lower() == "winmail.dat" or file.media_type in _TNEF


def _from_tnef(file: ParsedAttachment) -> Unpacked:
    found = tnef.read(file.content)
    files = [_packed(each) for each in found.files]
    if not found.whole:
        return Unpacked(True, files, found.plain, found.html, defect=f"{file.file_name} could not be read to its end")
    is_empty = not (files or found.plain or found.html)
    return Unpacked(is_empty, files, found.plain, found.html)


def _packed(packed: tnef.PackedFile) -> ParsedAttachment:
    file = named_file(packed.name, packed.content)
    media_type = packed.media_type or file.media_type
    return ParsedAttachment(file.file_name, media_type, packed.content, packed.content_id)


def _from_calendar(file: ParsedAttachment) -> Unpacked:
    return Unpacked(plain=invitations.in_words(file.content))


def _from_smime(file: ParsedAttachment) -> Unpacked:
    message = secured.signed_content(file.content)
    if message is not None:
        return Unpacked(message=message)
    return Unpacked(notice=secured.ENCRYPTED.format(kind="S/MIME", name=file.file_name))


def _from_pgp(_: ParsedAttachment) -> Unpacked:
    return Unpacked(notice=secured.ENCRYPTED.format(kind="PGP", name="encrypted.asc"))


_TNEF: Final = {"application/ms-tnef", "application/vnd.ms-tnef"}
_INSIDE: Final[dict[str, Callable[[ParsedAttachment], Unpacked]]] = {
    "text/calendar": _from_calendar,
    "application/ics": _from_calendar,
    "application/pkcs7-mime": _from_smime,
    "application/x-pkcs7-mime": _from_smime,
    "application/pgp-encrypted": _from_pgp,
}
