"""Who acts, as the database is told it."""

import asyncio

import pytest

from deskbell.kernel.actor import Actor, ActorKind, Channel, acting_as, current_actor


@pytest.mark.parametrize("kind", [ActorKind.CUSTOMER, ActorKind.AGENT, ActorKind.ADMIN])
def test_a_person_needs_an_id(kind: ActorKind) -> None:
    with pytest.raises(ValueError, match="needs a user_id"):
        Actor(kind)


@pytest.mark.parametrize("kind", ActorKind)
def test_each_kind_has_a_database_role_of_its_own(kind: ActorKind) -> None:
    who = Actor(kind, 1)
    assert (who.role, who.settings()["role"]) == (f"deskbell_{kind.value}",) * 2
    assert who.is_staff is (kind is not ActorKind.CUSTOMER)


def test_every_parameter_is_set_each_time_so_that_none_is_left_over() -> None:
    assert Actor.system().settings() == {
        "role": "deskbell_system",
        "deskbell.actor": "",
        "deskbell.channel": "job",
        "deskbell.act": "",
        "deskbell.cause": "",
        "deskbell.operation": "",
    }


def test_a_long_act_or_cause_is_cut_to_what_the_log_holds() -> None:
    settings = Actor.system(Channel.CLI, act="a" * 999, cause="c" * 999).settings()
    assert (len(settings["deskbell.act"]), len(settings["deskbell.cause"])) == (200, 200)


def test_who_does_something_else_stays_who_they_are() -> None:
    who = Actor(ActorKind.AGENT, 7, Channel.WEB, act="read", cause="rule:1", operation=3)
    assert who.doing("write") == Actor(ActorKind.AGENT, 7, Channel.WEB, act="write", cause="rule:1", operation=3)


def test_blocks_nest_and_end_also_by_an_error() -> None:
    first, second = Actor.system(act="first"), Actor.system(act="second")
    with acting_as(first):
        with pytest.raises(ZeroDivisionError), acting_as(second):
            raise ZeroDivisionError
        assert current_actor() is first
    assert current_actor() is None


def test_tasks_that_run_at_once_do_not_see_each_others_actor() -> None:
    async def act(name: str, barrier: asyncio.Barrier) -> str:
        with acting_as(Actor.system(act=name)):
            await barrier.wait()
            who = current_actor()
            return who.act if who else ""

    async def both() -> list[str]:
        barrier = asyncio.Barrier(2)
        return list(await asyncio.gather(act("one", barrier), act("two", barrier)))

    assert asyncio.run(both()) == ["one", "two"]
