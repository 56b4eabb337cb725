"""The past of one ticket is read from the index, however long the log is."""

from datetime import UTC, datetime

import pytest

from deskbell.kernel.actor import Actor
from deskbell.tickets.as_of import as_of
from deskbell.tickets.history import history_page
from deskbell.tickets.queries import get_ticket
from tests.plans.conftest import BigDesk
from tests.plans.explain import explaining


def test_the_history_of_a_ticket(desk: BigDesk, agent: Actor) -> None:
    number = desk.ticket_of(agent)
    with desk.database.transaction(agent) as session, explaining(session, desk.big) as plans:
        assert history_page(session, number).items
    assert plans.statements
    assert plans.faults == []


@pytest.mark.parametrize("long_ago", [True, False])
def test_a_ticket_as_it_was(desk: BigDesk, agent: Actor, *, long_ago: bool) -> None:
    number = desk.ticket_of(agent)
    with desk.database.transaction(agent) as session:
        at = get_ticket(session, number).created_at if long_ago else datetime.now(UTC)
        with explaining(session, desk.big) as plans:
            assert as_of(session, number, at).ticket.ticket_number == number
    assert plans.statements
    assert plans.faults == []
