"""An empty database for each test of migrations."""

import os
from collections.abc import Iterator

import pytest

from deskbell.kernel.address import Address
from deskbell.testing.servers import empty_database


@pytest.fixture
def empty(server: Address) -> Iterator[Address]:
    """The superuser's way to a database with roles and extensions and nothing else."""
    with empty_database(server, f"empty_{os.getpid()}") as address:
        yield address
