"""A real server with TLS, of Debian's PostgreSQL 15, and the authorities that vouch for it: made for one test run."""

import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deskbell.kernel.address import Address
from deskbell.kernel.embedded.account import Account, account_for
from deskbell.testing.servers import SUPERUSER_PASSWORD, run_folder

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
NAME = "localhost"
"""What the server's certificate says it is; it can be reached as 127.0.0.1 as well, which its certificate lacks."""
_ACCESS = """
local all all trust
hostssl all guarded all cert
host all all all scram-sha-256
"""


@dataclass(frozen=True)
class Authority:
    """Signs certificates; `file` is its own."""

    file: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def sign(self, name: str, folder: Path) -> tuple[Path, Path]:
        """Return the files of a certificate for this name, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = _builder(name, self.certificate.subject, key).add_extension(alternative, critical=False)
        signed = certificate.sign(self.key, hashes.SHA256())
        return _written(folder / f"{name}.crt", signed), _written_key(folder / f"{name}.key", key)


def authority(folder: Path, name: str) -> Authority:
    """Make one that nobody has heard of."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _builder(name, subject, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    return Authority(_written(folder / f"{name}.pem", certificate), certificate, key)


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _written(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def _written_key(path: Path, key: ec.EllipticCurvePrivateKey) -> Path:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    path.chmod(0o600)
    return path


@dataclass(frozen=True)
class TlsServer:
    """`admin` is the superuser's way in by the name that the certificate has; `local` is by the socket."""

    admin: Address
    local: Address
    folder: Path
    account: Account
    ours: Authority
    theirs: Authority

    @property
    def by_number(self) -> Address:
        """The same server by a name that its certificate lacks."""
        return replace(self.admin, host="127.0.0.1")

    @contextmanager
    def without_tls(self) -> Iterator[None]:
        """Serve without TLS meanwhile."""
        self.control("restart", "-o", "-c ssl=off")
        try:
            yield
        finally:
            self.control("restart", "-o", "-c ssl=on")

    def control(self, *what: str) -> None:
        command: list[str | Path] = [
            PROGRAMS / "pg_ctl",
            "-w",
            "-D",
            self.folder / "cluster",
            "-l",
            self.folder / "log",
            *what,
        ]
        code, said = self.account.run(command, timeout=60)
        assert code == 0, said


@contextmanager
def tls_server() -> Iterator[TlsServer]:
    """Start one; skip the test where this machine has no PostgreSQL that was built with OpenSSL."""
    if not (PROGRAMS / "postgres").exists():
        pytest.skip(f"no PostgreSQL with TLS in {PROGRAMS}: tools/postgresql15.sh installs it")
    with run_folder(f"tls-{os.getpid()}") as folder:
        ours, theirs = authority(folder, "ours"), authority(folder, "theirs")
        account = account_for(folder / "cluster")
        shutil.chown(folder, account.uid, account.gid)
        folder.chmod(0o755)
        port = _free_port()
        local = Address(str(folder), port, "postgres", "postgres", SUPERUSER_PASSWORD)
        server = TlsServer(replace(local, host=NAME), local, folder, account, ours, theirs)
        _initialize(server, port)
        server.control("start")
        try:
            with psycopg.connect(local.dsn, autocommit=True) as connection:
                connection.execute(f"alter role postgres password '{SUPERUSER_PASSWORD}'")
                connection.execute("create role guarded login")
            yield server
        finally:
            server.control("stop", "-m", "immediate")


def _initialize(server: TlsServer, port: int) -> None:
    cluster = server.folder / "cluster"
    code, said = server.account.run(
        [PROGRAMS / "initdb", "-D", cluster, "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale", "C"], timeout=60
    )
    assert code == 0, said
    certificate, key = server.ours.sign(NAME, cluster)
    server.account.give(key)
    lines = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": server.folder,
        "fsync": "off",
        "ssl": "on",
        "ssl_cert_file": certificate.name,
        "ssl_key_file": key.name,
        "ssl_ca_file": server.ours.file,
    }
    with (cluster / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())
    (cluster / "pg_hba.conf").write_text(_ACCESS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((str(ipaddress.IPv4Address("127.0.0.1")), 0))
        return int(probe.getsockname()[1])
