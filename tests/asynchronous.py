"""The database of asynchronous tests: one event loop and one connection for all tests of a file.

A new connection knows no table, no plan and no function yet, and spends more on that than most tests on what they try.
The plug-in has it anew for each test, as the event loops of others may end with each.
"""

from collections.abc import AsyncIterator
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.testing.databases import async_rolling_back
from deskbell.testing.plugin import open_database, storage_in


@pytest.fixture(scope="module")
async def _async_pool(clone_address: Address, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    """The application's way to this process's clone, in which commits are real: to be rolled back."""
    database = open_database(clone_address, tmp_path_factory.mktemp("unused"))
    assert database.async_engine, "made here, so that the copies of the tests have the same"
    yield database
    await database.aclose()


@pytest.fixture
async def async_database(_async_pool: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """The database for asynchronous tests, rolled back after the test, with a storage of the test's own."""
    resources: Resources = _async_pool._info[RESOURCES_KEY]  # type: ignore[assignment]
    mine = copy(_async_pool)
    mine._info = {**mine._info, RESOURCES_KEY: replace(resources, storage=storage_in(tmp_path / "attachments"))}
    async with async_rolling_back(mine) as database:
        yield database
