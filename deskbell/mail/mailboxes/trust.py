"""Whom a mailbox's connections trust: the system's authorities, and those that the mailbox brings itself."""

import ssl


def trusting(authority: str) -> ssl.SSLContext:
    """Return what checks a server's certificate and name; `authority` holds further certificates (PEM) to trust.

    Raises ssl.SSLError where these are none.
    """
    context = ssl.create_default_context()
    if authority.strip():
        context.load_verify_locations(cadata=authority)
    return context
