"""Test data: lawful, and whatever a test needs of it."""

from sqlalchemy import select

from deskbell.accounts.models import Role
from deskbell.accounts.queries import members_of
from deskbell.kernel.database import Database
from deskbell.kernel.resources import resources_of
from deskbell.testing.factories import SYSTEM, Factory, OneSession
from deskbell.tickets.models import Attachment, Ticket, TicketTag


def test_a_team_has_its_members(database: Database, factory: Factory) -> None:
    agents = [factory.user(Role.AGENT) for _ in range(2)]
    team = factory.team(*agents, name="Second line")
    with database.transaction(SYSTEM) as session:
        assert {member.id for member in session.scalars(members_of(session, team.id))} == {a.id for a in agents}


def test_tickets_in_bulk_bear_their_tags(database: Database, factory: Factory) -> None:
    customer, tags = factory.user(), [factory.tag("urgent"), factory.tag()]
    ids = factory.tickets(25, customer, tags=tags)
    with database.transaction(SYSTEM) as session:
        assert session.scalars(select(Ticket.id).where(Ticket.creator_id == customer.id)).all() == ids
        assert len(session.scalars(select(TicketTag.tag_id)).all()) == 50


def test_an_attachment_has_its_bytes(database: Database, factory: Factory) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    comment = factory.comment(ticket, agent)
    first, second = factory.attachment(ticket), factory.attachment(ticket, b"%PDF-1.7", name="a.pdf", comment=comment)
    assert (first.uploaded_by_id, second.uploaded_by_id) == (ticket.creator_id, agent.id)
    with database.transaction(SYSTEM) as session:
        found = session.scalars(select(Attachment).order_by(Attachment.id)).all()
        assert [(file.file_name, file.comment_id) for file in found] == [("hello.txt", None), ("a.pdf", comment.id)]
        with resources_of(session).storage.open(second.storage_key) as file:
            assert file.read() == b"%PDF-1.7"


def test_all_can_be_made_in_one_session(database: Database) -> None:
    with database.transaction(SYSTEM) as session:
        factory = Factory(OneSession(session))
        ticket = factory.ticket()
        assert session.scalars(select(Ticket.id)).all() == [ticket.id]
