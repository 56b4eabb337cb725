"""The format of an encrypted file: frames that are authenticated one by one, under a key of its own that lies in front.

    0     header, twice (at 0 and at 512), of which one at least is valid: `_MAGIC`, name of the wrapping key (8 bytes),
          nonce (12), and encrypted: key of the file (32), nonce prefix (7), SHA-256 of the content (32), tag (16)
    1024  frames of 64 KiB, the last one shorter perhaps, each followed by its tag (16)

AES-256-GCM throughout. Frames are chained by STREAM (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated
Encryption and its Nonce-Reuse Misuse-Resistance", 2015): the nonce is prefix, number of the frame (4), and 1 for the
last or 0. So none can be cut off, added, or put elsewhere. To change the wrapping key, the other header is written,
then the old one is erased: a crash leaves one.
"""

import hmac
import io
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deskbell.kernel.errors import UnavailableError
from deskbell.kernel.keyring import NAME_BYTES, Key, KeyRing, missing

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FRAME: Final = 64 * 1024
_TAG: Final = 16
_MAGIC: Final = b"DESKBLB1"
_SLOTS: Final = (0, 512)
_HEADER: Final = 1024
_NONCE: Final = 12
_PREFIX: Final = 7
_INSIDE: Final = 32 + _PREFIX + 32
_SLOT: Final = len(_MAGIC) + NAME_BYTES + _NONCE + _INSIDE + _TAG
_NAMED: Final = len(_MAGIC) + NAME_BYTES


class DamagedError(UnavailableError):
    """The content of this attachment is damaged on the disk. Restore it from a backup."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a header says once it is decrypted."""

    slot: int
    key_name: str
    file_key: bytes = field(repr=False)
    prefix: bytes = field(repr=False)
    sha256: bytes


def name_of(key: Key, sha256: str) -> str:
    """Return what the file of a content is called: who has no key learns neither what is in it nor what is not."""
    return hmac.digest(key.naming, bytes.fromhex(sha256), "sha256").hex()


class SealedWriter:
    """Encrypts into `file`, from its beginning. It is whole after `finish` only, which needs the content's SHA-256."""

    def __init__(self, file: BinaryIO, key: Key) -> None:
        """`key` wraps the key of the file, which is made here."""
        self._file, self._key = file, key
        self._file_key, self._prefix = secrets.token_bytes(32), secrets.token_bytes(_PREFIX)
        self._cipher = AESGCM(self._file_key)
        self._rest, self._number = bytearray(), 0
        file.write(bytes(_HEADER))

    def write(self, chunk: bytes) -> None:
        """Add to the content. The last full frame waits until it is known whether another one follows."""
        self._rest += chunk
        start = 0
        with memoryview(self._rest) as rest:
            while len(rest) - start > FRAME:
                self._frame(rest[start : start + FRAME], last=False)
                start += FRAME
        del self._rest[:start]

    def finish(self, sha256: bytes) -> None:
        """Write the last frame, and the header."""
        self._frame(self._rest, last=True)
        self._file.seek(0)
        self._file.write(_slot(self._key, self._file_key, self._prefix, sha256))

    def _frame(self, content: bytearray | memoryview, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._prefix, self._number, last=last), content, None))
        self._number += 1


class SealedReader(io.RawIOBase):
    """The content of an encrypted file; can seek. No byte is given out before its frame has been found genuine."""

    def __init__(self, file: BinaryIO, ring: KeyRing) -> None:
        """Takes `file` over, and decrypts its first frame. Raises UnavailableError: no key, or DamagedError."""
        super().__init__()
        self._file = file
        try:
            opened = open_header(file, ring)
            self.sha256 = opened.sha256.hex()
            self._cipher, self._prefix = AESGCM(opened.file_key), opened.prefix
            self._frames, self._size = _extent(os.fstat(file.fileno()).st_size - _HEADER)
            self._position, self._number, self._frame = 0, -1, b""
            self._load(0)
        except BaseException:
            file.close()
            raise

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where in the content the next byte is."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another byte of the content."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Fill `buffer`, as far as the frame goes."""
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, FRAME)
        self._load(number)
        with memoryview(buffer).cast("B") as target:
            piece = memoryview(self._frame)[start : start + len(target)]
            target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the file as well."""
        self._file.close()
        super().close()

    def _load(self, number: int) -> None:
        if number == self._number:
            return
        self._file.seek(_HEADER + number * (FRAME + _TAG))
        sealed = self._file.read(FRAME + _TAG)
        nonce = _nonce(self._prefix, number, last=number == self._frames - 1)
        try:
            self._frame = self._cipher.decrypt(nonce, sealed, None)
        except (InvalidTag, ValueError):
            raise DamagedError from None
        self._number = number


def _extent(body: int) -> tuple[int, int]:
    """Return how many frames there are and how much is in them.

    Only a single frame may be empty: of more, the last one must be read on the way to the end, which it proves.
    """
    frames = max(1, -(-body // (FRAME + _TAG)))
    last = body - (frames - 1) * (FRAME + _TAG) - _TAG
    if last < (frames > 1):
        raise DamagedError
    return frames, (frames - 1) * FRAME + last


def open_header(file: BinaryIO, ring: KeyRing) -> Opened:
    """Decrypt the header. Raises UnavailableError when its key is not at hand, DamagedError when it is none."""
    unknown: list[str] = []
    for _ in range(2):  # once more, as the slots may have changed places between two reads
        header = os.pread(file.fileno(), _HEADER, 0)  # past the buffer of `file`, which may be older
        unknown = []
        for slot in _SLOTS:
            content = header[slot : slot + _SLOT]
            name = content[len(_MAGIC) : _NAMED].hex()
            if not content.startswith(_MAGIC):
                continue
            if name not in ring:
                unknown.append(name)
            elif (opened := _unwrapped(slot, content, ring.named(name))) is not None:
                return opened
    raise missing(unknown) if unknown else DamagedError()


def rewrap(file: BinaryIO, ring: KeyRing) -> bool:
    """Put the newest key in front of an open file instead of an older one, and sync it. Return whether that was needed.

    The caller holds a lock on the file. Raises what `open_header` raises.
    """
    opened = open_header(file, ring)
    other = next(slot for slot in _SLOTS if slot != opened.slot)
    if opened.key_name != ring.newest.name:
        _overwrite(file, other, _slot(ring.newest, opened.file_key, opened.prefix, opened.sha256))
        _overwrite(file, opened.slot, bytes(_SLOT))
        return True
    if os.pread(file.fileno(), _SLOT, other).strip(b"\0"):  # a crash came before the old one was erased
        _overwrite(file, other, bytes(_SLOT))
        return True
    return False


def _overwrite(file: BinaryIO, slot: int, content: bytes) -> None:
    os.pwrite(file.fileno(), content, slot)
    os.fsync(file.fileno())


def _slot(key: Key, file_key: bytes, prefix: bytes, sha256: bytes) -> bytes:
    front, nonce = _MAGIC + bytes.fromhex(key.name), secrets.token_bytes(_NONCE)
    return front + nonce + AESGCM(key.wrapping).encrypt(nonce, file_key + prefix + sha256, front)


def _unwrapped(slot: int, content: bytes, key: Key) -> Opened | None:
    nonce, sealed = content[_NAMED : _NAMED + _NONCE], content[_NAMED + _NONCE :]
    try:
        inside = AESGCM(key.wrapping).decrypt(nonce, sealed, content[:_NAMED])
    except (InvalidTag, ValueError):
        return None
    return Opened(slot, key.name, inside[:32], inside[32 : 32 + _PREFIX], inside[32 + _PREFIX :])


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
