"""The pytest plug-in as others use it: whole runs of pytest, in processes of their own, on the server of this one."""

import pytest

from deskbell.kernel.address import Address
from deskbell.testing.plugin import run_name

PLUGIN = 'pytest_plugins = ["deskbell.testing.plugin"]\n'
SYNCHRONOUS = '''
import pytest
from sqlalchemy import select
from deskbell.accounts.actions import create_user
from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import ActorKind
from deskbell.kernel.errors import ConflictError
from deskbell.testing.factories import SYSTEM, actor
from deskbell.tickets.actions import assign, open_ticket
from deskbell.tickets.bodies import body_of
from deskbell.tickets.models import Ticket

@pytest.fixture
def database():
    """A fixture of the project's own, which may have any name."""
    return "mine"

@pytest.fixture
def factory(database):
    return database

@pytest.mark.parametrize("time", [1, 2])
def test_what_is_committed_is_gone_in_the_next_test(deskbell_database, time):
    with deskbell_database.transaction(SYSTEM) as session:
        create_user(session, email="kim@example.test")

def test_a_session_sees_what_the_factory_made(deskbell_session, deskbell_factory):
    ticket = deskbell_factory.ticket()
    assert deskbell_session.scalars(select(Ticket.id)).all() == [ticket.id]

def test_an_error_of_the_database_loses_nothing_of_the_fixtures(deskbell_database, deskbell_factory):
    deskbell_factory.user(email="kim@example.test")
    with pytest.raises(ConflictError), deskbell_database.transaction(SYSTEM) as session:
        create_user(session, email="kim@example.test")
    with deskbell_database.transaction(SYSTEM) as session:
        assert session.scalars(select(User.email)).all() == ["kim@example.test"]

def test_people_side_by_side_each_see_their_own(deskbell_as, deskbell_factory, deskbell_agent):
    kim, lou = deskbell_factory.user(), deskbell_factory.user()
    as_kim, as_lou, as_agent = deskbell_as(kim), deskbell_as(lou), deskbell_as(deskbell_agent)
    ticket = open_ticket(as_kim, body=body_of("Hello"), requester=kim)
    number = ticket.ticket_number
    for _ in range(2):
        assert as_lou.scalars(select(Ticket.ticket_number)).all() == []
        assert as_kim.scalars(select(Ticket.ticket_number)).all() == [number]
        assert as_agent.scalars(select(Ticket.ticket_number)).all() == [number]
    assert assign(as_agent, number, deskbell_agent.user_id).assignee_id == deskbell_agent.user_id

def test_there_is_an_actor_of_each_kind(deskbell_customer, deskbell_agent, deskbell_admin):
    kinds = [who.kind for who in (deskbell_customer, deskbell_agent, deskbell_admin)]
    assert kinds == [ActorKind.CUSTOMER, ActorKind.AGENT, ActorKind.ADMIN]

def test_what_is_committed_to_a_fresh_database_is_there_for_everybody(deskbell_fresh_database, deskbell_environment):
    from deskbell.kernel.settings import Settings
    from deskbell.runtime import open_desk
    from deskbell.testing.factories import Factory
    ticket = Factory(deskbell_fresh_database).ticket()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in deskbell_environment.items():
            patch.setenv(name, value)
        with open_desk(Settings()) as desk, desk.database.transaction(SYSTEM) as session:
            assert session.scalars(select(Ticket.id)).all() == [ticket.id]

def test_the_projects_own_fixtures_are_its_own(database, factory):
    assert (database, factory) == ("mine", "mine")
'''
ASYNCHRONOUS = """
import pytest
from sqlalchemy import select
from deskbell.accounts.actions import create_user
from deskbell.accounts.models import Role, User
from deskbell.kernel.errors import ConflictError
from deskbell.testing.factories import SYSTEM, actor
from deskbell.tickets.models import Ticket

pytestmark = pytest.mark.anyio

@pytest.mark.parametrize("time", [1, 2])
async def test_what_is_committed_is_gone_in_the_next_test(deskbell_async_database, time):
    async with deskbell_async_database.async_transaction(SYSTEM) as session:
        await session.run_sync(create_user, email="kim@example.test")

async def test_a_session_sees_what_was_made(deskbell_async_session, deskbell_make):
    ticket = await deskbell_make(lambda factory: factory.ticket())
    assert (await deskbell_async_session.scalars(select(Ticket.id))).all() == [ticket.id]

async def test_an_error_of_the_database_loses_nothing_of_the_fixtures(deskbell_async_database, deskbell_make):
    await deskbell_make(lambda factory: factory.user(email="kim@example.test"))
    with pytest.raises(ConflictError):
        async with deskbell_async_database.async_transaction(SYSTEM) as session:
            await session.run_sync(create_user, email="kim@example.test")
    async with deskbell_async_database.async_transaction(SYSTEM) as session:
        assert (await session.scalars(select(User.email))).all() == ["kim@example.test"]

async def test_people_side_by_side_each_see_their_own(deskbell_async_database, deskbell_make):
    kim, lou = await deskbell_make(lambda factory: (factory.user(), factory.user()))
    ticket = await deskbell_make(lambda factory: factory.ticket(kim))
    async with (
        deskbell_async_database.async_transaction(actor(kim)) as as_kim,
        deskbell_async_database.async_transaction(actor(lou)) as as_lou,
    ):
        for _ in range(2):
            assert (await as_lou.scalars(select(Ticket.id))).all() == []
            assert (await as_kim.scalars(select(Ticket.id))).all() == [ticket.id]
"""


@pytest.fixture(autouse=True)
def same_server(deskbell_server: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs join the server of this one, which takes seconds to start."""
    assert deskbell_server
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", run_name())
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


def run(pytester: pytest.Pytester, *arguments: str) -> dict[str, int]:
    return pytester.runpytest_subprocess("-W", "error", "-q", *arguments, timeout=240).parseoutcomes()


def test_synchronous_tests_and_those_of_asyncio_work_side_by_side(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(PLUGIN)
    pytester.makepyfile(test_synchronous=SYNCHRONOUS, test_asynchronous=ASYNCHRONOUS)
    assert run(pytester) == {"passed": 13}


def test_several_processes_share_a_server_and_no_database(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(PLUGIN)
    pytester.makepyfile(
        """
        import pytest
        from sqlalchemy import select
        from deskbell.accounts.models import User

        @pytest.mark.parametrize("number", range(8))
        def test_nobody_else_is_there(deskbell_factory, deskbell_session, worker_id, number, tmp_path_factory):
            deskbell_factory.user(email="kim@example.test")
            assert deskbell_session.scalars(select(User.email)).all() == ["kim@example.test"]
            (tmp_path_factory.getbasetemp().parent / f"was-{worker_id}").touch()

        @pytest.fixture(scope="session", autouse=True)
        def both_work(deskbell_clone, tmp_path_factory):
            yield
        """
    )
    assert run(pytester, "-n", "2", "--dist", "load", f"--testrunuid={run_name()}", "--basetemp=base") == {"passed": 8}
    assert sorted(path.name for path in (pytester.path / "base").glob("was-*")) == ["was-gw0", "was-gw1"]


def test_a_run_that_does_not_ask_for_it_does_not_load_it(pytester: pytest.Pytester) -> None:
    """It is no entry point: a project that merely has Deskbell installed pays nothing for its tests."""
    pytester.makepyfile(
        """
        import sys

        def test_nothing_of_deskbell_is_loaded():
            assert not [name for name in sys.modules if name.startswith("deskbell")]
        """
    )
    assert run(pytester) == {"passed": 1}
