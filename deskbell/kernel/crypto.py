"""The master key, what is derived from it, signatures, and random tokens. Only the standard library's primitives."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path
from typing import Final

from deskbell.kernel.errors import InvalidError, SetupError

KEY_FILE: Final = "secret.key"
_KEY_BYTES: Final = 32
_SALT: Final = b"deskbell"


def load_master_key(data_dir: Path, configured: str | None = None) -> bytes:
    """Return the secret that everything else is derived from: at least 32 bytes.

    That is `configured`, or else the content of `secret.key` in `data_dir`. A missing file is made, readable
    to its owner alone; of several processes that start at once one makes it and all use it. If others may read it, that
    is put right. Raises SetupError when there can be no key.
    """
    if configured:
        return _checked(configured.encode(), "DESKBELL_SECRET_KEY")
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        return _checked(_decode(_read_private(path)), str(path))
    except OSError as error:
        raise SetupError(
            f"The key file {path} cannot be used: {error.strerror}. Make it readable and writable for this user."
        ) from error


def _make(path: Path) -> None:
    """Write the whole file aside, then give it its name with link(2), which one process alone can do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_encode(secrets.token_bytes(_KEY_BYTES)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(aside)
    except FileExistsError:
        pass  # another process was faster
    finally:
        aside.unlink(missing_ok=True)


def _read_private(path: Path) -> str:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        path.chmod(0o600)
    return path.read_text("ascii", errors="replace").strip()


def _checked(key: bytes, source: str) -> bytes:
    if len(key) < _KEY_BYTES:
        what = (
            f"{source} holds no key of {_KEY_BYTES} bytes or more. Restore it from a backup, or put a new one there "
            '(python -c "import secrets; print(secrets.token_urlsafe(32))"): everybody must then log in again.'
        )
        raise SetupError(what)
    return key


def hkdf(key: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 of RFC 5869: `length` (≤ 8160) bytes from `key`, other ones for each `salt` and `info`."""
    pseudorandom = hmac.digest(salt or bytes(32), key, "sha256")
    block, output = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.digest(pseudorandom, block + info + bytes([counter]), "sha256")
        output += block
    return output[:length]


def derive(key: bytes, purpose: str) -> str:
    """Return the secret for one `purpose`, always the same: 43 characters, safe in a URL, a cookie, a password."""
    return _encode(hkdf(key, salt=_SALT, info=purpose.encode(), length=32))


def sign(key: bytes, purpose: str, payload: bytes) -> str:
    """Return `payload`, readable by everybody, with a signature that holds for this `purpose` only. Safe in a URL."""
    return f"{_encode(payload)}.{_encode(hmac.digest(_signing_key(key, purpose), payload, 'sha256'))}"


@lru_cache(maxsize=16)
def _signing_key(key: bytes, purpose: str) -> bytes:
    """Of few purposes: they are the program's own."""
    return hkdf(key, salt=_SALT, info=b"sign\0" + purpose.encode(), length=32)


def unsign(key: bytes, purpose: str, signed: str) -> bytes:
    """Return what was signed with this `key` for this `purpose`. Raises InvalidError; tells nothing by its timing."""
    payload = _decode(signed.partition(".")[0])
    # Signing again and comparing the whole text also refuses the other spellings that base64 has for the same bytes.
    if not hmac.compare_digest(sign(key, purpose, payload).encode(), signed.encode(errors="replace")):
        raise InvalidError("The signature does not fit: this was altered, cut short, or not made by this server.")
    return payload


def new_token(prefix: str) -> str:
    """Make an unguessable token of 256 random bits, `dbt_…` for the prefix `dbt`. Keep only its hash."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def hash_token(token: str) -> bytes:
    """SHA-256 of `token`: 32 bytes. Tokens are random, so that neither salt nor slowness adds anything."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Bytes of URL-safe base64 without padding; nothing at all when it is not that."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
