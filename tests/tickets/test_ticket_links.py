"""Links between tickets, seen from both ends."""

from collections.abc import Callable

import pytest

from deskbell.accounts.models import Role, User
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError, NotFoundError
from deskbell.testing.factories import Factory, actor
from deskbell.tickets.errors import NoSuchTicketError
from deskbell.tickets.history import history_page
from deskbell.tickets.models import Ticket
from deskbell.tickets.relation_models import TicketLinkKind
from deskbell.tickets.ticket_links import link, links_of, unlink


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT)


@pytest.fixture
def pair(factory: Factory) -> tuple[Ticket, Ticket]:
    """The elder one and the younger one."""
    return factory.ticket(), factory.ticket()


Pair = tuple[Ticket, Ticket]


@pytest.mark.parametrize("order", [lambda pair: pair, lambda pair: pair[::-1]], ids=["elder first", "younger first"])
def test_a_follow_up_is_the_younger_one_whichever_way_they_are_linked(
    database: Database, agent: User, pair: Pair, order: Callable[[Pair], Pair]
) -> None:
    elder, younger = pair
    one, two = (ticket.ticket_number for ticket in order(pair))
    with database.transaction(actor(agent)) as session:
        assert link(session, one, two, TicketLinkKind.FOLLOW_UP)
        assert not link(session, one, two)
        [down], [up] = links_of(session, elder.id), links_of(session, younger.id)
    assert (down.ticket.id, down.kind, down.follows) == (younger.id, TicketLinkKind.FOLLOW_UP, True)
    assert (up.ticket.id, up.kind, up.follows) == (elder.id, TicketLinkKind.FOLLOW_UP, False)


def test_both_histories_tell_of_a_link_and_of_its_end(database: Database, agent: User, pair: Pair) -> None:
    one, two = (ticket.ticket_number for ticket in pair)
    for act in (link, unlink):
        with database.transaction(actor(agent)) as session:
            act(session, two, one)
    with database.transaction(actor(agent)) as session:
        for number, other in ((one, two), (two, one)):
            told = [act.summary for act in history_page(session, number).items[:2]]
            assert told == [f"no longer linked to {other}", f"linked to {other}"]
        assert not links_of(session, pair[0].id)


def test_what_is_not_there_is_not_linked(database: Database, factory: Factory, agent: User, pair: Pair) -> None:
    one, two = (ticket.ticket_number for ticket in pair)
    with database.transaction(actor(agent)) as session:
        with pytest.raises(InvalidError):
            link(session, one, one.lower())
        with pytest.raises(NoSuchTicketError):
            link(session, one, "DB-999999")
        with pytest.raises(NotFoundError):
            unlink(session, one, two)
    with database.transaction(actor(factory.user())) as session, pytest.raises(ForbiddenError):
        link(session, one, two)


def test_customers_see_no_links(database: Database, agent: User, pair: Pair) -> None:
    with database.transaction(actor(agent)) as session:
        link(session, pair[0].ticket_number, pair[1].ticket_number)
        requester = session.get_one(User, pair[0].creator_id)
    with database.transaction(actor(requester)) as session, pytest.raises(ForbiddenError):
        links_of(session, pair[0].id)
