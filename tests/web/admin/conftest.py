"""The administrator's desk over HTTP, on a database that is rolled back."""

import pytest

from deskbell.accounts.models import Role
from tests.web.pages.conftest import Browser, Pages, desk, live, short_log

__all__ = ["desk", "live", "short_log"]


@pytest.fixture
async def admin(desk: Pages) -> Browser:
    """The browser of an administrator."""
    return await desk.browser_of(Role.ADMIN)
