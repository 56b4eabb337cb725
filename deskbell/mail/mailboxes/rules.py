"""What makes sense for a mailbox: each field as it is kept, or why not. Pure.

Nothing here asks a server: whether it answers, and lets one in, is found out by the test of the connection.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import clean, clean_email, one_line
from deskbell.mail.mailboxes.models import SECRETS, ClosedReply, LogIn, Security
from deskbell.tickets.models import TicketPriority

T = TypeVar("T")
LONGEST_TEXT: Final = 10_000
LONGEST_SECRET: Final = 20_000
MOST_FOLDERS: Final = 50
LONGEST_FOLDER: Final = 255
MOST_A_MINUTE: Final = 100_000
PORTS: Final = {
    "imap_port": {Security.TLS: 993, Security.STARTTLS: 143, Security.NONE: 143},
    "smtp_port": {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25},
}
"""What a server listens on where no port is said, by how the connection is encrypted."""
SENT_TO: Final = {
    "imap_password": "imap_host",
    "smtp_password": "smtp_host",
    "oauth_secret": "oauth_token_url",
    "oauth_refresh": "oauth_token_url",
}
"""Which secret is told to which server."""
_HOST: Final = re.compile(r"[\w-]+(\.[\w-]+)*\.?|\[?[0-9A-Fa-f:.]+\]?")
_DOMAIN: Final = re.compile(r"[\w-]+(\.[\w-]+)+")
_SELECTOR: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*")
_LEAST_RSA_BITS: Final = 1024  # RFC 8301, 3.2
_HIGHEST_PORT: Final = 65_535


def checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that were given as they are kept. Raises InvalidError, with the field that is wrong."""
    return {field: _CHECKS[field](value, field) for field, value in facts.items()}


def checked_secret(field: str, text: str) -> str:
    """Return a secret as it is kept; a DKIM key must be one. Raises InvalidError."""
    if len(text) > LONGEST_SECRET or "\0" in text:
        raise InvalidError("This is too long, or holds a character that no secret has.", field=field)
    if field == "dkim_key":
        _check_key(text)
    return text


def check_whole(whole: Mapping[str, Any], kept: Iterable[str]) -> None:
    """Refuse what does not fit together. `whole` is all that is kept beside the secrets, `kept` names those.

    Raises InvalidError with the field to be filled in.
    """
    has = set(kept)
    if whole["imap_host"]:
        _check_fetching(whole, has)
    if whole["smtp_user"] and whole["login"] is LogIn.PASSWORD and "smtp_password" not in has:
        raise InvalidError("To log in there, a password is needed.", field="smtp_password")
    parts = {
        "dkim_domain": whole["dkim_domain"],
        "dkim_selector": whole["dkim_selector"],
        "dkim_key": "dkim_key" in has,
    }
    missing = [field for field, value in parts.items() if not value]
    if missing and len(missing) < len(parts):
        raise InvalidError(
            "To sign, domain, selector and key are needed; fill in all three, or none.", field=missing[0]
        )


def _check_fetching(whole: Mapping[str, Any], has: set[str]) -> None:
    if whole["login"] is LogIn.PASSWORD and "imap_password" not in has:
        raise InvalidError("To log in there, a password is needed.", field="imap_password")
    if whole["login"] is LogIn.OAUTH2:
        for field in ("oauth_token_url", "oauth_client_id"):
            if not whole[field]:
                raise InvalidError("This is needed to log in with OAuth 2.", field=field)


def port_of(facts: Mapping[str, Any], field: str) -> int:
    """Return the port that is meant: the one that was said, else the usual one."""
    return facts[field] or PORTS[field][facts[field.replace("port", "security")]]


def _name(value: str, field: str) -> str:
    name = one_line(value, 101)
    if len(name) > 100:  # noqa: PLR2004 - the column's
        raise InvalidError("A name has at most 100 characters.", field=field)
    return name


def _address(value: str, field: str) -> str:
    address = clean_email(value, field=field)
    if "+" in address.partition("@")[0]:
        message = "Leave out the plus sign and what follows it: answers come to addresses with one of their own."
        raise InvalidError(message, field=field)
    return address


def _text(value: str, field: str) -> str:
    text = clean(value).replace("\r\n", "\n").strip()
    if len(text) > LONGEST_TEXT:
        raise InvalidError(f"This has at most {LONGEST_TEXT:,} characters.", field=field)
    return text


def _word(value: str, field: str) -> str:
    word = value.strip()
    if len(word) > 255 or not word.isprintable():  # noqa: PLR2004 - the column's
        raise InvalidError("This is one line of at most 255 characters.", field=field)
    return word


def _host(value: str, field: str) -> str:
    host = _word(value, field)
    if host and not _HOST.fullmatch(host):
        raise InvalidError("This is a name like mail.example.com, without a port and without https://.", field=field)
    return host.strip("[].") if ":" in host else host.rstrip(".")


def _port(value: int | str | None, field: str) -> int | None:
    return _number(value, field, _HIGHEST_PORT, "A port is a number from 1 to 65535; leave it empty for the usual one.")


def _rate(value: int | str | None, field: str) -> int | None:
    told = f"This is a number of messages from 1 to {MOST_A_MINUTE:,}; leave it empty for no limit."
    return _number(value, field, MOST_A_MINUTE, told)


def _number(value: int | str | None, field: str, most: int, told: str) -> int | None:
    text = str(value if value is not None else "").strip()
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - more is too much
    if not 1 <= number <= most:
        raise InvalidError(told, field=field)
    return number


def _folders(value: Iterable[str], field: str) -> list[str]:
    folders = list(dict.fromkeys(name.strip() for name in value if name.strip())) or ["INBOX"]
    if len(folders) > MOST_FOLDERS or any(len(name) > LONGEST_FOLDER or not name.isprintable() for name in folders):
        raise InvalidError(f"These are at most {MOST_FOLDERS} names of folders, one a line.", field=field)
    return ["INBOX" if name.upper() == "INBOX" else name for name in folders]  # RFC 9051, 5.1: in any case of letters


def _url(value: str, field: str) -> str:
    url = _word(value, field)
    parts = urlsplit(url)
    is_near = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if url and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_near))):
        raise InvalidError("This is an address that begins with https://.", field=field)
    return url


def _domain(value: str, field: str) -> str:
    domain = _word(value, field).rstrip(".").lower()
    if domain and not _DOMAIN.fullmatch(domain):
        raise InvalidError("This is a domain like example.com.", field=field)
    return domain


def _selector(value: str, field: str) -> str:
    selector = _word(value, field)
    if selector and (len(selector) > 100 or not _SELECTOR.fullmatch(selector)):  # noqa: PLR2004 - the column's
        raise InvalidError("A selector has letters, digits and hyphens, like mail2026.", field=field)
    return selector


def _authority(value: str, field: str) -> str:
    pem = _text(value, field) if value.strip() else ""
    if not pem:
        return ""
    try:
        load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        message = "This is no certificate in PEM: it begins with -----BEGIN CERTIFICATE-----, and all of it is needed."
        raise InvalidError(message, field=field) from error
    return pem


def _check_key(pem: str) -> None:
    try:
        key = load_pem_private_key(pem.strip().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = "This is no private key in PEM without a password: it begins with -----BEGIN PRIVATE KEY-----."
        raise InvalidError(message, field="dkim_key") from error
    if isinstance(key, RSAPrivateKey) and key.key_size < _LEAST_RSA_BITS:
        raise InvalidError(f"This key is too short: RSA keys have at least {_LEAST_RSA_BITS} bits.", field="dkim_key")
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise InvalidError("Messages are signed with RSA or Ed25519; this key is of another kind.", field="dkim_key")


def _one_of(kind: Callable[[str], T]) -> Callable[[Any, str], T]:
    def check(value: str, field: str) -> T:
        try:
            return kind(value)
        except ValueError as error:
            raise InvalidError("Choose one of those that are offered.", field=field) from error

    return check


def _as_it_is(value: T, field: str) -> T:  # noqa: ARG001 - every check takes it
    return value


_CHECKS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "name": _name,
    "address": _address,
    "team_id": _as_it_is,
    "priority": _one_of(TicketPriority),
    "signature": _text,
    "acknowledges": _as_it_is,
    "closed_reply": _one_of(ClosedReply),
    "is_plus": _as_it_is,
    "authority": _authority,
    "login": _one_of(LogIn),
    "oauth_token_url": _url,
    "oauth_client_id": _word,
    "oauth_scope": _word,
    "imap_host": _host,
    "imap_port": _port,
    "imap_security": _one_of(Security),
    "imap_user": _word,
    "imap_folders": _folders,
    "smtp_host": _host,
    "smtp_port": _port,
    "smtp_security": _one_of(Security),
    "smtp_user": _word,
    "dkim_domain": _domain,
    "dkim_selector": _selector,
    "rate": _rate,
}
FACTS: Final = tuple(_CHECKS)
FIELDS: Final = (*FACTS, *SECRETS, "tags")
"""Everything that can be chosen for a mailbox."""
