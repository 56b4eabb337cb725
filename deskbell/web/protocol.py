"""HTTP as uvicorn speaks it on httptools, with bounds to the head of a request, as that parser has none of its own.

And an answer leaves whole: uvicorn writes head and body one after the other, and each wakes up whoever reads.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 64 * 1024
_REFUSAL: Final = b"HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_LARGE: Final = b"431 Request Header Fields Too Large"
TOO_SLOW: Final = b"408 Request Timeout"


class Protocol(HttpToolsProtocol):
    """Bounds what comes before and after a body: the address, headers and trailers.

    Counted are the bytes since the last thing that was complete, a head or a piece of a body, as the parser says
    nothing of a header before its end. One read more than `HEAD_BYTES` may come in.
    """

    patience: float = 30
    """Seconds in which a head must be complete."""
    _unfinished = 0
    _is_head_due = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin; the first head is due."""
        super().connection_made(_Joining(transport, self.loop))  # type: ignore[arg-type]  # it does what uvicorn calls
        self._is_head_due = True
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; nothing is due any more."""
        self._is_head_due = False
        self._watch_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what has grown too large without getting anywhere."""
        self._unfinished += len(data)
        super().data_received(data)
        self._watch_head()
        if self._unfinished > HEAD_BYTES:
            self._refuse(TOO_LARGE)

    def on_message_begin(self) -> None:
        """A head begins, on a connection that was idle perhaps."""
        super().on_message_begin()
        self._is_head_due = True

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._unfinished, self._is_head_due = 0, False
        self._watch_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body is complete."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._unfinished = 0
        super().on_message_complete()

    def _watch_head(self) -> None:
        """Set a timer where a head is due, which it is no more when it came in one piece, as most do."""
        if self._is_head_due and self._deadline is None:
            self._deadline = self.loop.call_later(self.patience, self._refuse, TOO_SLOW)
        elif not self._is_head_due and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: bytes) -> None:
        """Say why where no answer is being written, and close."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_REFUSAL % status)
        self.transport.close()


class _Joining:
    """A transport that writes two pieces together where the second comes while the event loop does the same thing.

    No more than one is ever kept: who writes much must notice that the reader is slow.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Write to `transport`."""
        self._transport, self._loop = transport, loop
        self._kept = b""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the transport has it
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, now or soon."""
        if self._kept:
            self._transport.write(self._kept + data)
            self._kept = b""
        else:
            self._kept = data
            self._loop.call_soon(self._write)

    def close(self) -> None:
        """Close when all is written."""
        self._write()
        self._transport.close()

    def _write(self) -> None:
        if self._kept and not self._transport.is_closing():
            self._transport.write(self._kept)
        self._kept = b""
