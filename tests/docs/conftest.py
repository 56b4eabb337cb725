"""The desk of the examples: the stories that `deskbell serve` begins with, told at a fixed time, on a new database."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deskbell.curation.demo import load_demo
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.clock import FixedClock
from deskbell.kernel.database import Database
from deskbell.kernel.resources import RESOURCES_KEY, Resources

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""When the stories are told: a ticket of three hours was opened at nine. What examples change, they change later."""


@pytest.fixture
def example_database(fresh_database: Database) -> Database:
    """A desk in which the agents Mara and Tomás are 1 and 2, and the tickets `DB-1001` to `DB-1012` are 1 to 12."""
    resources: Resources = fresh_database._info[RESOURCES_KEY]  # type: ignore[assignment]
    fresh_database._info[RESOURCES_KEY] = replace(resources, clock=FixedClock(NOW))
    with fresh_database.transaction(Actor.system(Channel.CLI, act="demo")) as session:
        load_demo(session)
    return fresh_database
