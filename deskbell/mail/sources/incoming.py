"""The body of one message as it comes over SMTP (RFC 5321, 4.1.1.4 and 4.5.2): bytes in, the message out."""

from typing import Final

END: Final = b"\r\n.\r\n"
_FALSE_ENDS: Final = (b"\n.\n", b"\n.\r", b"\r.\r", b"\r.\n")


class TooLargeBodyError(Exception):
    """The message is larger than what is taken."""


class FalseEndError(Exception):
    """A line holds a dot alone, and does not both begin after and end in CR LF.

    Servers that take that for the end of the message would see two messages where we see one: SMTP smuggling.
    """


class Incoming:
    """A message that is being received. What is larger than `limit` bytes is read to its end, and not kept.

    8-bit text, NUL, and lone CR and LF are kept as they come.
    """

    def __init__(self, limit: int) -> None:
        """Begin after the 354."""
        self.seen = 0
        """How many bytes came."""
        self._limit = limit
        self._body = bytearray(b"\r\n")  # so that an empty message ends like any other
        self._end = -1
        self._is_too_large = False

    def feed(self, piece: bytes) -> bytes | None:
        """Take the next bytes. Return what followed the end of the message, None where that has not come yet."""
        body = self._body
        self.seen += len(piece)
        start = max(0, len(body) - len(END) + 1)
        body += piece
        self._end = body.find(END, start)
        if self._end >= 0:
            return bytes(memoryview(body)[self._end + len(END) :])
        if len(body) > self._limit + len(END):
            self._is_too_large = True
            del body[: -len(END)]
        return None

    def message(self) -> bytes:
        """Return what came, once, without the dots before dots. Raises TooLargeBodyError or FalseEndError."""
        body, end = self._body, self._end
        self._body = bytearray()  # it need not lie in memory twice while the message is written down
        if self._is_too_large or end > self._limit:
            raise TooLargeBodyError
        if any(body.find(false, 0, end + 2) >= 0 for false in _FALSE_ENDS):
            raise FalseEndError
        if body.find(b"\r\n.", 0, end) >= 0:
            return bytes(memoryview(body)[: end + 2]).replace(b"\r\n.", b"\r\n")[2:]
        return bytes(memoryview(body)[2 : end + 2])
