"""Where the database is and how a role reaches it: pure values, spelled as psycopg, asyncpg and psql want."""

from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from deskbell.kernel.errors import InvalidError

_SCHEMES = frozenset({"postgres", "postgresql"})


@dataclass(frozen=True, slots=True)
class Address:
    """One role's way to one database. `parameters` are further libpq parameters (`sslmode`, `sslrootcert`, ...)."""

    host: str
    port: int
    database: str
    user: str
    password: str
    parameters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a `postgresql://` URL, with or without a driver in it. Raises InvalidError, without the password."""
        try:
            parts = urlsplit(url)
            scheme, query = parts.scheme.partition("+")[0], dict(parse_qsl(parts.query))
            port = int(query.pop("port", "") or parts.port or 5432)
        except ValueError as error:
            raise InvalidError("DESKBELL_DATABASE_URL is not a URL.", field="database_url") from error
        if scheme not in _SCHEMES:
            message = f"DESKBELL_DATABASE_URL must begin with postgresql://, not with {scheme or 'nothing'}://."
            raise InvalidError(message, field="database_url")
        return cls(
            host=query.pop("host", "") or unquote(parts.hostname or "localhost"),
            port=port,
            database=unquote(parts.path.lstrip("/")) or "deskbell",
            user=unquote(parts.username or query.pop("user", "") or "postgres"),
            password=unquote(parts.password or query.pop("password", "")),
            parameters=tuple(sorted(query.items())),
        )

    def as_role(self, user: str, password: str) -> Self:
        """Return the same database as another role."""
        return replace(self, user=user, password=password)

    def to_database(self, name: str) -> Self:
        """Return another database of the same server."""
        return replace(self, database=name)

    @property
    def dsn(self) -> str:
        """The URL as libpq and asyncpg read it, with the password."""
        query = urlencode({"host": self.host, "port": self.port, **dict(self.parameters)}, quote_via=quote)
        user, password, database = (quote(part, safe="") for part in (self.user, self.password, self.database))
        return f"postgresql://{user}:{password}@/{database}?{query}"

    def __str__(self) -> str:
        """The address for people: no password."""
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        """Keep the password out of logs and tracebacks."""
        return f"Address({self})"
