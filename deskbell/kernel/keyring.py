"""The keys that secrets and attachments are encrypted with. Each has a name, so that they can be replaced."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from deskbell.kernel.crypto import hkdf
from deskbell.kernel.errors import SetupError, UnavailableError

NAME_BYTES: Final = 8
_SHORTEST: Final = 32
_SALT: Final = b"deskbell encryption"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its name (16 hexadecimal digits, no secret) and what is derived from it for each purpose."""

    name: str
    secrets: bytes = field(repr=False)
    """AES-256, for secrets in the database."""
    wrapping: bytes = field(repr=False)
    """AES-256, for the keys of attachments."""
    naming: bytes = field(repr=False)
    """HMAC-SHA256, for the names of files."""

    @classmethod
    def of(cls, material: bytes) -> "Key":
        """Derive everything from what is configured."""

        def part(purpose: str, length: int = 32) -> bytes:
            return hkdf(material, salt=_SALT, info=purpose.encode(), length=length)

        return cls(part("name", NAME_BYTES).hex(), part("secrets"), part("wrapping"), part("naming"))


class KeyRing:
    """The keys at hand, newest first: the newest encrypts, all of them decrypt."""

    def __init__(self, keys: Sequence[Key]) -> None:
        """A key that occurs twice counts once. Without any, nothing is encrypted and nothing decrypted."""
        self._keys = {key.name: key for key in keys}

    @property
    def newest(self) -> Key:
        """The key that encrypts. Raises SetupError where there is none."""
        for key in self._keys.values():
            return key
        raise SetupError("There is no key to encrypt with.")

    @classmethod
    def configured(cls, master: bytes, texts: str = "", *, is_text: bool = True) -> "KeyRing":
        """Make the ring of DESKBELL_ENCRYPTION_KEYS (`texts`, separated by commas); the master key's own comes last.

        A master key that was made rather than configured (`is_text` false) counts as the text that stands in its file:
        either can be moved into the list when another one takes its place. Raises SetupError for a short key.
        """
        keys = [text for part in texts.split(",") if (text := part.strip())]
        for position, text in enumerate(keys, 1):
            if len(text.encode()) < _SHORTEST:
                raise SetupError(
                    f"Key {position} of DESKBELL_ENCRYPTION_KEYS has less than {_SHORTEST} characters. Make one with "
                    'python -c "import secrets; print(secrets.token_urlsafe(32))".'
                )
        own = master if is_text else base64.urlsafe_b64encode(master).rstrip(b"=")
        return cls([Key.of(material) for material in (*(text.encode() for text in keys), own)])

    def __iter__(self) -> Iterator[Key]:
        """Newest first."""
        return iter(self._keys.values())

    def __contains__(self, name: str) -> bool:
        """Whether the key of that name is at hand."""
        return name in self._keys

    def named(self, name: str) -> Key:
        """Return the key of that name. Raises UnavailableError, with what to do, when it is not at hand."""
        try:
            return self._keys[name]
        except KeyError:
            raise missing([name]) from None


class MissingKeyError(UnavailableError):
    """This is encrypted with a key that is not at hand."""


def missing(names: Sequence[str]) -> MissingKeyError:
    """Say which keys are not at hand."""
    return MissingKeyError(
        f"This is encrypted with a key that is not at hand ({', '.join(names)}). "
        "Put that key back, into DESKBELL_ENCRYPTION_KEYS or as DESKBELL_SECRET_KEY, and start again.",
        keys=list(names),
    )
