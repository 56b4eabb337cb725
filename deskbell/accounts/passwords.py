"""Password hashing: argon2id (RFC 9106) by pwdlib.

Hashing takes some 50 ms of a core by design: asynchronous hosts call these in a thread, never in the event loop.
"""

from functools import cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from deskbell.kernel.errors import InvalidError

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 1024


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash to store. Raises InvalidError for a password outside of 10 to 1024 characters."""
    if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
        message = f"A password has {MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters."
        raise InvalidError(message, field="password")
    return _hasher().hash(password)


def verify_password(password: str, stored: str | None) -> bool:
    """Compare; takes as long where there is no such person, so that timing does not tell who exists."""
    if len(password) > MAXIMUM_LENGTH:
        return False
    try:
        return _hasher().verify(password, stored or _nobodys_hash()) and bool(stored)
    except UnknownHashError:
        return False
