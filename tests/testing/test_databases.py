"""Databases that roll back, seen from within: who acts on a connection that several sessions share."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from deskbell.accounts.models import User
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.testing.databases import rolling_back
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.models import Ticket


def acting(session: Session) -> str:
    return str(session.scalar(text("select current_setting('role') || current_setting('deskbell.actor')")))


def identity(who: Actor) -> str:
    return who.role + str(who.user_id)


def test_a_session_is_itself_again_after_another_one(database: Database, factory: Factory) -> None:
    kim, lou = actor(factory.user()), actor(factory.user())
    with database.transaction(kim) as as_kim:
        with database.transaction(lou) as as_lou:
            for _ in range(2):
                assert (acting(as_kim), acting(as_lou)) == (identity(kim), identity(lou))
        assert acting(as_kim) == identity(kim)
        factory.user()
        assert acting(as_kim) == identity(kim)


def test_a_flush_is_done_as_whose_session_it_is(database: Database, factory: Factory) -> None:
    kim = factory.user()
    with database.transaction(actor(kim)) as as_kim:
        as_kim.add(Ticket(title="Hello", description="Hello", creator_id=kim.id))
        factory.user()
        as_kim.flush()
        written_by = "select user_id from audit_logs where table_name = 'tickets' order by id desc limit 1"
        with database.transaction(SYSTEM) as session:
            assert session.scalar(text(written_by)) == kim.id


def test_a_savepoint_that_is_rolled_back_gives_nobody_elses_identity(database: Database, factory: Factory) -> None:
    kim, lou = actor(factory.user()), actor(factory.user())
    with database.transaction(kim) as as_kim, database.transaction(lou) as as_lou:
        assert acting(as_lou) == identity(lou)
        savepoint = as_kim.begin_nested()
        assert acting(as_kim) == identity(kim)
        savepoint.rollback()
        assert acting(as_kim) == identity(kim)


def test_everything_is_taken_back_whoever_did_it(fresh_database: Database) -> None:
    with rolling_back(fresh_database) as inner:
        made = Factory(inner).ticket()
        assert inner.constraint_errors is fresh_database.constraint_errors
        assert inner.engine is fresh_database.engine
    with fresh_database.transaction(SYSTEM) as session:
        assert session.scalars(select(User.id)).all() == []
        assert session.get(Ticket, made.id) is None


@pytest.mark.anyio
async def test_the_other_worlds_sessions_are_refused_rather_than_committed(
    database: Database, async_database: Database
) -> None:
    with pytest.raises(RuntimeError, match="rolled back through one connection"):
        async with database.async_transaction(SYSTEM):
            pass
    with pytest.raises(RuntimeError, match="rolled back through one connection"), async_database.transaction(SYSTEM):
        pass


@pytest.mark.anyio
async def test_who_has_not_said_who_they_are_is_nobody(async_database: Database) -> None:
    async with async_database.async_transaction(SYSTEM) as session:
        await session.execute(text("select 1 from tickets"))
    async with async_database.async_unidentified_transaction() as session:
        assert await session.scalar(text("select current_user")) == "deskbell_app"
