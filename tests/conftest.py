"""Fixtures of all tests: the project's own pytest plug-in, and asyncio as the only asynchronous backend."""

import pytest

pytest_plugins = ["deskbell.testing.plugin"]


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run asynchronous tests on the standard library's event loop; the server of the browser tests has uvloop."""
    return "asyncio", {"use_uvloop": False}
