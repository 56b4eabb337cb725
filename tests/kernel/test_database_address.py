"""URLs of databases, in every spelling that people bring along."""

import psycopg
import pytest

from deskbell.kernel.address import Address
from deskbell.kernel.errors import InvalidError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@db.example:6000/desk", ("db.example", 6000, "desk", "u", "p")),
        ("postgres://u:p@db.example/desk", ("db.example", 5432, "desk", "u", "p")),
        ("postgresql+psycopg2://u:p@db.example/desk", ("db.example", 5432, "desk", "u", "p")),
        ("postgresql+asyncpg://u:p@db.example/desk", ("db.example", 5432, "desk", "u", "p")),
        ("postgresql://u:p%40%2F%3A%25%20%C3%A9@h/d%2Fx", ("h", 5432, "d/x", "u", "p@/:% é")),
        ("postgresql://a%40b:@h/d", ("h", 5432, "d", "a@b", "")),
        ("postgresql://u:p@[2001:db8::1]:6000/d", ("2001:db8::1", 6000, "d", "u", "p")),
        ("postgresql://u:p@/d?host=/run/postgresql&port=6000", ("/run/postgresql", 6000, "d", "u", "p")),
        ("postgresql://u:p@%2Frun%2Fpostgresql/d", ("/run/postgresql", 5432, "d", "u", "p")),
        ("postgresql:///d?user=u&password=p%26q", ("localhost", 5432, "d", "u", "p&q")),
        ("postgresql://h", ("h", 5432, "deskbell", "postgres", "")),
    ],
)
def test_a_url_is_read(url: str, expected: tuple[str, int, str, str, str]) -> None:
    address = Address.parse(url)
    assert (address.host, address.port, address.database, address.user, address.password) == expected


@pytest.mark.parametrize(
    "url", ["mysql://u:hush@h/d", "/a/file", "", "postgresql://u:hush@h:port/d", "postgresql://[u:hush@h/d"]
)
def test_what_is_no_such_url_is_refused_without_the_password(url: str) -> None:
    with pytest.raises(InvalidError) as raised:
        Address.parse(url)
    assert raised.value.field == "database_url"
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        Address("h", 5432, "d", "u", "p@/:% é'\\"),
        Address("/run/a b", 6000, "d/x", "u@v", "", (("sslmode", "verify-full"), ("sslrootcert", "/a b/c&d"))),
        Address("2001:db8::1", 5432, "d", "u", "p"),
    ],
)
def test_what_is_written_is_read_again_by_us_and_by_libpq(address: Address) -> None:
    assert Address.parse(address.dsn) == address
    read = psycopg.conninfo.conninfo_to_dict(address.dsn)
    assert (read["host"], read["port"], read["dbname"], read["user"], read.get("password", "")) == (
        address.host,
        str(address.port),
        address.database,
        address.user,
        address.password,
    )
    assert {name: read[name] for name, _ in address.parameters} == dict(address.parameters)


def test_people_are_shown_no_password() -> None:
    address = Address("h", 5432, "d", "u", "hush")
    assert "hush" not in f"{address} {address!r} {[address]}"


def test_another_role_or_database_is_the_same_server() -> None:
    address = Address("h", 6000, "d", "u", "p", (("sslmode", "require"),))
    assert address.as_role("v", "q").to_database("e") == Address("h", 6000, "e", "v", "q", (("sslmode", "require"),))
