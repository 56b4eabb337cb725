"""DKIM signatures, verified by another implementation of RFC 6376 and, for the body hash, by hand."""

import base64
import hashlib
import re
from datetime import UTC, datetime

import dkim  # type: ignore[import-untyped] # it has no types
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from deskbell.kernel.errors import InvalidError
from deskbell.mail.outbound.signing import Signer, body_hash, load_key, public_record, signature_of

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RSA, ED25519 = rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate()
HEADER = (
    b"From: =?utf-8?q?K=C3=A4se?= <help@example.org>\r\nTo: kim@example.test\r\nSubject: A  long\r\n\t subject \r\n"
    b"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <a@example.org>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: text/plain; charset="utf-8"\r\n\r\n'
)
BODY = b"Hello \t there  \r\n\r\n  .\r\n..\r\n\r\n\r\n"


def pem(key: object, encryption: object = None) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()  # type: ignore[attr-defined, no-any-return]


def is_good(message: bytes, record: str) -> bool:
    def records(name: bytes, timeout: int = 5) -> bytes:  # noqa: ARG001 - dkimpy calls it so
        assert name == b"mail2026._domainkey.example.org."
        return record.encode()

    return dkim.verify(message, dnsfunc=records)  # type: ignore[no-any-return]


def signed(key: object, header: bytes = HEADER, body: bytes = BODY) -> bytes:
    signer = Signer("example.org", "mail2026", pem(key))
    return signature_of(signer, header, [body], AT) + header + body


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_another_implementation_finds_the_signature_good(key: object) -> None:
    message, record = signed(key), public_record(pem(key))
    assert is_good(message, record)
    for was, became in ((b"Hello", b"Jello"), (b"kim@", b"sam@"), (b"Subject: A", b"Subject: B"), (b"..", b".")):
        assert not is_good(message.replace(was, became), record)
    assert is_good(message.replace(b"Hello \t there  ", b"Hello there").replace(b"A  long", b"A long"), record)


def test_nobody_can_add_a_second_subject_or_sender() -> None:
    message, record = signed(RSA), public_record(pem(RSA))
    for line in (b"Subject: Other\r\n", b"From: evil@example.test\r\n", b"To: all@example.test\r\n"):
        assert not is_good(line + message, record)


def test_the_body_hash_is_what_the_rfc_says() -> None:
    told = re.search(rb"bh=([^;]+);", signed(RSA))
    by_hand = hashlib.sha256(b"Hello there\r\n\r\n .\r\n..\r\n").digest()
    assert told
    assert base64.b64decode(told[1]) == by_hand
    assert body_hash([b""]) == hashlib.sha256(b"").digest()  # RFC 6376, 3.4.4
    assert body_hash([b"\r\n\r\n"]) == hashlib.sha256(b"").digest()


@given(st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b".", b"xyz"]), max_size=40), st.integers(1, 7))
@settings(max_examples=200, deadline=None)
def test_it_does_not_matter_how_the_body_is_cut(parts: list[bytes], size: int) -> None:
    body = b"".join(parts) + b"\r\n"
    assert body_hash([body[at : at + size] for at in range(0, len(body), size)]) == body_hash([body])


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "no key",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(ED25519, BestAvailableEncryption(b"secret")),
        RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode(),
    ],
    ids=["nothing", "words", "cut", "another kind", "locked", "public"],
)
def test_what_cannot_sign_is_refused_in_words(bad: str) -> None:
    with pytest.raises(InvalidError):
        load_key(bad)
