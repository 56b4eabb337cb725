"""Rows as CSV (RFC 4180), to be opened in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any, Final

from fastapi import Response

from deskbell.web.downloads import content_disposition

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "Comma-separated, with a header."}
}
"""What the documentation says of a route that answers so."""


def csv_response(header: Sequence[str], rows: Iterable[Sequence[object]], file_name: str) -> Response:
    """Answer with a file."""
    text = csv_text((header, *rows))
    disposition = {"Content-Disposition": content_disposition("attachment", file_name)}
    return Response(text, media_type="text/csv; charset=utf-8", headers=disposition)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Write rows. Text that a spreadsheet would take for a formula has an apostrophe before it."""
    text = StringIO()
    csv.writer(text).writerows([_harmless(value) for value in row] for row in rows)
    return text.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
