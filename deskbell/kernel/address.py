"""Where the database is and how a role reaches it: pure values, spelled as psycopg, asyncpg and psql want."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from psycopg.pq import Conninfo

from deskbell.kernel.errors import InvalidError

_SCHEMES = frozenset({"postgres", "postgresql"})
_PORTS = range(1, 65536)
# asyncpg takes whatever else it finds in a URL for a parameter of the server, which then refuses the connection.
_KNOWN_TO_ASYNCPG = frozenset(
    {
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
    }
)


class Secret(Protocol):
    """A password that may be another one tomorrow."""

    def current(self) -> str:
        """Return it as it is now. Raises SetupError."""

    def renew(self, refused: str) -> bool:
        """Whether, looking again, there is another one than that which the server refused. May wait for a server."""


@dataclass(frozen=True, slots=True)
class Address:
    """One role's way to one database. `parameters` are further libpq parameters (`sslmode`, `sslrootcert`, ...).

    Where there is a `source`, each connection asks it for the password: see `kernel.connecting`.
    """

    host: str
    port: int
    database: str
    user: str
    password: str
    parameters: tuple[tuple[str, str], ...] = ()
    source: Secret | None = field(default=None, compare=False)

    @classmethod
    def parse(cls, url: str, *, setting: str = "DESKBELL_DATABASE_URL") -> Self:
        """Read a `postgresql://` URL, with or without a driver in it. As in libpq its query wins over the rest.

        Raises InvalidError that says which part of `setting` is wrong, and shows none that may be of the password.
        """
        try:
            return cls._parsed(url)
        except _WrongError as error:
            name = setting.removeprefix("DESKBELL_").lower()
            raise InvalidError(f"{setting} {error}", field=name) from None

    @classmethod
    def _parsed(cls, url: str) -> Self:
        scheme, user, password, place, path, query = _split(url)
        if scheme not in _SCHEMES:
            raise _wrong(f"must begin with postgresql://, not with {scheme or 'nothing'}://.")
        if "," in (query.get("host", "") or unquote(place)):
            raise _wrong("names several hosts, of which Deskbell can use one.")
        host, port = _host_and_port(place)
        number = _port(query.pop("port", "") or port or "5432")
        if unknown := sorted(query.keys() - _known_to_libpq()):
            raise _wrong(f"has a parameter that PostgreSQL does not know: {', '.join(unknown)}.")
        return cls(
            host=query.pop("host", "") or host or "localhost",
            port=number,
            database=query.pop("dbname", "") or unquote(path.removeprefix("/")) or "deskbell",
            user=query.pop("user", "") or unquote(user) or "postgres",
            password=query.pop("password", "") or unquote(password),
            parameters=tuple(sorted(query.items())),
        )

    def as_role(self, user: str, password: str) -> Self:
        """Return the same database as another role."""
        return replace(self, user=user, password=password, source=None)

    def with_secret(self, source: Secret) -> Self:
        """Return the same way in, whose password is asked for each time."""
        return replace(self, source=source)

    def settled(self) -> Self:
        """Return the same way in with the password as it is now. Raises SetupError."""
        return self if self.source is None else replace(self, password=self.source.current(), source=None)

    def with_parameters(self, parameters: Mapping[str, str]) -> Self:
        """Return the same way in with these libpq parameters alone."""
        return replace(self, parameters=tuple(sorted(parameters.items())))

    def to_database(self, name: str) -> Self:
        """Return another database of the same server."""
        return replace(self, database=name)

    def on_server_of(self, other: "Address") -> Self:
        """Return the same role's way to another server and its database."""
        return replace(self, host=other.host, port=other.port, database=other.database, parameters=other.parameters)

    @property
    def dsn(self) -> str:
        """The URL as libpq reads it, with the password."""
        return self._url(self.host, dict(self.parameters))

    @property
    def asyncpg_dsn(self) -> str:
        """The URL as asyncpg reads it, with the password and those parameters alone that asyncpg knows."""
        known = {name: value for name, value in self.parameters if name in _KNOWN_TO_ASYNCPG}
        return self._url(f"[{self.host}]" if ":" in self.host else self.host, known)

    def options(self, server_parameters: Mapping[str, str]) -> str:
        """Return libpq's parameter `options`: the address's own, then these parameters of the server."""
        escaped = {name: value.replace("\\", "\\\\").replace(" ", "\\ ") for name, value in server_parameters.items()}
        own = dict(self.parameters).get("options", "")
        return " ".join(filter(None, [own, *(f"-c {name}={value}" for name, value in escaped.items())]))

    def _url(self, host: str, parameters: Mapping[str, str]) -> str:
        query = urlencode({"host": host, "port": self.port, **parameters}, quote_via=quote)
        secret = self.settled().password
        user, password, database = (quote(part, safe="") for part in (self.user, secret, self.database))
        return f"postgresql://{user}:{password}@/{database}?{query}"

    def __str__(self) -> str:
        """The address for people: no password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        """Keep the password out of logs and tracebacks."""
        return f"Address({self})"


class _WrongError(Exception):
    """What is wrong with a URL."""


def _wrong(reason: str) -> _WrongError:
    return _WrongError(reason)


def _split(url: str) -> tuple[str, str, str, str, str, dict[str, str]]:
    """(scheme without driver, user, password, host and port, path, query); only the query is decoded."""
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query.replace("+", "%2B")))  # libpq takes a plus for a plus
    except ValueError:  # its message, and so its traceback, may show the password
        raise _wrong("is not a URL.") from None
    if "%00" in url:
        raise _wrong("holds a NUL character (%00).")
    login, _, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return parts.scheme.partition("+")[0], user, password, place, parts.path, query


def _host_and_port(place: str) -> tuple[str, str]:
    """Split `host:port`, where an IPv6 address stands in brackets; either may be empty."""
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = place.partition(":")
    return unquote(host), port


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) in _PORTS):
        raise _wrong(f"has a port that is not a number from 1 to {_PORTS[-1]}.")
    return int(text)


def _known_to_libpq() -> frozenset[str]:
    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
