"""A folder of this machine as the storage of attachments: each content once, in plain or encrypted.

ab/cd/<SHA-256>        in plain, named by its content
sealed/ab/cd/<HMAC>    encrypted (see `kernel.sealing`), named so that only who has the key can tell what it is
keys/<name>            empty: which keys something was encrypted with
incoming/              what is being written, and what a crash left of that
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from deskbell.kernel.disk import clear_errors, locked, sync_folder
from deskbell.kernel.errors import NotFoundError, TooLargeError, UnavailableError
from deskbell.kernel.keyring import Key, KeyRing, missing
from deskbell.kernel.places import Places, checked, path_of
from deskbell.kernel.sealing import FRAME, DamagedError, SealedReader, SealedWriter, open_header, rewrap
from deskbell.kernel.storage import Piece, StoredBlob
from deskbell.kernel.text import human_bytes

NO_KEYS: Final = KeyRing(())
_CHUNK: Final = 256 * 1024
_HEAD: Final = 4096


class LocalStorage:
    """A folder, readable to the owner alone. Whatever it finds encrypted it reads, whether it encrypts itself or not.

    A file gets its name only when all of it is on the disk, so that a crash leaves nothing but files in `incoming/`.
    """

    def __init__(self, root: Path, ring: KeyRing = NO_KEYS, *, seal: bool = False) -> None:
        """`root` is made when something is first put there. With `seal`, the newest key of `ring` encrypts it."""
        self._root = root
        self._ring = ring
        self._key = ring.newest if seal else None
        self._places = Places(root, list(ring), sealed_first=seal)

    @property
    def seals(self) -> bool:
        """Whether what is put here is encrypted."""
        return self._key is not None

    def put(self, stream: Iterable[bytes] | BinaryIO, *, max_bytes: int) -> StoredBlob:
        """Keep all of `stream`, reading it in pieces. See `Storage.put`."""
        return self._keep(stream, self._key, max_bytes=max_bytes)

    def open(self, key: str) -> BinaryIO:
        """Open the file for `key`. See `Storage.open`."""
        checked(key)
        with clear_errors():
            for path in self._places.twice(key):
                with suppress(FileNotFoundError):
                    file = path.open("rb")
                    return self._unsealed(file, key) if self._places.is_sealed(path) else file
            if unknown := self._places.unknown_keys():
                raise missing(unknown)
        raise NotFoundError(
            "The content of this attachment is no longer in the storage. Restore it from a backup.", key=key
        )

    def exists(self, key: str) -> bool:
        """Tell whether there is a file for `key`."""
        checked(key)
        with clear_errors():
            return any(path.is_file() for path in self._places.twice(key))

    def delete(self, key: str) -> None:
        """Remove the files for `key`, if there are any. See `Storage.delete`."""
        checked(key)
        with clear_errors():
            for path in self._places.of(key):
                path.unlink(missing_ok=True)

    def sweep(self, older_than: datetime) -> int:
        """Remove what crashes left behind and nobody has written to since `older_than`; return how many files."""
        removed = 0
        with clear_errors():
            for path in self._places.incoming.glob("*"):
                try:
                    if path.stat().st_mtime < older_than.timestamp():
                        path.unlink()
                        removed += 1
                except FileNotFoundError:  # it was finished, or another sweep was faster
                    continue
        return removed

    def shelf(self, number: int) -> Iterator[Piece]:
        """Go through one shelf: the names that begin with these two hexadecimal digits. See `Storage.shelf`."""
        with clear_errors():
            for path in self._places.shelf(number):
                with suppress(FileNotFoundError):
                    yield self._piece(path)

    def discard(self, piece: Piece, older_than: datetime) -> bool:
        """Remove a piece that nobody has put again. See `Storage.discard`."""
        path = self._root / piece.path
        with clear_errors(), suppress(FileNotFoundError), locked(self._root, exclusive=True):
            if path.stat().st_mtime < older_than.timestamp():
                path.unlink()
                return True
        return False

    def settle(self, piece: Piece, *, sealed: bool) -> bool:
        """Encrypt a piece with the newest key, or decrypt it. See `Storage.settle`."""
        path, key = self._root / piece.path, self._ring.newest if sealed else None
        with clear_errors(), suppress(FileNotFoundError), path.open("r+b" if piece.sealed else "rb") as file:
            if sealed and piece.sealed:
                return self._rewrapped(path, file)
            if sealed == piece.sealed:
                return False
            source = self._unsealed(file, piece.key) if piece.sealed else file
            self._keep(source, key, expected=piece.key)
            path.unlink(missing_ok=True)
            return True
        return False

    def keys(self) -> set[str]:
        """Return the names of the keys that something here was encrypted with. See `Storage.keys`."""
        with clear_errors():
            return self._places.keys()

    def forget_key(self, name: str) -> None:
        """Note that nothing here needs this key any more. See `Storage.forget_key`."""
        with clear_errors():
            self._places.forget_key(name)

    def _keep(
        self,
        stream: Iterable[bytes] | BinaryIO,
        key: Key | None,
        *,
        max_bytes: int | None = None,
        expected: str | None = None,
    ) -> StoredBlob:
        incoming = self._places.incoming
        with clear_errors():
            incoming.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=incoming)
        try:
            with _closing(os.fdopen(descriptor, "wb")) as file:
                blob = _copy(stream, file, key, max_bytes)
            if expected not in {None, blob.key}:
                raise DamagedError
            with clear_errors():
                if key is not None:
                    self._places.note_key(key.name)
                self._name(Path(name), self._places.one(blob.key, key))
        finally:
            Path(name).unlink(missing_ok=True)
        return blob

    def _name(self, written: Path, target: Path) -> None:
        """Rename even over an equal file: that mends one that the disk has damaged, and tells `discard` to keep it."""
        fresh = not target.parent.exists()
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._root, exclusive=False):
            written.replace(target)
        sync_folder(target.parent)
        folder = target.parent
        while fresh and folder != self._root:
            folder = folder.parent
            sync_folder(folder)

    def _unsealed(self, file: BinaryIO, key: str) -> BinaryIO:
        reader = SealedReader(file, self._ring)
        if path_of(reader.sha256) != key:  # somebody gave it another file's name
            reader.close()
            raise DamagedError
        return BufferedReader(reader, FRAME)

    def _rewrapped(self, path: Path, file: BinaryIO) -> bool:
        newest = self._ring.newest
        target = self._places.one(path_of(open_header(file, self._ring).sha256.hex()), newest)
        self._places.note_key(newest.name)
        with locked(path, exclusive=True):
            changed = rewrap(file, self._ring)
        if target != path:
            self._name(path, target)
        return changed or target != path

    def _piece(self, path: Path) -> Piece:
        place, modified = str(path.relative_to(self._root)), datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if not self._places.is_sealed(path):
            return Piece(place, place, sealed=False, key_name="", modified=modified)
        try:
            with path.open("rb") as file:
                opened = open_header(file, self._ring)
        except UnavailableError as error:
            names = error.details.get("keys")
            return Piece(place, "", True, names[0] if isinstance(names, list) else "", modified)
        return Piece(place, path_of(opened.sha256.hex()), True, opened.key_name, modified)


def _copy(stream: Iterable[bytes] | BinaryIO, file: BinaryIO, key: Key | None, max_bytes: int | None) -> StoredBlob:
    digest, size, head = hashlib.sha256(), 0, b""
    with clear_errors():
        writer = SealedWriter(file, key) if key else None
    write: Callable[[bytes], object] = writer.write if writer else file.write
    for chunk in _chunks(stream):
        size += len(chunk)
        if max_bytes is not None and size > max_bytes:
            raise TooLargeError(
                f"The attachment is larger than {human_bytes(max_bytes)}. Send a smaller file, or a link to it.",
                field="file",
                max_bytes=max_bytes,
            )
        digest.update(chunk)
        if len(head) < _HEAD:
            head += chunk[: _HEAD - len(head)]
        with clear_errors():
            write(chunk)
    with clear_errors():
        if writer:
            writer.finish(digest.digest())
        file.flush()
        os.fsync(file.fileno())
    return StoredBlob(path_of(digest.hexdigest()), digest.hexdigest(), size, head)


@contextmanager
def _closing(file: BinaryIO) -> Iterator[BinaryIO]:
    try:
        yield file
    finally:
        with suppress(OSError):  # after a full disk, closing would only complain once more; what counts was synced
            file.close()


def _chunks(stream: Iterable[bytes] | BinaryIO) -> Iterator[bytes]:
    read = getattr(stream, "read", None)  # a file iterates by lines, and a line may be as long as the file
    return iter(stream) if read is None else iter(lambda: read(_CHUNK), b"")
