"""What the person at the terminal is told when TLS to the database fails: one line, and exit code 3."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deskbell.cli import app
from deskbell.kernel.address import Address
from tests.tls_server import TlsServer, tls_server


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    with tls_server() as server:
        yield server


def status(
    address: Address, environment: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path, **tls: str
) -> tuple[int, str]:
    environment.setenv("DESKBELL_DATABASE_URL", address.to_database("desk").dsn)
    environment.setenv("DESKBELL_DATA_DIR", str(folder))
    for name, value in tls.items():
        environment.setenv(f"DESKBELL_DATABASE_TLS{name}", value)
    capfd.readouterr()
    code = app.run(["db", "status"])
    said = capfd.readouterr()
    return code, said.out if code == 0 else said.err


def test_each_failure_of_tls_is_one_line(
    server: TlsServer, clean_environment: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def said(address: Address, **tls: str) -> str:
        code, text = status(address, clean_environment, capfd, tmp_path, **tls)
        assert (code, text.count("\n")) == (3, 1), text
        return text

    ours, theirs = str(server.ours.file), str(server.theirs.file)
    assert "certificate verify failed. None of the authorities in" in said(server.admin, _ROOT_CERT=theirs)
    assert "does not match host name" in said(server.by_number, _ROOT_CERT=ours)
    assert "/no/such/file" in said(server.admin, _ROOT_CERT="/no/such/file")
    clean_environment.delenv("DESKBELL_DATABASE_TLS_ROOT_CERT")
    with server.without_tls():
        assert "The server has no TLS" in said(server.admin, **{"": "require"})


def test_the_status_says_how_safe_the_way_is(
    server: TlsServer, clean_environment: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    checked = {"_ROOT_CERT": str(server.ours.file)}
    code, text = status(server.admin, clean_environment, capfd, tmp_path, **checked)
    assert (code, "TLSv1.3, verify-full" in text) == (0, True), text
    clean_environment.delenv("DESKBELL_DATABASE_TLS_ROOT_CERT")
    code, text = status(replace(server.admin, host="127.0.0.1"), clean_environment, capfd, tmp_path, **{"": "disable"})
    assert (code, "Tls          none" in text) == (0, True), text
