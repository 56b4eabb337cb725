"""How often one person may ask, request by request, on one screen: what is dear has a rate of its own.

The limits are in the memory of this process. A person has one allowance in the browser and one for all their tokens, so
that a program of theirs does not stop them, and more tokens are not more requests.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic
from typing import Any, Final

from fastapi import Request
from limits import parse

from deskbell.accounts.login import Identity
from deskbell.kernel.actor import Channel
from deskbell.kernel.crypto import hash_token
from deskbell.kernel.errors import TooManyError, UnauthenticatedError
from deskbell.kernel.settings import UNLIMITED, WebSettings

EXPENSIVE: Final[Mapping[str, str]] = {
    "GET /api/v1/search": "search",
    "GET /api/v1/search/complete": "completion",
    "GET /api/v1/views/{view_id}/tickets": "search",
    "GET /views/{view_id}": "search",
    "GET /tickets/bulk": "search",
    "POST /tickets/bulk": "bulk",
    "GET /workspace/palette": "completion",
    "GET /workspace/counts": "figures",
    "GET /workspace/total": "figures",
    "GET /api/v1/views/counts": "figures",
    "GET /api/v1/statistics": "figures",
    "GET /api/v1/audit": "history",
    "GET /api/v1/access-log": "history",
    "GET /api/v1/reports/flow": "figures",
    "GET /api/v1/reports/flow.csv": "figures",
    "GET /api/v1/reports/times": "figures",
    "GET /api/v1/reports/times.csv": "figures",
    "GET /api/v1/tickets/{number}/history": "history",
    "GET /api/v1/tickets/{number}/as-of": "history",
    "POST /api/v1/tickets/bulk": "bulk",
    "POST /api/v1/tickets/bulk/status": "bulk",
    "POST /api/v1/tickets/bulk/assign": "bulk",
}
"""Which rate a request counts against."""

EXPENSIVE_WITH: Final[Mapping[str, tuple[str, str]]] = {
    "GET /api/v1/tickets": ("q", "search"),
    "GET /tickets": ("q", "search"),
    "GET /api/v1/views": ("counts", "figures"),
}
"""Which parameter makes a request dear, and which rate it then counts against. All others count as requests."""

_USUAL: Final = "request"
_TOO_OFTEN: Final = "This was asked too often: {} is allowed. Wait, then go on more slowly."
_REMEMBERED: Final = 100_000
_ROUNDING: Final = 1e-9
"""What sums of shares may be off."""
_NETWORK_OF_ONE_SITE: Final = 64
"""Bits: whoever has one IPv6 address usually has all of its /64."""


class UnknownSecretError(UnauthenticatedError):
    """This token or session is not known, has expired or was revoked."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is left of an allowance after a request, and in how many seconds it is whole again.

    `wait` is 0, or the seconds after which the request, which was one too many, may come again.
    """

    policy: str
    left: int
    whole_in: int
    wait: int = 0

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """`RateLimit-Policy` and `RateLimit`, as in draft-ietf-httpapi-ratelimit-headers-10."""
        name = self.policy.partition(";")[0]
        said = f"{name};r={self.left};t={self.whole_in}"
        return [(b"ratelimit-policy", self.policy.encode()), (b"ratelimit", said.encode())]


class Limit:
    """So many requests at once, and so many in each period from then on: the generic cell rate algorithm.

    What is remembered of somebody is one number: when their allowance is whole again.
    """

    def __init__(
        self, name: str, rate: str, now: Callable[[], float] = monotonic, *, remembered: int = _REMEMBERED
    ) -> None:
        """`rate` is written like `20/second`; `remembered` is of how many people at most."""
        item, self.rate = parse(rate), rate
        self._period = float(item.get_expiry())
        self._share = self._period / item.amount
        self._policy = f'"{name}";q={item.amount};w={item.get_expiry()}'
        self._whole: dict[Any, float] = {}
        self._now, self._remembered = now, remembered

    def let_in(self, who: object) -> bool:
        """Take one request from the allowance; return whether there was one left."""
        now, before = self._now(), self._whole.get(who, 0.0)
        whole = max(now, before) + self._share
        if whole - now - self._period > _ROUNDING:
            return False
        if len(self._whole) >= self._remembered:
            self._forget(now)
        self._whole[who] = whole
        return True

    def take(self, who: object) -> Taken:
        """Do the same, and say what is left."""
        is_in = self.let_in(who)
        owed = max(0.0, self._whole.get(who, 0.0) - self._now())
        left = int((self._period - owed) / self._share + _ROUNDING)
        return Taken(self._policy, left, ceil(owed), 0 if is_in else max(1, self.wait(who)))

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has taken anything."""
        return not self._whole

    def wait(self, who: object) -> int:
        """Return the seconds to wait for one more, without taking it."""
        return ceil(max(0.0, self._whole.get(who, 0.0) + self._share - self._now() - self._period - _ROUNDING))

    def _forget(self, now: float) -> None:
        """Forget whose allowance is whole; where that is nobody, whoever came first."""
        self._whole = {who: whole for who, whole in self._whole.items() if whole > now}
        while len(self._whole) >= self._remembered:
            del self._whole[next(iter(self._whole))]


class Rates:
    """The limits of one application."""

    def __init__(self, settings: WebSettings, now: Callable[[], float] = monotonic) -> None:
        """`now` is in seconds, of a clock that is never set."""
        names = {_USUAL, *EXPENSIVE.values(), *(name for _, name in EXPENSIVE_WITH.values()), "refused"}
        rates = {name: getattr(settings, f"{name}_rate") for name in names}
        self._limits = {name: Limit(name, rate, now) for name, rate in rates.items() if rate != UNLIMITED}

    def count(self, request: Request, identity: Identity, channel: Channel, act: str) -> None:
        """Count a request of somebody who said who they are. Raises TooManyError."""
        name = EXPENSIVE.get(act) or _dear(request, act)
        limit, who = self._limits.get(name), (identity.user_id, channel is Channel.WEB)
        if limit is None or (name == _USUAL and limit.let_in(who)):
            return
        taken = request.state.rate = limit.take(who)
        if taken.wait:
            raise TooManyError(_TOO_OFTEN.format(limit.rate), retry_after=taken.wait)

    def check_stranger(self, request: Request, secret: str) -> None:
        """Refuse a secret that nobody was seen with, from where many came that are none. Raises TooManyError."""
        limit = self._limits.get("refused")
        if limit is None or limit.is_untouched:
            return
        wait = limit.wait(network_of(request.client.host if request.client else ""))
        if wait and not request.app.state.readers.has_seen(hash_token(secret)):
            raise TooManyError("Too many tokens or sessions that are none came from your address.", retry_after=wait)

    def count_refused(self, request: Request) -> None:
        """Count a secret that is none."""
        if limit := self._limits.get("refused"):
            limit.take(network_of(request.client.host if request.client else ""))


def _dear(request: Request, act: str) -> str:
    parameter, name = EXPENSIVE_WITH.get(act, ("", _USUAL))
    return name if not parameter or request.query_params.get(parameter) else _USUAL


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return what stands for everybody who is likely to be the same: an IPv4 address, or an IPv6 /64.

    Some proxies add the port, which is another one for each connection.
    """
    bare = address[1:].partition("]")[0] if address.startswith("[") else address
    try:
        parsed = ip_address(bare.partition(":")[0] if bare.count(":") == 1 else bare)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return f"{int(parsed) >> (128 - _NETWORK_OF_ONE_SITE):x}::/64"
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)
