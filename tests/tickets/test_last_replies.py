"""Who spoke last on a ticket, as a list shows it."""

from deskbell.accounts.models import Role
from deskbell.kernel.database import Database
from deskbell.testing.factories import Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.last_replies import last_replies


def test_the_newest_public_message_counts_and_no_note(database: Database, factory: Factory) -> None:
    agent, kim = factory.user(Role.AGENT, full_name="Ada"), factory.user(full_name="Kim")
    silent, asked, answered = (factory.ticket(kim) for _ in range(3))
    factory.comment(asked, agent, "An answer")
    factory.comment(asked, kim, "A question")
    factory.comment(answered, kim, "A question")
    factory.comment(answered, agent, "An answer")
    for ticket in (silent, asked, answered):
        factory.comment(ticket, agent, "A note", is_internal=True)
    ids = [silent.id, asked.id, answered.id, 10**9]
    with database.transaction(actor(agent)) as session, count_statements(database.engine) as statements:
        found = last_replies(session, ids)
    assert {number: (reply.author, reply.by_staff) for number, reply in found.items()} == {
        asked.id: ("Kim", False),
        answered.id: ("Ada", True),
    }
    assert len([it for it in statements if "set_config" not in it]) == 1


def test_of_no_tickets_nothing_is_asked(database: Database, factory: Factory) -> None:
    agent = factory.user(Role.AGENT)
    with database.transaction(actor(agent)) as session, count_statements(database.engine) as statements:
        assert last_replies(session, []) == {}
    assert not [it for it in statements if "set_config" not in it]
