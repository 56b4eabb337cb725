"""The history of a ticket as people read it."""

from datetime import UTC, datetime

from deskbell.accounts.models import Role
from deskbell.kernel.database import Database
from deskbell.testing.factories import Factory, actor
from deskbell.tickets import actions
from deskbell.tickets.bodies import body_of
from deskbell.tickets.history import history_of
from deskbell.tickets.labels import tag, untag
from deskbell.tickets.models import TicketStatus
from deskbell.tickets.queries import get_ticket

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_history_says_who_did_what_in_words(database: Database, factory: Factory) -> None:
    agent = factory.user(Role.AGENT, full_name="Mara Lindqvist")
    number = factory.ticket().ticket_number
    with database.transaction(actor(agent)) as session:
        actions.assign(session, number, agent.id)
        tag(session, number, "billing")
        untag(session, number, "billing")
        actions.add_note(session, number, body=body_of("Watch out."))
        actions.reply(session, number, body=body_of("Done."), status=TicketStatus.RESOLVED, now=NOW)
        actions.soft_delete(session, number, now=NOW)
        ticket = get_ticket(session, number, deleted=True)
        history = history_of(session, ticket)
    told = [change.summary for change in reversed(history)]
    assert told == [
        "opened the ticket",
        "changed status, assignee",
        "added the tag billing",
        "removed the tag billing",
        "wrote an internal note",
        "wrote a reply",
        "changed status",
        "deleted the ticket",
    ]
    assert {change.actor for change in history[:-1]} == {"Mara Lindqvist"}
    assigned = history[-2]
    assert assigned.changes == {"status": ("open", "in_progress"), "assignee_id": (None, "Mara Lindqvist")}
