"""Delivery reports: what did not arrive is marked, somebody is told, nothing of it opens a ticket or makes a loop."""

from pathlib import Path

import pytest

from deskbell.accounts.actions import set_active
from deskbell.accounts.models import Role, User
from deskbell.mail.inbound.decisions import replay
from deskbell.mail.inbound.models import MailState
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage, OutboundState
from deskbell.testing.factories import actor
from deskbell.tickets.actions import assign
from deskbell.tickets.models import Ticket
from tests.mail.filing.post import Desk, message

SAMPLES = Path(__file__).parents[1] / "samples"


def report(action: str = "failed", of: str = "ours@example.test", status: str = "5.1.1") -> bytes:
    """Write a report as RFC 3464 wants it."""
    return f"""\
From: MAILER-DAEMON@mx.example
To: help@example.test
Subject: Undelivered Mail Returned to Sender
Message-ID: <report-{action}-{of}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: text/plain

I am sorry.

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; kim@example.test
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 No such mailbox

--x
Content-Type: text/rfc822-headers

Message-ID: <{of}>
Subject: [DB-1] Card

--x--
""".replace("\n", "\r\n").encode()


@pytest.fixture
def answered(desk: Desk) -> tuple[Ticket, User, OutboundMessage]:
    """An agent has answered, and the answer was sent."""
    agent, ticket = desk.factory.user(Role.AGENT), desk.factory.ticket(desk.factory.user(email="kim@example.test"))
    comment = desk.factory.comment(ticket, agent)
    return ticket, agent, desk.sent(ticket, comment_id=comment.id, user_id=ticket.creator_id)


Answered = tuple[Ticket, User, OutboundMessage]


def test_an_answer_that_came_back_is_marked_and_its_writer_is_told(desk: Desk, answered: Answered) -> None:
    ticket, agent, sent = answered
    filed = desk.arrive(report(), sender="")
    assert (filed.state, filed.ticket_id, filed.bounced_id) == (MailState.BOUNCE, ticket.id, sent.id)
    assert "550 No such mailbox" in filed.reason
    marked = desk.one(OutboundMessage, sent.id)
    assert (marked.state, marked.reason) == (OutboundState.BOUNCED, "5.1.1 550 No such mailbox")
    [told] = desk.queued(OutboundKind.UNDELIVERED)
    assert (told.user_id, told.ticket_id, told.comment_id) == (agent.id, ticket.id, sent.comment_id)


def test_whoever_has_the_ticket_is_told_where_the_writer_has_left(desk: Desk, answered: Answered) -> None:
    ticket, writer, _ = answered
    other = desk.factory.user(Role.AGENT)
    with desk.acting(actor(other)) as session:
        assign(session, ticket.ticket_number, other.id)
    with desk.acting() as session:
        set_active(session, writer.id, active=False)
    desk.arrive(report(), sender="")
    assert [told.user_id for told in desk.queued(OutboundKind.UNDELIVERED)] == [other.id]


def test_a_delay_is_noted_and_bounces_nothing(desk: Desk, answered: Answered) -> None:
    ticket, _, sent = answered
    filed = desk.arrive(report("delayed", status="4.4.1"), sender="")
    assert (filed.state, filed.ticket_id, filed.bounced_id) == (MailState.AUTOMATIC, ticket.id, sent.id)
    assert desk.one(OutboundMessage, sent.id).state is OutboundState.SENT
    assert not desk.queued(OutboundKind.UNDELIVERED)


def test_a_bounce_of_what_we_never_sent_says_so_and_opens_no_ticket(desk: Desk, answered: Answered) -> None:
    filed = desk.arrive(report(of="elsewhere@example.test"), sender="")
    assert (filed.state, filed.ticket_id, "did not send" in filed.reason) == (MailState.BOUNCE, None, True)
    assert [ticket.id for ticket in desk.all(Ticket)] == [answered[0].id]


@pytest.mark.usefixtures("answered")
def test_two_reports_and_a_replay_tell_of_it_once(desk: Desk) -> None:
    first = desk.arrive(report(), sender="")
    desk.arrive(report().replace(b"I am sorry", b"Really"), sender="")
    with desk.acting() as session:
        replay(session, first.id)
    assert desk.file(first.id).state in {MailState.BOUNCE, MailState.DUPLICATE}
    assert len(desk.queued(OutboundKind.UNDELIVERED)) == 1


def test_a_notice_to_an_agent_that_came_back_is_told_to_nobody(desk: Desk) -> None:
    """Told by mail, that would come back as well, for ever."""
    agent, ticket = desk.factory.user(Role.AGENT), desk.factory.ticket()
    with desk.acting(actor(agent)) as session:
        assign(session, ticket.ticket_number, agent.id)
    for kind in (OutboundKind.ASSIGNED, OutboundKind.UNDELIVERED):
        desk.sent(ticket, f"<{kind}@example.test>", kind=kind, user_id=agent.id)
        assert desk.arrive(report(of=f"{kind}@example.test"), sender="").state is MailState.BOUNCE
    assert [each.kind for each in desk.all(OutboundMessage)] == [OutboundKind.ASSIGNED, OutboundKind.UNDELIVERED]


def test_a_report_that_is_faster_than_our_own_record_counts(desk: Desk, answered: Answered) -> None:
    sent = desk.sent(answered[0], "<fast@example.test>", state=OutboundState.SENDING)
    desk.arrive(report(of="fast@example.test"), sender="")
    assert desk.one(OutboundMessage, sent.id).state is OutboundState.BOUNCED


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("bounce_*.eml")))
def test_every_form_of_report_marks_the_message_that_it_is_about(desk: Desk, name: str) -> None:
    raw = (SAMPLES / name).read_bytes()
    ticket = desk.factory.ticket()
    names = {
        line.split(b":", 1)[1].strip().decode() for line in raw.splitlines() if line.lower().startswith(b"message-id:")
    }
    sent = [desk.sent(ticket, each) for each in sorted(names) if "deskbell.example" in each]
    filed = desk.arrive(raw, sender="")
    assert filed.state is MailState.BOUNCE, filed.reason
    assert filed.bounced_id in {each.id for each in sent} if sent else filed.bounced_id is None


def test_a_person_who_writes_about_a_bounce_is_a_person(desk: Desk) -> None:
    assert desk.arrive(message("Undelivered mail returned to sender - what is this?")).state is MailState.TICKET
