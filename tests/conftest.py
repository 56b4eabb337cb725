"""Fixtures of all tests: the project's own pytest plug-in, and asyncio as the only asynchronous backend."""

import pytest

pytest_plugins = ["deskbell.testing.plugin"]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run asynchronous tests on asyncio, with the event loop that the server uses."""
    return "asyncio", {"use_uvloop": True}
