"""A function in both worlds is one function: the same results, the same errors, and the same name."""

import inspect
from typing import assert_type

import pytest
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.worlds import both_worlds

pytestmark = pytest.mark.anyio
SYSTEM = Actor.system()


@both_worlds
def doubled(session: Session, number: int, *, times: int = 2) -> int:
    """Multiply in the database."""
    if number < 0:
        raise InvalidError("Not below zero.", field="number")
    return session.scalars(select(literal(number) * literal(times))).one()


def test_called_with_a_session_it_returns(database: Database) -> None:
    with database.transaction(SYSTEM) as session:
        assert assert_type(doubled(session, 21), int) == 42
        assert doubled(session, 5, times=3) == 15


async def test_called_with_an_asynchronous_session_it_is_awaited(async_database: Database) -> None:
    async with async_database.async_transaction(SYSTEM) as session:
        assert assert_type(await doubled(session, 21), int) == 42
        assert await doubled(session, 5, times=3) == 15


async def test_it_fails_alike(database: Database, async_database: Database) -> None:
    with database.transaction(SYSTEM) as plain, pytest.raises(InvalidError) as here:
        doubled(plain, -1)
    async with async_database.async_transaction(SYSTEM) as session:
        with pytest.raises(InvalidError) as there:
            await doubled(session, -1)
    assert (here.value.message, here.value.field) == (there.value.message, there.value.field)


def test_it_keeps_its_name_its_promise_and_its_arguments() -> None:
    assert getattr(doubled, "__name__", "") == "doubled"
    assert doubled.__doc__ == "Multiply in the database."
    assert list(inspect.signature(doubled).parameters) == ["session", "number", "times"]
