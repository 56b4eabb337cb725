"""DKIM signatures (RFC 6376; Ed25519: RFC 8463), relaxed on both sides, over a body that is read in pieces.

The usual library signs a message that is in memory whole, several times; ours may be large.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from deskbell.kernel.errors import InvalidError

SIGNED: Final = (
    *("From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Reply-To"),
    *("Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
)
_TWICE: Final = ("From", "To", "Cc", "Subject", "Date", "Reply-To", "Content-Type")
"""Named once more than they are there, so that nobody can add another one (RFC 6376, 8.15)."""
_LEAST_BITS: Final = 1024
_SPACES: Final = re.compile(rb"[ \t]+")
_FOLDED: Final = re.compile(r"\r\n(?=[ \t])")
_WIDTH: Final = 72


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature it is: `selector._domainkey.domain` has the public key. `key` is the private one, as PEM."""

    domain: str
    selector: str
    key: str = field(repr=False)


def load_key(pem: str) -> RSAPrivateKey | Ed25519PrivateKey:
    """Read a private key. Raises InvalidError for what cannot sign."""
    try:
        key = load_pem_private_key(pem.strip().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidError("This is no private key: paste it as PEM, without a password.", field="dkim_key") from error
    if isinstance(key, RSAPrivateKey) and key.key_size >= _LEAST_BITS:
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise InvalidError("DKIM signs with RSA of at least 1,024 bits, or with Ed25519.", field="dkim_key")


def public_record(pem: str) -> str:
    """Return the TXT record that belongs at `selector._domainkey.domain`. Raises InvalidError."""
    key = load_key(pem)
    if isinstance(key, Ed25519PrivateKey):
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"
    raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(raw).decode()}"


def signature_of(signer: Signer, header: bytes, body: Iterable[bytes], at: datetime) -> bytes:
    """Return the DKIM-Signature field, with its line end, of a message in CRLF form. Raises InvalidError for a key."""
    key, fields = load_key(signer.key), _fields(header)
    names = [name for name in SIGNED if name.lower() in fields]
    names = [*names, *(name for name in _TWICE if name.lower() in fields)]
    tags = {
        "v": "1",
        "a": "ed25519-sha256" if isinstance(key, Ed25519PrivateKey) else "rsa-sha256",
        "c": "relaxed/relaxed",
        "d": signer.domain,
        "s": signer.selector,
        "t": str(int(at.timestamp())),
        "h": ":".join(names),
        "bh": base64.b64encode(body_hash(body)).decode(),
        "b": "",
    }
    unsigned = "; ".join(f"{name}={value}" for name, value in tags.items())
    signed = b"".join([*_relaxed_fields(names, fields), _relaxed("dkim-signature", unsigned)])
    mark = base64.b64encode(_sign(key, signed)).decode()
    return f"DKIM-Signature: {_folded(unsigned + mark)}\r\n".encode("ascii")


def body_hash(body: Iterable[bytes]) -> bytes:
    """Return the SHA-256 of a body in the relaxed form (RFC 6376, 3.4.4), however it is cut into pieces."""
    digest, empty = hashlib.sha256(), 0
    for line in _lines(body):
        relaxed = _SPACES.sub(b" ", line).rstrip(b" ")
        if not relaxed:
            empty += 1
            continue
        digest.update(b"\r\n" * empty + relaxed + b"\r\n")
        empty = 0
    return digest.digest()


def _lines(body: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in body:
        *lines, rest = (rest + piece).split(b"\r\n")
        yield from lines
    if rest:
        yield rest


def _fields(header: bytes) -> dict[str, str]:
    """Return the fields by their names in lower case; each is there once."""
    lines = _FOLDED.sub("", header.decode("utf-8")).split("\r\n")
    parted = (line.partition(":") for line in lines if line)
    return {name.lower(): value for name, _colon, value in parted}


def _relaxed_fields(names: list[str], fields: dict[str, str]) -> Iterator[bytes]:
    """A name that comes again finds no field, and stands for nothing."""
    for name in dict.fromkeys(name.lower() for name in names):
        yield _relaxed(name, fields[name]) + b"\r\n"


def _relaxed(name: str, value: str) -> bytes:
    """RFC 6376, 3.4.2."""
    return name.encode() + b":" + _SPACES.sub(b" ", value.encode()).strip(b" ")


def _sign(key: RSAPrivateKey | Ed25519PrivateKey, content: bytes) -> bytes:
    if isinstance(key, RSAPrivateKey):
        return key.sign(content, PKCS1v15(), SHA256())
    return key.sign(hashlib.sha256(content).digest())


def _folded(value: str) -> str:
    """Break a field into lines. Within the signature's tag white space is ignored, elsewhere it is where it was."""
    head, _, mark = value.rpartition("; b=")
    lines, line = [], ""
    for word in head.split(" "):
        if line and len(line) + len(word) >= _WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    lines.append(line + ";")
    marks = [mark[at : at + _WIDTH] for at in range(0, len(mark), _WIDTH)]
    return "\r\n ".join([*lines, f"b={marks[0]}", *marks[1:]])
