"""Whom a host's user is at the desk."""

import pytest

from deskbell.accounts.actions import set_active
from deskbell.accounts.models import Role
from deskbell.accounts.queries import get_user
from deskbell.integrations.people import SYSTEM, HostUser, actor_for
from deskbell.kernel.actor import Actor, ActorKind
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.testing.factories import Factory


def found(database: Database, email: str, *, at_most: Role = Role.ADMIN, create: bool = False) -> Actor:
    with database.transaction(SYSTEM) as session:
        return actor_for(session, HostUser(email, "Nia New"), at_most=at_most, create=create)


def test_an_address_is_known_in_any_case(database: Database, factory: Factory) -> None:
    agent = factory.user(Role.AGENT, email="Sam@Example.test")
    actor = found(database, " sam@example.TEST ")
    assert (actor.kind, actor.user_id) == (ActorKind.AGENT, agent.id)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("at_most", Role)
def test_nobody_acts_as_more_than_they_are_or_the_host_allows(
    database: Database, factory: Factory, role: Role, at_most: Role
) -> None:
    """A host whose users choose their own addresses must not make an administrator of the one who chooses best."""
    order = [Role.CUSTOMER, Role.AGENT, Role.ADMIN]
    actor = found(database, factory.user(role).email, at_most=at_most)
    assert actor.kind.value == order[min(order.index(role), order.index(at_most))].value


def test_a_stranger_is_refused_or_becomes_a_customer(database: Database) -> None:
    with pytest.raises(ForbiddenError, match=r"nobody with the address nia@example\.test"):
        found(database, "nia@example.test")
    actor = found(database, "nia@example.test", create=True)
    assert actor.kind is ActorKind.CUSTOMER
    assert found(database, "nia@example.test").user_id == actor.user_id
    with database.transaction(SYSTEM) as session:
        assert get_user(session, actor.user_id or 0).full_name == "Nia New"


def test_who_is_not_active_any_more_is_refused(database: Database, factory: Factory) -> None:
    user = factory.user()
    with database.transaction(SYSTEM) as session:
        set_active(session, user.id, active=False)
    for create in (False, True):
        with pytest.raises(ForbiddenError, match="not active any more"):
            found(database, user.email, create=create)


def test_who_has_no_address_is_told_so(database: Database) -> None:
    for email in ("", "  ", "\0"):
        with pytest.raises(ForbiddenError, match="no e-mail address"):
            found(database, email, create=True)
    with pytest.raises(InvalidError):
        found(database, "not an address", create=True)
