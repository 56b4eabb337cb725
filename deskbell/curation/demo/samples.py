"""The few files that all made-up attachments share: small, always the same bytes, written once."""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from deskbell.kernel.storage import Storage, sniff

_SIDE = 48
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A file in the storage; `pattern` is what its attachments are called, with a number of their own."""

    pattern: str
    media_type: str
    size: int
    sha256: str
    key: str

    @property
    def is_picture(self) -> bool:
        """Whether a mail could show it between its lines."""
        return self.media_type.startswith("image/")

    def name(self, number: int) -> str:
        """Return a file name."""
        return self.pattern.format(number)


def keep_files(storage: Storage) -> tuple[File, ...]:
    """Write the files, or find them written, and return them with the most frequent first."""
    return tuple(_kept(storage, pattern, content) for pattern, content in _contents())


def _kept(storage: Storage, pattern: str, content: bytes) -> File:
    blob = storage.put(BytesIO(content), max_bytes=_LARGEST)
    return File(pattern, sniff(blob.head, pattern), blob.size, blob.sha256, blob.key)


def _contents() -> Iterator[tuple[str, bytes]]:
    for number in range(8):
        yield f"screenshot-{{}}{'-error' if number % 2 else ''}.png", picture(number)
        yield "invoice-{}.pdf", _document(number)
        yield "IMG_{}.png", picture(100 + number)
        yield "error-{}.log", _log(number)
        yield "orders-{}.csv", _table(number)
        yield "settings-{}.json", json.dumps({"demo": True, "number": number}, indent=2).encode()


def picture(number: int) -> bytes:
    """Return a PNG (W3C PNG, third edition) with stripes in colours of its own."""
    rows = bytearray()
    for y in range(_SIDE):
        rows.append(0)  # no filter
        for x in range(_SIDE):
            stripe = (x + y * (number % 5)) // 8
            rows += bytes(((stripe * 37 + number * 11) % 256, (stripe * 53 + number * 29) % 256, (number * 71) % 256))
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _document(number: int) -> bytes:
    """Return a PDF (ISO 32000) of one page with one line."""
    line = f"BT /F1 18 Tf 72 720 Td (Example invoice {number + 1}) Tj ET".encode()
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 %s >> >> >>"
    )
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page % font,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(line), line),
    )
    written, places = bytearray(b"%PDF-1.4\n"), []
    for index, body in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (index, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = (len(objects) + 1, table, len(objects) + 1, len(written))
    return (
        bytes(written)
        + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % end
    )


def _log(number: int) -> bytes:
    lines = (
        f"2026-01-01T00:{line:02}:00Z worker[{number}] request {line * 7919 % 997} took {line} ms" for line in range(60)
    )
    return ("\n".join(lines) + "\n").encode()


def _table(number: int) -> bytes:
    lines = (f"{line},{(line * 7919 + number) % 997},open" for line in range(1, 120))
    return ("order,amount,state\n" + "\n".join(lines) + "\n").encode()
