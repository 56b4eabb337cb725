"""Where in the folder of attachments what lies: names, and nothing of what is in the files."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from deskbell.kernel.disk import sync_folder
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.keyring import Key
from deskbell.kernel.sealing import name_of

_KEY: Final = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{60}")
_SEALED: Final = "sealed"
_KEYS: Final = "keys"


def path_of(digest: str) -> str:
    """Return `ab/cd/abcd…` for a digest: as a folder with a million files is slow."""
    return f"{digest[:2]}/{digest[2:4]}/{digest}"


def checked(key: str) -> str:
    """Return `key`, or raise InvalidError: nothing else is ever made a path of."""
    if not _KEY.fullmatch(key):
        raise InvalidError("This is not the key of an attachment.", field="key")
    return key


class Places:
    """The names in one folder."""

    def __init__(self, root: Path, keys: Sequence[Key], *, sealed_first: bool) -> None:
        """`keys` are those at hand, newest first. `sealed_first` says which of two copies is read."""
        self.incoming = root / "incoming"
        self._root, self._known, self._sealed_first = root, keys, sealed_first

    def one(self, key: str, with_key: Key | None) -> Path:
        """Return where `key` lies in plain, or encrypted with a key."""
        if with_key is None:
            return self._root / key
        return self._root / _SEALED / path_of(name_of(with_key, key.rpartition("/")[2]))

    def of(self, key: str) -> list[Path]:
        """Return all places where `key` may lie, the likeliest first."""
        sealed = [self.one(key, with_key) for with_key in self._known]
        plain = self.one(key, None)
        return [*sealed, plain] if self._sealed_first else [plain, *sealed]

    def twice(self, key: str) -> Iterator[Path]:
        """Yield these places, and once more: a file may have been moved from a later to an earlier one meanwhile."""
        yield from self.of(key)
        yield from self.of(key)

    def is_sealed(self, path: Path) -> bool:
        """Whether what lies there is encrypted."""
        return path.is_relative_to(self._root / _SEALED)

    def shelf(self, number: int) -> Iterator[Path]:
        """Yield the files whose names begin with the two hexadecimal digits of `number`."""
        for folder in (self._root, self._root / _SEALED):
            for path in (folder / f"{number:02x}").glob("*/*"):
                if _KEY.fullmatch(str(path.relative_to(folder))):
                    yield path

    def keys(self) -> set[str]:
        """Return the names of the keys that something was encrypted with."""
        return {path.name for path in (self._root / _KEYS).glob("*")}

    def unknown_keys(self) -> list[str]:
        """Return those that are not at hand."""
        return sorted(self.keys() - {key.name for key in self._known})

    def note_key(self, name: str) -> None:
        """Write down that something is encrypted with a key: without it, what it names could not even be missed."""
        path = self._root / _KEYS / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            sync_folder(path.parent)
            sync_folder(self._root)

    def forget_key(self, name: str) -> None:
        """Take that back."""
        (self._root / _KEYS / name).unlink(missing_ok=True)
