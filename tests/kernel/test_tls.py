"""TLS to the database: the same answer by psycopg, by the lane, by asyncpg, and in what settings come to."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Integer, text
from sqlalchemy.exc import SQLAlchemyError

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect_async
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, InvalidError, SetupError
from deskbell.kernel.lanes.statements import Statement
from deskbell.kernel.roles import unreachable
from deskbell.kernel.settings import DatabaseSettings
from deskbell.kernel.tls import secured, weakness
from tests.tls_server import TlsServer, tls_server

ENCRYPTED = "select ssl::int as number from pg_stat_ssl where pid = pg_backend_pid()"
READ = Statement(text(ENCRYPTED).columns(number=Integer), prepared=True)
SYSTEM = Actor.system(Channel.CLI)
FAR = Address("db.example.org", 5432, "desk", "u", "p")


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    with tls_server() as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def settings(**values: Any) -> DatabaseSettings:
    return DatabaseSettings.model_validate({k: str(v) if isinstance(v, Path) else v for k, v in values.items()})


async def ways(address: Address) -> list[bool | Exception]:
    """By each of the ways in, whether the connection is encrypted, or the error."""
    database, found = Database(address, DatabaseSettings()), list[bool | Exception]()
    try:
        for way in (_by_psycopg, _by_asyncpg, _by_lane, _by_libpq):
            try:
                found.append(await way(database))
            except (DeskbellError, psycopg.OperationalError, SQLAlchemyError, ConnectionError) as error:
                found.append(error)
    finally:
        await database.aclose()
    return found


async def _by_psycopg(database: Database) -> bool:
    with database.engine.connect() as connection:
        return bool(connection.scalar(text(ENCRYPTED)))


async def _by_asyncpg(database: Database) -> bool:
    async with database.async_engine.connect() as connection:
        return bool(await connection.scalar(text(ENCRYPTED)))


async def _by_lane(database: Database) -> bool:
    async with database.reading() as reading:
        return bool((await reading.rows(READ, last=True)).row(0)[0])


async def _by_libpq(database: Database) -> bool:
    async with await connect_async(database.address) as connection:
        row = await (await connection.execute(ENCRYPTED.encode())).fetchone()
        return bool(row and row[0])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "wanted", "encrypted"),
    [
        ("localhost", {"tls_root_cert": "ours"}, True),
        ("localhost", {"tls": "verify-ca", "tls_root_cert": "ours"}, True),
        ("127.0.0.1", {"tls": "verify-ca", "tls_root_cert": "ours"}, True),
        ("127.0.0.1", {"tls": "require", "tls_root_cert": "ours"}, True),
        ("127.0.0.1", {"tls": "require"}, True),
        ("127.0.0.1", {"tls": "prefer"}, True),
        ("127.0.0.1", {"tls": "disable"}, False),
    ],
)
async def test_every_way_in_is_as_safe_as_the_settings_say(
    server: TlsServer, name: str, wanted: dict[str, str], *, encrypted: bool
) -> None:
    values = {**wanted, **({"tls_root_cert": server.ours.file} if "tls_root_cert" in wanted else {})}
    address = secured(replace(server.admin, host=name), settings(**values))
    assert await ways(address) == [encrypted] * 4


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "root", "mode"),
    [
        ("localhost", "theirs", None),
        ("localhost", "theirs", "verify-ca"),
        ("localhost", "theirs", "require"),
        ("127.0.0.1", "ours", None),
    ],
)
async def test_no_way_in_trusts_a_stranger(server: TlsServer, name: str, root: str, mode: str | None) -> None:
    file: Path = getattr(server, root).file
    address = secured(replace(server.admin, host=name), settings(tls=mode, tls_root_cert=file))
    assert [type(found) for found in await ways(address) if isinstance(found, bool)] == []


@pytest.mark.anyio
async def test_no_way_in_goes_without_tls_that_is_required(server: TlsServer) -> None:
    with server.without_tls():
        for mode, root in (("require", None), ("verify-full", server.ours.file)):
            found = await ways(secured(server.admin, settings(tls=mode, tls_root_cert=root)))
            assert [way for way in found if isinstance(way, bool)] == []
        assert await ways(secured(server.admin, settings(tls="prefer"))) == [False] * 4


@pytest.mark.anyio
async def test_a_server_that_asks_for_a_certificate_is_shown_one(server: TlsServer, tmp_path: Path) -> None:
    certificate, key = server.ours.sign("guarded", tmp_path)
    guarded = server.admin.as_role("guarded", "")
    shown = settings(tls_root_cert=server.ours.file, tls_cert=certificate, tls_key=key)
    assert await ways(secured(guarded, shown)) == [True] * 4
    refused = await ways(secured(guarded, settings(tls_root_cert=server.ours.file)))
    assert [way for way in refused if isinstance(way, bool)] == []


@pytest.mark.anyio
async def test_the_authorities_of_this_machine_are_found_by_every_way_in(
    server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel of psycopg has an OpenSSL that looks elsewhere, and asyncpg has no word for them."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ours.file))
    assert await ways(secured(server.admin, settings(tls_root_cert="system"))) == [True] * 4
    monkeypatch.setenv("SSL_CERT_FILE", str(server.theirs.file))
    assert not any(way is True for way in await ways(secured(server.admin, settings(tls_root_cert="system"))))


@pytest.mark.parametrize(
    ("name", "root", "said"),
    [
        ("localhost", "theirs", r"certificate verify failed. None of the authorities in .*theirs.pem vouches for it"),
        ("127.0.0.1", "ours", r"does not match host name .* Another server answers for 127.0.0.1, or its certificate"),
    ],
)
def test_a_refusal_says_in_one_line_what_is_wrong(server: TlsServer, name: str, root: str, said: str) -> None:
    address = secured(replace(server.admin, host=name), settings(tls_root_cert=getattr(server, root).file))
    with pytest.raises(psycopg.OperationalError) as raised:
        psycopg.connect(address.dsn)
    line = unreachable(address, raised.value)
    assert "\n" not in line
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(line)


def mode_of(address: Address, **values: Any) -> str | None:
    return dict(secured(address, settings(**values)).parameters).get("sslmode")


def test_what_nobody_says_is_as_safe_as_it_can_be_without_being_told_more(
    server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ours.file))
    require = FAR.with_parameters({"sslmode": "require"})
    assert mode_of(FAR) == "prefer"
    assert mode_of(FAR, profile="production") == "verify-full"
    assert mode_of(FAR, tls_root_cert=server.ours.file) == "verify-full"
    assert mode_of(require, profile="production") == "require"
    assert mode_of(require, tls="verify-full") == "verify-full"
    for near in (replace(FAR, host="/run/postgresql"), replace(FAR, host="localhost"), replace(FAR, host="127.0.0.5")):
        assert mode_of(near, profile="production") is None


def test_where_somebody_could_listen_that_is_said() -> None:
    assert "may be read and changed" in (weakness(FAR) or "")
    assert "who the server is" in (weakness(FAR.with_parameters({"sslmode": "require"})) or "")
    assert weakness(FAR.with_parameters({"sslmode": "verify-full"})) is None
    assert weakness(replace(FAR, host="/run/postgresql")) is None
    assert weakness(replace(FAR, host="::1")) is None


@pytest.mark.parametrize(
    ("parameters", "values", "error", "said"),
    [
        ({}, {"tls_root_cert": "/no/such.pem"}, SetupError, r"/no/such.pem .*TLS_ROOT_CERT.* cannot be read: No such"),
        ({}, {"tls": "verify-ca"}, InvalidError, "needs the authority that vouches"),
        ({}, {"tls": "verify-ca", "tls_root_cert": "system"}, InvalidError, "Anybody may have a certificate"),
        ({}, {"tls": "prefer", "tls_root_cert": "/x"}, InvalidError, "of no use with prefer, which checks nothing"),
        ({}, {"tls_cert": "/x"}, InvalidError, "belong together"),
        ({}, {"tls_cert": "/no/x", "tls_key": "/no/y"}, SetupError, "/no/x that DESKBELL_DATABASE_TLS_CERT names"),
        ({"sslmode": "verify-full", "sslrootcert": "/no/ca"}, {}, SetupError, "/no/ca .* cannot be read"),
        ({"channel_binding": "require"}, {}, InvalidError, "asks for channel_binding"),
        ({"sslcrldir": "/x"}, {}, InvalidError, "asks for sslcrldir"),
    ],
)
def test_what_cannot_hold_is_refused_before_anything_is_sent(
    parameters: dict[str, str], values: dict[str, str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        secured(FAR.with_parameters(parameters), settings(**values))
