"""Proof that a request which a cookie identifies was meant by our own pages: a token that other sites cannot read."""

import hmac

from fastapi import Request

from deskbell.kernel.crypto import derive
from deskbell.kernel.errors import ForbiddenError

COOKIE = "deskbell_session"
HEADER = "X-CSRF-Token"
FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class CsrfError(ForbiddenError):
    """The CSRF token is missing or belongs to another session. Load the page again and repeat this."""

    code = "csrf"


def csrf_token_for(key: bytes, session_secret: str) -> str:
    """Return the token of a session: 43 characters, safe in a form field or header, valid as long as the session."""
    return derive(key, f"csrf/1\0{session_secret}")


async def check_csrf(request: Request, key: bytes, session_secret: str) -> None:
    """Raise CsrfError unless an unsafe request has its session's token in `X-CSRF-Token` or the form's `csrf_token`."""
    if request.method in SAFE_METHODS:
        return
    if not same_token(await token_of(request), csrf_token_for(key, session_secret)):
        raise CsrfError


async def token_of(request: Request) -> str:
    """Return the token that came with a request, empty where none did. This waits for the whole form."""
    token = request.headers.get(HEADER, "")
    if not token and request.headers.get("content-type", "").startswith(FORMS):
        token = str((await request.form()).get(FIELD, ""))
    return token


def same_token(given: str, expected: str) -> bool:
    """Compare in constant time. `given` may hold anything: a form's charset can smuggle in what UTF-8 cannot say."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
