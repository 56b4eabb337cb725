"""URLs of databases, in every spelling that people bring along."""

from urllib.parse import parse_qs, urlsplit

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
        ("postgresql://u:p@%2FRun%2FPostgres/d", ("/Run/Postgres", 5432, "d", "u", "p")),
        ("postgresql://u:p@/d?host=2001:db8::1", ("2001:db8::1", 5432, "d", "u", "p")),
        ("postgresql://u:p@h/d?user=v&password=q%2B+r&dbname=e", ("h", 5432, "e", "v", "q++r")),
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
    ("url", "reason"),
    [
        ("postgresql://u:hush@h1,h2/d", "several hosts"),
        ("postgresql://u:hush@h1:1,h2:2/d", "several hosts"),
        ("postgresql://u:hush@/d?host=h1,h2", "several hosts"),
        ("postgresql://u:hush@h:99999/d", "a port that is not a number from 1 to 65535"),
        ("postgresql://u:hush@h/d?port=0", "a port"),
        ("postgresql://u:hush@h:port/d", "a port"),
        ("postgresql://u:hush@h/d?schema=public&sslmode=require", "does not know: schema"),
        ("postgresql://u:hush%00@h/d", "NUL"),
        ("postgresql://u:hush/hush@h/d", "a port"),
        ("postgresql://u:hush,hush/hush@h/d", "several hosts"),
    ],
)
def test_the_part_that_is_wrong_is_named(url: str, reason: str) -> None:
    with pytest.raises(InvalidError, match=reason) as raised:
        Address.parse(url)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("url", ["postgresql://a:b@h/d?user=postgres&password=x&dbname=y", "postgresql://h/d?user=u"])
def test_nothing_in_a_url_wins_over_the_role_that_is_asked_for(url: str) -> None:
    """The application must never find itself a superuser, whom no row policy holds back."""
    address = Address.parse(url).as_role("deskbell_app", "secret").to_database("desk")
    for dsn in (address.dsn, address.asyncpg_dsn):
        read = psycopg.conninfo.conninfo_to_dict(dsn)
        assert (read["user"], read["password"], read["dbname"]) == ("deskbell_app", "secret", "desk")


def test_asyncpg_is_told_nothing_that_it_does_not_know() -> None:
    ours = "channel_binding=prefer&connect_timeout=5&keepalives=1&options=-c%20jit%3Doff"
    address = Address.parse(f"postgresql://u:p@h/d?{ours}&sslmode=verify-full&sslrootcert=/ca&target_session_attrs=any")
    assert parse_qs(urlsplit(address.asyncpg_dsn).query) == {
        "host": ["h"],
        "port": ["5432"],
        "sslmode": ["verify-full"],
        "sslrootcert": ["/ca"],
        "target_session_attrs": ["any"],
    }
    assert Address.parse(address.dsn) == address


def test_asyncpg_gets_an_ipv6_address_in_brackets() -> None:
    address = Address("2001:db8::1", 6000, "d", "u", "p")
    assert parse_qs(urlsplit(address.asyncpg_dsn).query)["host"] == ["[2001:db8::1]"]
    assert str(address) == "u@[2001:db8::1]:6000/d"


def test_options_for_libpq_keep_the_urls_own_and_escape_blanks_and_backslashes() -> None:
    address = Address("h", 5432, "d", "u", "p", (("options", "-c jit=on"),))
    assert address.options({"application_name": "a b\\c"}) == r"-c jit=on -c application_name=a\ b\\c"
    assert Address("h", 5432, "d", "u", "p").options({}) == ""


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
