"""A desk that gets mail."""

import pytest

from deskbell.kernel.database import Database
from deskbell.testing.factories import Factory
from tests.mail.filing.post import Desk


@pytest.fixture
def desk(database: Database, factory: Factory) -> Desk:
    """A desk whose mail is rolled back after the test."""
    return Desk(database, factory)
