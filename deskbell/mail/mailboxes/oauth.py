"""Access tokens for mailboxes that log in by OAuth 2: the refresh token grant (RFC 6749, section 6)."""

import json
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from deskbell.kernel.errors import UnavailableError
from deskbell.kernel.text import one_line

_PATIENCE: Final = 30
"""Seconds to wait for the server of tokens."""
_EARLY: Final = 60
"""So many seconds before its end a token is taken for ended."""
_UNSAID: Final = 300
"""Seconds that a token holds of which nobody said how long."""
_LONGEST_ANSWER: Final = 1024 * 1024
_LONGEST_WORDS: Final = 300


class TokenError(UnavailableError):
    """The server of tokens gave none."""

    code = "token"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is asked for with. Without `secret` the client is a public one; `scope` may be empty."""

    token_url: str
    client_id: str
    secret: str = field(repr=False)
    refresh: str = field(repr=False)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """`access` is good until `ends_at`, in seconds of the monotonic clock. `refresh` is what asks for the next one."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    ends_at: float


class Tokens:
    """Tokens that are good still, of one process. Of those who want the same one at a time one asks, the rest wait."""

    def __init__(self) -> None:
        """None yet."""
        self._held: dict[tuple[str, str, str], Token] = {}
        self._locks: defaultdict[tuple[str, str, str], threading.Lock] = defaultdict(threading.Lock)

    def get(self, grant: Grant) -> Token:
        """Return a token, asking for one where there is none. Waits for a server. Raises TokenError."""
        key = (grant.token_url, grant.client_id, grant.refresh)
        with self._locks[key]:
            held = self._held.get(key)
            if held is None or held.ends_at <= time.monotonic():
                held = self._held[key] = ask(grant)
                self._held[key[0], key[1], held.refresh] = held  # it was given a new way to ask, and is known by that
            return held

    def forget(self, grant: Grant) -> None:
        """Ask anew the next time: a server refused the token."""
        self._held.pop((grant.token_url, grant.client_id, grant.refresh), None)


TOKENS: Final = Tokens()
"""Those of this process."""


def ask(grant: Grant) -> Token:
    """Ask for a token. Waits for a server. Raises TokenError with its words.

    The client says who it is in the request's body, which Google and Microsoft both want.
    """
    _check(grant.token_url)
    values = {
        "grant_type": "refresh_token",
        "client_id": grant.client_id,
        "client_secret": grant.secret,
        "refresh_token": grant.refresh,
        "scope": grant.scope,
    }
    body = urlencode({name: value for name, value in values.items() if value}).encode()
    asked_at = time.monotonic()
    answer = _answer(Request(grant.token_url, body, {"Accept": "application/json"}))  # noqa: S310 - checked above
    access = answer.get("access_token")
    if not isinstance(access, str) or not access:
        raise TokenError(f"{_host(grant.token_url)} gave no access token: {_words(answer)}")
    lifetime = _seconds(answer.get("expires_in"))
    return Token(access, str(answer.get("refresh_token") or grant.refresh), asked_at + max(lifetime - _EARLY, 1))


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise TokenError(f"Tokens are fetched over https:// alone, and {url or 'no address'} was given.")


def _answer(request: Request) -> dict[str, Any]:
    """Return what a server of tokens says, its refusals too."""
    try:
        with urlopen(request, timeout=_PATIENCE) as response:  # noqa: S310 - https, or this machine
            text = response.read(_LONGEST_ANSWER)
    except HTTPError as error:
        text = error.read(_LONGEST_ANSWER)
        error.close()
    except (OSError, ValueError) as error:
        raise TokenError(f"{_host(request.full_url)} cannot be asked for a token: {error}") from error
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise TokenError(f"{_host(request.full_url)} does not speak OAuth 2: {one_line(repr(text), _LONGEST_WORDS)}")
    return answer


def _words(answer: dict[str, Any]) -> str:
    """Return the server's own words (RFC 6749, 5.2)."""
    said = (str(answer[name]) for name in ("error", "error_description") if answer.get(name))
    return one_line(": ".join(said), _LONGEST_WORDS) or "it said nothing"


def _seconds(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return _UNSAID


def _host(url: str) -> str:
    return urlsplit(url).hostname or url
