"""Certificates that mail servers show: what they say, for people who wonder why one is not trusted."""

import socket
import ssl
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from deskbell.mail.mailboxes.models import Security
from deskbell.mail.sources.servers import Server

_LONGEST_LINE: Final = 64 * 1024
_MOST_LINES: Final = 100
_MOST_NAMES: Final = 5


def described(certificate: bytes | None) -> str:
    """Say for whom a certificate (DER) is, who signed it, and until when it is good."""
    if certificate is None:
        return "without content"
    read = x509.load_der_x509_certificate(certificate)
    names = ", ".join(_names(read)[:_MOST_NAMES]) or "nobody"
    return f"for {names}, signed by {_common_name(read.issuer)}, good until {read.not_valid_after_utc:%Y-%m-%d}"


def shown_certificate(server: Server, service: str, patience: float) -> bytes | None:
    """Return the certificate (DER) that a server shows, whoever that is: nothing is said to it. Raises OSError."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only to look at it
    with socket.create_connection((server.host, server.port), patience) as line:
        if server.security is Security.STARTTLS:
            _ask_for_tls(line, service)
        with context.wrap_socket(line, server_hostname=server.host) as shown:
            return shown.getpeercert(binary_form=True)


def _ask_for_tls(line: socket.socket, service: str) -> None:
    """Say STARTTLS (RFC 3501, 6.2.1; RFC 3207)."""
    with line.makefile("rwb", buffering=0) as talk:
        asked = (b"a STARTTLS\r\n",) if service == "imap" else (b"EHLO localhost\r\n", b"STARTTLS\r\n")
        end = b"a " if service == "imap" else b""
        _read_answer(talk, b"* " if service == "imap" else b"")
        for each in asked:
            talk.write(each)
            _read_answer(talk, end)


def _read_answer(talk: "socket.SocketIO", begin: bytes) -> None:
    """Read up to the last line of an answer: the one with this tag, or with a space after its code."""
    for _ in range(_MOST_LINES):
        answer = talk.readline(_LONGEST_LINE)
        is_last = answer.startswith(begin) if begin else answer[3:4] == b" "
        if is_last or not answer:
            return


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [_common_name(certificate.subject)]
    return [str(name.value) for name in found]


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()
