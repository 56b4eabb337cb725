"""Reading what somebody wrote, without holding others up."""

import json
import re
from functools import partial
from typing import Any, Final

from anyio import to_thread
from fastapi import Request
from fastapi._compat import Undefined
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from deskbell.tickets.bodies import Body, body_of
from deskbell.tickets.models import BodyFormat

_JSON: Final = re.compile(r"application/(?:[^;\s]+\+)?json\s*(?:;|$)", re.IGNORECASE)


async def read_json(request: Request) -> Any:  # noqa: ANN401 - whatever was sent
    """Return what a body says in JSON, its bytes where it is something else, and Undefined where there is none.

    Raises RequestValidationError, and HTTPException for what is no text, nested too deeply or a number too long.
    """
    body = await request.body()
    if not body:
        return Undefined
    if not _JSON.match(request.headers.get("content-type", "")):
        return body
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        found = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "input": {}}
        raise RequestValidationError([{**found, "ctx": {"error": error.msg}}], body=error.doc) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400) from error


async def read_body(text: str, text_format: str, *, field: str = "content") -> Body:
    """Do what `body_of` does. Markdown can take a second, so it goes to a thread; that costs more than reading text."""
    read = partial(body_of, text, BodyFormat(text_format), field=field)
    return read() if text_format == BodyFormat.TEXT else await to_thread.run_sync(read)
