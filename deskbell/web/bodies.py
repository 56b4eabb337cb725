"""Reading what somebody wrote, without holding others up."""

from functools import partial

from anyio import to_thread

from deskbell.tickets.bodies import Body, body_of
from deskbell.tickets.models import BodyFormat


async def read_body(text: str, text_format: str, *, field: str = "content") -> Body:
    """Do what `body_of` does. Markdown can take a second, so it goes to a thread; that costs more than reading text."""
    read = partial(body_of, text, BodyFormat(text_format), field=field)
    return read() if text_format == BodyFormat.TEXT else await to_thread.run_sync(read)
