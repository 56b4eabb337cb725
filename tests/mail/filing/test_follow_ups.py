"""A reply to a closed ticket reopens it or begins another one, as the mailbox says."""

import pytest

from deskbell.accounts.models import Role, User
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.mailboxes.models import ClosedReply
from deskbell.testing.factories import SYSTEM, actor
from deskbell.tickets.copies import add_copies, copies_of
from deskbell.tickets.history import history_page
from deskbell.tickets.models import Comment, Ticket, TicketStatus
from deskbell.tickets.relation_models import TicketLinkKind
from deskbell.tickets.ticket_links import links_of
from tests.mail.filing.post import Desk, message


@pytest.fixture
def closed(desk: Desk) -> Ticket:
    """A ticket that came to a mailbox where replies begin follow-ups, and was closed."""
    desk.mailbox(closed_reply=ClosedReply.FOLLOW_UP)
    ticket = desk.one(Ticket, desk.arrive(message(Cc="lee@example.test", Message_ID="<first@x>")).ticket_id)
    desk.set_status(ticket.id, TicketStatus.CLOSED)
    return ticket


def answer(desk: Desk, body: str = "Again", sender: str = "Kim <kim@example.test>") -> InboundMessage:
    return desk.arrive(message("Re: Card lost", body, sender, In_Reply_To="<first@x>"))


def test_a_reply_to_a_closed_ticket_opens_it_again_where_the_mailbox_says_so(desk: Desk) -> None:
    desk.mailbox()
    ticket_id = desk.arrive(message(Message_ID="<first@x>")).ticket_id
    desk.set_status(ticket_id, TicketStatus.CLOSED)
    assert (answer(desk).state, desk.one(Ticket, ticket_id).status) == (MailState.COMMENT, TicketStatus.OPEN)


def test_a_reply_to_a_resolved_ticket_opens_it_again_whatever_the_mailbox_says(desk: Desk, closed: Ticket) -> None:
    desk.set_status(closed.id, TicketStatus.RESOLVED)
    assert (answer(desk).state, desk.one(Ticket, closed.id).status) == (MailState.COMMENT, TicketStatus.OPEN)


def test_a_follow_up_is_linked_and_told_of_in_both_histories(desk: Desk, closed: Ticket) -> None:
    filed = answer(desk)
    ticket = desk.one(Ticket, filed.ticket_id)
    assert (filed.state, filed.reason) == (MailState.TICKET, f"It follows up {closed.ticket_number}, which is closed.")
    assert (ticket.title, ticket.description, ticket.creator_id) == ("Card lost", "Again", closed.creator_id)
    assert desk.one(Ticket, closed.id).status is TicketStatus.CLOSED
    with desk.database.transaction(actor(desk.factory.user(Role.AGENT))) as session:
        [link] = links_of(session, closed.id)
        [back] = links_of(session, ticket.id)
        told = [
            act.summary for number in (ticket, closed) for act in history_page(session, number.ticket_number).items[:1]
        ]
    assert (link.ticket.id, link.kind, link.follows) == (ticket.id, TicketLinkKind.FOLLOW_UP, True)
    assert (back.ticket.id, back.follows) == (closed.id, False)
    assert f"follows up {closed.ticket_number}" in told[0]
    assert f"followed up by {ticket.ticket_number}" in told[1]


def test_a_closed_tickets_number_and_a_forged_sender_bring_nobody_into_the_conversation(
    desk: Desk, closed: Ticket
) -> None:
    forged = desk.arrive(message(f"Re: {closed.ticket_number}", Cc="mallory@evil.test"))
    follow_up = desk.one(Ticket, forged.ticket_id)
    answer(desk, "My PIN is 1234")
    with desk.database.transaction(SYSTEM) as session:
        assert follow_up.id != closed.id
        assert [each.email for each in copies_of(session, follow_up.id)] == ["lee@example.test"]


def test_the_next_replies_go_to_the_follow_up_and_to_that_of_the_follow_up(desk: Desk, closed: Ticket) -> None:
    first = answer(desk)
    assert [answer(desk, f"More {n}").ticket_id for n in range(2)] == [first.ticket_id] * 2
    desk.set_status(first.ticket_id, TicketStatus.CLOSED)
    second = answer(desk, "And more")
    assert second.state is MailState.TICKET
    assert answer(desk, "Still more").ticket_id == second.ticket_id
    assert len(desk.all(Ticket)) == 3
    assert closed.id < (first.ticket_id or 0) < (second.ticket_id or 0)


def test_whoever_had_to_do_with_the_closed_ticket_has_with_its_follow_up(desk: Desk, closed: Ticket) -> None:
    team = desk.factory.team()
    with desk.database.transaction(SYSTEM) as session:
        session.get_one(Ticket, closed.id).team_id = team.id
        add_copies(session, closed, [("ada@example.test", "Ada")])
    filed = answer(desk, sender="lee@example.test")
    with desk.database.transaction(SYSTEM) as session:
        named = [each.email for each in copies_of(session, filed.ticket_id or 0)]
    ticket = desk.one(Ticket, filed.ticket_id)
    assert (ticket.team_id, desk.one(User, ticket.creator_id).email) == (team.id, "lee@example.test")
    assert named == ["kim@example.test", "ada@example.test"]


def test_an_agents_answer_to_a_closed_ticket_begins_nothing(desk: Desk, closed: Ticket) -> None:
    agent = desk.factory.user(Role.AGENT, email="sam@example.test")
    filed = desk.arrive(message(sender="sam@example.test", To=desk.reply_to(closed, agent.id)))
    assert (filed.state, desk.one(Ticket, closed.id).status) == (MailState.COMMENT, TicketStatus.CLOSED)
    assert [comment.author_id for comment in desk.all(Comment)] == [agent.id]
