"""The world in which row security is tested, made once for each process of the run."""

import os
from collections.abc import Iterator

import pytest

from deskbell.kernel.address import Address
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import clone
from tests.access.world import World, build_world


@pytest.fixture(scope="session")
def world(server: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """People, tickets, notes and files, committed; every test undoes what it does."""
    with clone(server, f"access_{os.getpid()}") as address:
        database = open_database(address, tmp_path_factory.mktemp("attachments"))
        world = build_world(address, database)
        yield world
        world.close()
        database.close()
