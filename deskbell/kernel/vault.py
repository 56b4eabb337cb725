"""Secrets in the database (passwords of mailboxes, OAuth tokens, keys of webhooks): encrypted, bound to their place.

A column of them is `EncryptedText("table.column")` with `info={"audit": "secret"}`. It holds a `Sealed`, which is
opened where the secret is used and nowhere else: neither a row in memory nor a traceback has the plain text.
"""

import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from deskbell.kernel.errors import UnavailableError
from deskbell.kernel.keyring import KeyRing

_VERSION: Final = "v1"
_NONCE: Final = 12


class SecretError(UnavailableError):
    """This secret cannot be read: it was altered. Enter it again."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted secret, as the database has it: `v1.<name of its key>.<base64 of nonce, ciphertext and tag>`."""

    token: str

    @property
    def key_name(self) -> str:
        """Which key it needs."""
        return self.token.partition(".")[2].partition(".")[0]


class EncryptedText(TypeDecorator[Sealed]):
    """A column of secrets. `place` is its own `table.column`, which its values are bound to.

    It takes nothing but `Sealed`, so that no plain text is ever written by mistake.
    """

    impl = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        """`place` must be right: tests compare it with the table."""
        super().__init__()
        self.place = place

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """Write the token."""
        if value is None:
            return None
        if type(value) is not Sealed:
            message = f"{self.place} takes what Vault.seal returns, nothing else"
            raise TypeError(message)
        return value.token

    def process_result_value(self, value: str | None, dialect: Dialect) -> Sealed | None:  # noqa: ARG002 - SQLAlchemy's
        """Read the token; it stays closed."""
        return None if value is None else Sealed(value)


class Vault:
    """Seals and opens secrets with a ring of keys: AES-256-GCM (NIST SP 800-38D), each under a random nonce."""

    def __init__(self, ring: KeyRing) -> None:
        """The newest key of `ring` seals."""
        self.ring = ring

    def seal(self, text: str, place: str, row: int | str) -> Sealed:
        """Encrypt `text` for the column `place` (`table.column`) of the row with the primary key `row`.

        Copied into another row or column it cannot be opened. A row that numbers itself is flushed first, without it.
        """
        key, nonce = self.ring.newest, secrets.token_bytes(_NONCE)
        sealed = nonce + AESGCM(key.secrets).encrypt(nonce, text.encode(), _binding(key.name, place, row))
        return Sealed(_token(_VERSION, key.name, sealed))

    def open(self, sealed: Sealed, place: str, row: int | str) -> str:
        """Return the plain text. Raises MissingKeyError, or SecretError where this was altered or moved."""
        version, name, content = _parts(sealed.token)
        try:
            if version == _VERSION:
                cipher, binding = AESGCM(self.ring.named(name).secrets), _binding(name, place, row)
                return cipher.decrypt(content[:_NONCE], content[_NONCE:], binding).decode()
        except (ValueError, InvalidTag):
            pass
        raise SecretError(f"The secret in {place} of row {row} cannot be read: it was altered. Enter it again.")

    def renewed(self, sealed: Sealed, place: str, row: int | str) -> Sealed:
        """Return the same secret under the newest key."""
        return (
            sealed if sealed.key_name == self.ring.newest.name else self.seal(self.open(sealed, place, row), place, row)
        )


def _token(version: str, name: str, content: bytes) -> str:
    return f"{version}.{name}.{base64.urlsafe_b64encode(content).rstrip(b'=').decode()}"


def _parts(token: str) -> tuple[str, str, bytes]:
    """Return version, name of the key, and content; nothing at all when it is not spelled as `_token` spells it."""
    version, _, rest = token.partition(".")
    name, _, encoded = rest.partition(".")
    try:
        content = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        return "", "", b""
    return (version, name, content) if _token(version, name, content) == token else ("", "", b"")


def _binding(key_name: str, place: str, row: int | str) -> bytes:
    """What is authenticated beside the secret. No part can hold the NUL that parts them."""
    return "\0".join((_VERSION, key_name, place, str(row))).encode()


NO_VAULT: Final = Vault(KeyRing(()))
"""Without a key: it seals nothing and opens nothing."""
