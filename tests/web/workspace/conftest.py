"""The workspace over HTTP: desks and browsers as for every other page."""

from tests.web.pages.conftest import agent, desk, live, short_log

__all__ = ["agent", "desk", "live", "short_log"]
