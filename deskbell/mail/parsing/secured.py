"""Signed and encrypted messages: what was signed can be read, what was encrypted is said to be.

Nothing is verified here, and nothing taken away: a signature that matters is checked on the raw message.
"""

from typing import Final

ENCRYPTED: Final = (
    "(This message is encrypted with {kind}: only the key of its recipient opens it. It is attached as {name}.)"
)

_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")  # RFC 5652 5.1
_CONSTRUCTED: Final = 0x20
_SEQUENCE: Final = 0x30
_MAX_DEPTH: Final = 12
_MAX_ELEMENTS: Final = 200_000
_LONG: Final = 0x80  # the length has octets of its own, or with none of them is told by an end


def signed_content(content: bytes) -> bytes | None:
    """Return what an S/MIME message of type signed-data carries (RFC 8551 3.5.2), None for any other.

    ContentInfo → SignedData → EncapsulatedContentInfo → octets, in BER, as programs write it in one piece or in many.
    """
    try:
        return _Reader().signed(memoryview(content))
    except (IndexError, ValueError):
        return None


class _Reader:
    """Reads elements, so many at most. Raises IndexError or ValueError for what is none."""

    def __init__(self) -> None:
        self._left = _MAX_ELEMENTS

    def signed(self, view: memoryview) -> bytes | None:
        kind, explicit = self._children(self._inside(view))[:2]
        if bytes(kind[1]) != _SIGNED_DATA:
            return None
        encapsulated = self._children(self._inside(explicit[1]))[2][1]
        return self._octets(self._children(encapsulated)[1][1], 0)

    def _octets(self, view: memoryview, depth: int) -> bytes:
        if depth == _MAX_DEPTH:
            raise ValueError
        elements = self._children(view)
        return b"".join(self._octets(each, depth + 1) if tag & _CONSTRUCTED else each for tag, each in elements)

    def _inside(self, view: memoryview) -> memoryview:
        tag, inner, _ = self._element(view, 0, 0)
        if tag != _SEQUENCE:
            raise ValueError
        return inner

    def _children(self, view: memoryview) -> list[tuple[int, memoryview]]:
        found, position = list[tuple[int, memoryview]](), 0
        while position < len(view):
            tag, inner, position = self._element(view, position, 0)
            found.append((tag, inner))
        return found

    def _element(self, view: memoryview, position: int, depth: int) -> tuple[int, memoryview, int]:
        """Return tag, content and end of the element at `position`."""
        self._left -= 1
        if depth == _MAX_DEPTH or self._left < 0:
            raise ValueError
        tag, length, begin = view[position], view[position + 1], position + 2
        if length == _LONG:
            return tag, *self._until_end(view, begin, depth)
        if length > _LONG:
            octets = length - _LONG
            length, begin = int.from_bytes(view[begin : begin + octets], "big"), begin + octets
        if begin + length > len(view):
            raise ValueError
        return tag, view[begin : begin + length], begin + length

    def _until_end(self, view: memoryview, begin: int, depth: int) -> tuple[memoryview, int]:
        position = begin
        while view[position] or view[position + 1]:
            _, _, position = self._element(view, position, depth + 1)
        return view[begin:position], position + 2
