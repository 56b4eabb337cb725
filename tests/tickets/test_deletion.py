"""Putting tickets away and bringing them back, by id and by number."""

from typing import Any

import pytest

from deskbell.accounts.models import Role
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, NotFoundError
from deskbell.testing.factories import Factory, actor
from deskbell.tickets.deletion import restore_ticket, soft_delete_ticket
from deskbell.tickets.queries import get_ticket


def test_it_says_whether_anything_changed(database: Database, factory: Factory) -> None:
    ticket, agent = factory.ticket(), factory.user(Role.AGENT)
    for known_by in (ticket.id, ticket.ticket_number, ticket.ticket_number.lower()):
        with database.transaction(actor(agent)) as session:
            assert restore_ticket(session, known_by) is False
            assert soft_delete_ticket(session, known_by) is True
            assert soft_delete_ticket(session, known_by) is False
            assert get_ticket(session, ticket.ticket_number, deleted=True).deleted_at is not None
            assert restore_ticket(session, known_by) is True


@pytest.mark.parametrize("known_by", [0, -1, 2**63, 10**9, "", "\0", "DB-999999999", "%", "x" * 100_000])
def test_what_does_not_exist_is_not_found(database: Database, factory: Factory, known_by: Any) -> None:
    with database.transaction(actor(factory.user(Role.AGENT))) as session:
        for act in (soft_delete_ticket, restore_ticket):
            with pytest.raises(NotFoundError):
                act(session, known_by)


def test_customers_may_not(database: Database, factory: Factory) -> None:
    customer = factory.user()
    own, strangers = factory.ticket(customer), factory.ticket()
    with database.transaction(actor(customer)) as session:
        with pytest.raises(ForbiddenError):
            soft_delete_ticket(session, own.id)
        with pytest.raises(NotFoundError):
            soft_delete_ticket(session, strangers.id)
