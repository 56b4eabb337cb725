"""A Redis or Valkey beside the database, for what is dear to compute. It may fail at any time, and nobody notices.

What is stored is JSON, signed with the desk's key together with its name. Whether it still holds is not decided here:
see `deskbell.audit.caching`. Without an address there is no cache at all.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from sqlalchemy.orm import Session
from sqlalchemy.util.concurrency import await_

from deskbell.kernel.crypto import hash_token, sign, unsign
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.settings import CacheSettings
from deskbell.kernel.text import one_line

if TYPE_CHECKING:
    from redis import Redis

JSON = Mapping[str, Any]
T = TypeVar("T")

_PREFIX: Final = "deskbell:1"
"""The number is that of the form of what is stored."""
_PURPOSE: Final = "cache"
_THREADS: Final = 4
_LONGEST: Final = 1_000_000
"""A longer result, in bytes, is not stored: fetching it would take as long as computing it."""
_log = logging.getLogger(__name__)


class Unavailable(Exception):  # noqa: N818 - never an error to anybody
    """The cache cannot be asked just now: do without."""


@dataclass(frozen=True, slots=True)
class CacheState:
    """What an operator is told: where the cache is, without its password, and what is wrong with it, if anything."""

    address: str
    problem: str | None


class Cache:
    """Fetches and stores results, each within the patience of the settings, or raises Unavailable at once.

    redis-py waits in threads of the cache's own, in both worlds: so the wait has an end whatever it is for (a name
    that is not resolved, a server that sends a byte now and then), and the event loop never stands still for it.
    After a failure the cache is left alone for a few seconds; then one caller tries again.
    """

    def __init__(self, settings: CacheSettings, key: bytes) -> None:
        """`key` is the desk's: results are read by those who share it alone."""
        self._settings, self._key = settings, key
        self._url = settings.url.get_secret_value() if settings.url else ""
        self._lock, self._closed_until, self._problem = Lock(), 0.0, ""

    @property
    def address(self) -> str:
        """Where it is, without password."""
        parts = urlsplit(self._url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def name(self, question: JSON) -> str:
        """Name a result by all that it depends on but for the data: what is asked, and who may see what.

        Another version of Deskbell may answer otherwise: it has names of its own.
        """
        asked = json.dumps([_version(), question], sort_keys=True, separators=(",", ":"))
        return f"{_PREFIX}:{hash_token(sign(self._key, _PURPOSE, asked.encode())).hex()}"

    def fetch(self, session: Session, name: str) -> JSON | None:
        """Return what was stored; None where nothing was, or what is there was not stored by this desk.

        The session says in which world to wait. Raises Unavailable.
        """
        found: bytes | None = self._ask(session, lambda redis: redis.get(name))
        return None if found is None else self._opened(name, found)

    def store(self, session: Session, name: str, document: JSON) -> None:
        """Store a result. Raises Unavailable."""
        text = json.dumps([name, document], separators=(",", ":"), allow_nan=False)
        if len(text) <= _LONGEST:
            sealed = sign(self._key, _PURPOSE, text.encode())
            self._ask(session, lambda redis: redis.set(name, sealed, ex=self._settings.lifetime))

    def state(self) -> CacheState:
        """Ask whether it answers: for operators, so it waits in the calling thread, and asks even after a failure."""
        try:
            _result(self._threads.submit(self._ping), self._settings.timeout)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the operator is to read
            return CacheState(self.address, self._worded(error))
        return CacheState(self.address, None)

    def close(self) -> None:
        """Close its connections."""
        if "_threads" in self.__dict__:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if "_redis" in self.__dict__:
            self._redis.close()

    def _ping(self) -> None:
        self._redis.ping()

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_THREADS, thread_name_prefix="deskbell-cache")

    @cached_property
    def _redis(self) -> "Redis":
        """The client, made in the first thread that needs it: what the address says beside the place may be wrong."""
        from redis import Redis  # noqa: PLC0415 - a tenth of a second, for desks that have a cache
        from redis.backoff import NoBackoff  # noqa: PLC0415 - the same
        from redis.exceptions import ConnectionError as Disconnected  # noqa: PLC0415 - the same
        from redis.retry import Retry  # noqa: PLC0415 - the same

        return Redis.from_url(
            self._url,
            protocol=2,
            socket_timeout=self._settings.timeout,
            socket_connect_timeout=self._settings.timeout,
            retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),  # the server closes idle connections
        )

    def _ask(self, session: Session, question: "Callable[[Redis], Any]") -> Any:  # noqa: ANN401 - redis-py's
        self._check()
        future = self._threads.submit(lambda: question(self._redis))
        try:
            answer = _waited(future, self._settings.timeout, is_async=session.get_bind().dialect.is_async)
        except Exception as error:
            if not future.cancelled():  # otherwise the threads had no time for it, which is no fault of the cache
                self._failed(error)
            raise Unavailable from error
        self._answered()
        return answer

    def _check(self) -> None:
        """Raise Unavailable while the cache is left alone. After that time one caller is let through, as a test."""
        with self._lock:
            if self._problem:
                if monotonic() < self._closed_until:
                    raise Unavailable
                self._closed_until = monotonic() + self._settings.retry_after

    def _failed(self, error: Exception) -> None:
        with self._lock:
            is_new, self._problem = not self._problem, self._worded(error)
            self._closed_until = monotonic() + self._settings.retry_after
        if is_new:
            _log.warning("The cache %s fails, results are computed without it: %s", self.address, self._problem)

    def _answered(self) -> None:
        if self._problem:
            with self._lock:
                was_down, self._problem = bool(self._problem), ""
            if was_down:
                _log.info("The cache %s answers again", self.address)

    def _worded(self, error: Exception) -> str:
        """Return an error in a line, without the password, whoever put it there."""
        text = one_line(f"{type(error).__name__}: {error}".removesuffix(": "), 200)
        secrets = (urlsplit(self._url).password, urlsplit(self._url).query)
        for secret in filter(None, secrets):
            text = text.replace(secret, "…")
        return text

    def _opened(self, name: str, sealed: bytes) -> JSON | None:
        try:
            stored_as, document = json.loads(unsign(self._key, _PURPOSE, sealed.decode("ascii")))
        except (InvalidError, ValueError, TypeError):
            return None
        return document if stored_as == name and isinstance(document, dict) else None


def _waited(future: Future[T], patience: float, *, is_async: bool) -> T:
    if not is_async:
        return _result(future, patience)
    answer: T = await_(asyncio.wait_for(asyncio.wrap_future(future), patience))
    return answer


def _result(future: Future[T], patience: float) -> T:
    try:
        return future.result(patience)
    except TimeoutError:
        future.cancel()
        raise


def _version() -> str:
    try:
        return version("deskbell")
    except PackageNotFoundError:
        return ""
