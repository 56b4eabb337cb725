"""What nothing else ends: a sender that opens tickets without end, two programs that answer each other in a ticket."""

from datetime import timedelta

from deskbell.accounts.models import Role
from deskbell.kernel.mail_rules import Allowance, MailRules
from deskbell.mail.inbound.decisions import release
from deskbell.mail.inbound.models import MailState
from deskbell.testing.factories import actor
from deskbell.tickets.models import Comment, Ticket
from tests.mail.filing.post import Desk, message

IN_AN_HOUR = timedelta(hours=1)


def test_a_sender_that_opens_ticket_after_ticket_is_held_back_and_others_are_not(desk: Desk) -> None:
    desk.rules = MailRules(sender=Allowance(3, IN_AN_HOUR))
    states = [desk.arrive(message(f"Alarm {n}", sender="Kim@Example.test")).state for n in range(5)]
    assert states == [MailState.TICKET] * 3 + [MailState.SUSPENDED] * 2
    held = desk.arrive(message("Alarm 6", sender="kim@example.test"))
    assert (held.state, "opened tickets by 3 messages within 60 minutes" in held.reason) == (MailState.SUSPENDED, True)
    assert desk.arrive(message(sender="lee@example.test")).state is MailState.TICKET
    with desk.acting(actor(desk.factory.user(Role.AGENT))) as session:
        release(session, held.id)
    assert desk.file(held.id).state is MailState.TICKET


def test_a_ticket_takes_so_much_mail_and_what_is_beyond_waits_beside_it(desk: Desk) -> None:
    desk.rules = MailRules(ticket=Allowance(2, IN_AN_HOUR), sender=Allowance(1, IN_AN_HOUR))
    first = desk.arrive(message())
    number = desk.one(Ticket, first.ticket_id).ticket_number
    filed = [desk.arrive(message(f"Re: {number} {n}")) for n in range(3)]
    assert [each.state for each in filed] == [MailState.COMMENT, MailState.COMMENT, MailState.SUSPENDED]
    assert {each.ticket_id for each in filed} == {first.ticket_id}
    assert len(desk.all(Comment)) == 2


def test_mail_whose_envelope_was_not_told_is_held_back_like_any_other(desk: Desk) -> None:
    desk.rules = MailRules(sender=Allowance(1, IN_AN_HOUR))
    states = [desk.file(desk.receive(message(f"New {n}"), to=(), is_delivered=True)).state for n in range(2)]
    assert states == [MailState.TICKET, MailState.SUSPENDED]


def test_mail_that_is_read_in_from_files_comes_all_at_once_and_is_not_held_back(desk: Desk) -> None:
    desk.rules = MailRules(sender=Allowance(1, IN_AN_HOUR), ticket=Allowance(1, IN_AN_HOUR))
    assert {desk.arrive(message(f"Old {n}"), to=()).state for n in range(3)} == {MailState.TICKET}
