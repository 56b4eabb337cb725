"""The head of a request, where all of its headers in one mapping would cost more than the one that is asked for."""

from starlette.types import Scope


def header_of(scope: Scope, name: bytes) -> str:
    """Return a header, the first one of this name, which is in lower case; empty where there is none."""
    for found, value in scope["headers"]:
        if found == name:
            return str(value, "latin-1")
    return ""
