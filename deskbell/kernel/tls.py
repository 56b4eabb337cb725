"""TLS to the database: how sure we want to be of the server, in words that psycopg, asyncpg and psql read alike.

Modes and files are libpq's (PostgreSQL manual, 32.19). They travel as parameters of the address.
"""

import os
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from deskbell.kernel.address import Address
from deskbell.kernel.errors import InvalidError, SetupError
from deskbell.kernel.settings import SYSTEM, DatabaseSettings

CHECKED: Final = frozenset({"verify-ca", "verify-full"})
_ROOT, _MODE = "sslrootcert", "sslmode"
# Each promises something that asyncpg, one of the two ways in, would not keep.
_NOT_KEPT: Final = frozenset({"channel_binding", "gssencmode", "sslcertmode"})
_UNKNOWN: Final = frozenset({"sslcrldir", "require_auth", "requirepeer"})
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)
_HOW: Final = "See docs/howto/tls.md."


def secured(address: Address, settings: DatabaseSettings) -> Address:
    """Return the address with the TLS that settings and URL ask for. A setting goes before the URL.

    Where neither says a mode, a root certificate means verify-full, and so does production to another machine, by the
    authorities this machine trusts; else TLS is used where the server has it. Raises InvalidError, SetupError.
    """
    given = dict(address.parameters)
    _refuse_what_cannot_be_kept(given)
    given |= dict(_set(settings))
    if not is_elsewhere(address) and _MODE not in given and _ROOT not in given:
        return address.with_parameters(given)
    mode = given.get(_MODE) or _usual_mode(settings, given)
    root = given.pop(_ROOT, "") or (_usual_root(mode) if mode in CHECKED else "")
    if mode in {"disable", "allow", "prefer"} and settings.tls_root_cert:
        raise InvalidError(f"A root certificate is of no use with {mode}, which checks nothing: {_ask('verify-full')}")
    if mode == "require" and root:  # libpq's own reading of the two
        mode = "verify-ca"
    if mode in CHECKED:
        given[_ROOT] = _root(root, mode)
    return address.with_parameters({**given, _MODE: mode})


def is_elsewhere(address: Address) -> bool:
    """Whether the way to the server leaves this machine."""
    host = address.host
    if host.startswith(("/", "@")) or host == "localhost":
        return False
    try:
        return not ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return True


def weakness(address: Address) -> str | None:
    """Say in one line what somebody between us and the server could do; None where nothing."""
    mode = dict(address.parameters).get(_MODE, "prefer")
    if not is_elsewhere(address) or mode == "verify-full":
        return None
    what = {
        "verify-ca": "any server with a certificate of the same authority is taken for the right one",
        "require": "who the server is is not checked",
    }.get(mode, "the connection may be read and changed on its way")
    return f"TLS to the database at {address.host} is {mode}: {what}. {_ask('verify-full')} {_HOW}"


def explained(cause: str, address: Address) -> str | None:
    """Say what to do about a failure that is TLS's, by what libpq says of it; None where it is another's."""
    if not any(word in cause for word in ("SSL", "certificate", "ssl")):
        return None
    if "does not support SSL" in cause:
        todo = "The server has no TLS: switch it on there, or set DESKBELL_DATABASE_TLS=disable where the way is safe."
    elif "does not match host name" in cause:
        todo = f"Another server answers for {address.host}, or its certificate lacks this name."
    elif "certificate verify failed" in cause:
        root = dict(address.parameters).get(_ROOT, "")
        todo = f"None of the authorities in {root} vouches for it: see DESKBELL_DATABASE_TLS_ROOT_CERT."
    elif "no encryption" in cause:
        todo = f"The server wants TLS: {_ask('verify-full')}"
    else:
        todo = "See the settings DESKBELL_DATABASE_TLS*."
    return f"Cannot use the database {address}: {cause.rstrip('.')}. {todo}"


def _set(settings: DatabaseSettings) -> Iterator[tuple[str, str]]:
    """Yield what the settings say as libpq's parameters."""
    if settings.tls:
        yield _MODE, settings.tls
    if settings.tls_root_cert:
        yield _ROOT, settings.tls_root_cert
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise InvalidError("DESKBELL_DATABASE_TLS_CERT and DESKBELL_DATABASE_TLS_KEY belong together: set both.")
    for name, setting, path in (("sslcert", "CERT", settings.tls_cert), ("sslkey", "KEY", settings.tls_key)):
        if path is not None:
            yield name, _readable(path, f"DESKBELL_DATABASE_TLS_{setting}")


def _usual_mode(settings: DatabaseSettings, given: dict[str, str]) -> str:
    is_sure = _ROOT in given or settings.profile == "production"
    return "verify-full" if is_sure else os.environ.get("PGSSLMODE") or "prefer"


def _usual_root(mode: str) -> str:
    """Return what libpq would take, else the machine's authorities where that is safe."""
    own = Path("~/.postgresql/root.crt").expanduser()
    found = os.environ.get("PGSSLROOTCERT") or (str(own) if own.is_file() else "")
    return found or (SYSTEM if mode == "verify-full" else "")


def _root(root: str, mode: str) -> str:
    """Return the file of the authorities. Those of the machine vouch for everybody, so the name must be checked too."""
    if root == SYSTEM:
        if mode != "verify-full":
            raise InvalidError(f"Anybody may have a certificate of this machine's authorities: {_ask('verify-full')}")
        return _system_bundle()
    if not root:
        raise InvalidError(f"TLS that is {mode} needs the authority that vouches: set DESKBELL_DATABASE_TLS_ROOT_CERT.")
    return _readable(Path(root), "DESKBELL_DATABASE_TLS_ROOT_CERT, or sslrootcert of DESKBELL_DATABASE_URL,")


def _system_bundle() -> str:
    """Return the file of the authorities this machine trusts.

    Not by libpq's own word `system`: psycopg's wheel has an OpenSSL that looks elsewhere, and asyncpg has no such word.
    """
    usual = ssl.get_default_verify_paths()
    for path in (os.environ.get("SSL_CERT_FILE"), usual.cafile, *_BUNDLES):
        if path and Path(path).is_file():
            return path
    raise SetupError(
        "This machine has no file of authorities that it trusts: install ca-certificates, or set "
        "DESKBELL_DATABASE_TLS_ROOT_CERT to the certificate of the one that vouches for the database server."
    )


def _readable(path: Path, setting: str) -> str:
    try:
        with path.open("rb"):
            return str(path)
    except OSError as error:
        raise SetupError(f"The file {path} that {setting} names cannot be read: {error.strerror}.") from error


def _refuse_what_cannot_be_kept(given: dict[str, str]) -> None:
    broken = sorted(
        [name for name in _NOT_KEPT if given.get(name) == "require"] + [name for name in _UNKNOWN if given.get(name)]
    )
    if broken:
        raise InvalidError(
            f"DESKBELL_DATABASE_URL asks for {broken[0]}, which only some of Deskbell's connections would keep. "
            "Take it out, and use sslmode=verify-full.",
            field="database_url",
        )


def _ask(mode: str) -> str:
    return f"set DESKBELL_DATABASE_TLS={mode}."
