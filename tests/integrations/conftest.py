"""A desk on a database of the test file's own, opened as a host opens it, with one connection for each engine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from deskbell.kernel.address import Address
from deskbell.kernel.settings import DatabaseSettings, Settings
from deskbell.runtime import Desk, open_desk
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.testing.servers import SECRET_KEY, clone
from deskbell.tickets.models import Tag, TicketTag


def settings_for(address: Address, data_dir: Path) -> Settings:
    database = DatabaseSettings.model_validate(
        {"url": address.dsn, "pool_size": 1, "max_overflow": 0, "pool_timeout": 3}
    )
    return Settings.model_validate({"data_dir": data_dir, "secret_key": SECRET_KEY, "database": database})


@pytest.fixture
def settings(fresh_address: Address, tmp_path: Path) -> Settings:
    return settings_for(fresh_address, tmp_path)


@pytest.fixture(scope="module")
def module_desk(server: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    data_dir = tmp_path_factory.mktemp("desk")
    with clone(server, f"desk_{os.getpid()}") as address, open_desk(settings_for(address, data_dir)) as desk:
        yield desk


@pytest.fixture
def desk(module_desk: Desk) -> Iterator[Desk]:
    """An open desk of the test file, in which there are no tags before and after a test."""
    yield module_desk
    with module_desk.database.transaction(SYSTEM) as session:
        session.execute(delete(TicketTag))
        session.execute(delete(Tag))


@pytest.fixture(scope="module")
def committed(module_desk: Desk) -> Factory:
    """Test data in the desk's database, which are there for everybody and stay."""
    return Factory(module_desk.database)
