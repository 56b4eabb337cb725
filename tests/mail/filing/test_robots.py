"""Programs are never answered, and people are told that their request came in: once, and not without end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deskbell.accounts.models import Role
from deskbell.kernel.mail_rules import Allowance, MailRules
from deskbell.mail.filing.robots import reads_nothing
from deskbell.mail.inbound.decisions import release
from deskbell.mail.inbound.models import MailState
from deskbell.mail.outbound.models import OutboundKind
from deskbell.testing.factories import actor
from deskbell.tickets.models import Comment, Ticket
from tests.mail.filing.post import US, Desk, message

OUT_OF_OFFICE = {"Auto_Submitted": "auto-replied"}


@pytest.fixture
def acknowledging(desk: Desk) -> Desk:
    """A desk with a mailbox that acknowledges."""
    desk.mailbox()
    return desk


def acknowledged(desk: Desk) -> int:
    return len(desk.queued(OutboundKind.RECEIVED))


@pytest.mark.parametrize("how", ["reference", "number", "signed"])
def test_an_out_of_office_notice_stands_beside_its_ticket_and_is_no_comment(desk: Desk, how: str) -> None:
    ticket = desk.factory.ticket(desk.factory.user(email="kim@example.test"))
    desk.sent(ticket)
    more = {
        "reference": {"In_Reply_To": "<ours@example.test>"},
        "number": {"subject": f"Away: [{ticket.ticket_number}] Card"},
        "signed": {"To": desk.reply_to(ticket, ticket.creator_id)},
    }[how]
    filed = desk.arrive(message(**more, **OUT_OF_OFFICE))
    assert (filed.state, filed.ticket_id) == (MailState.AUTOMATIC, ticket.id)
    assert (desk.all(Comment), acknowledged(desk)) == ([], 0)


def test_what_names_no_sender_to_the_mail_server_is_no_persons_and_never_answered(acknowledging: Desk) -> None:
    filed = acknowledging.arrive(message("Away"), sender="")
    assert (filed.state, "names no sender" in filed.reason) == (MailState.AUTOMATIC, True)
    with acknowledging.acting(actor(acknowledging.factory.user(Role.AGENT))) as session:
        release(session, filed.id)
    assert (acknowledging.file(filed.id).state, acknowledged(acknowledging)) == (MailState.TICKET, 0)


def test_mail_whose_envelope_was_not_told_is_answered_like_any_other(acknowledging: Desk) -> None:
    filed = acknowledging.file(acknowledging.receive(message(), to=(), is_delivered=True))
    assert (filed.state, acknowledged(acknowledging)) == (MailState.TICKET, 1)


def test_our_own_message_that_comes_back_is_not_taken_for_a_customers(desk: Desk) -> None:
    ticket = desk.factory.ticket()
    desk.sent(ticket, "<ours@example.test>")
    filed = desk.arrive(message(sender="Help <help@example.test>", Message_ID="<ours@example.test>"))
    assert (filed.state, "our own message" in filed.reason) == (MailState.AUTOMATIC, True)


def test_what_was_wrongly_taken_for_a_robots_can_be_let_in(desk: Desk) -> None:
    ticket = desk.factory.ticket()
    filed = desk.arrive(message(f"Re: {ticket.ticket_number}", **OUT_OF_OFFICE))
    with desk.acting(actor(desk.factory.user(Role.AGENT))) as session:
        release(session, filed.id)
    assert (desk.file(filed.id).state, desk.all(Comment)[0].ticket_id) == (MailState.COMMENT, ticket.id)


def test_who_writes_to_a_mailbox_is_told_that_it_came_in(acknowledging: Desk) -> None:
    filed = acknowledging.arrive(message())
    [told] = acknowledging.queued(OutboundKind.RECEIVED)
    ticket = acknowledging.one(Ticket, filed.ticket_id)
    assert (told.ticket_id, told.user_id) == (ticket.id, ticket.creator_id)
    acknowledging.arrive(message(f"Re: {ticket.ticket_number}"))
    assert acknowledged(acknowledging) == 1, "an answer is not acknowledged"


OLD = (datetime.now(UTC) - timedelta(days=3)).strftime("%a, %d %b %Y %H:%M:%S +0000")


@pytest.mark.parametrize(
    "headers",
    [
        {"List_Id": "<cards.example.test>"},
        {"X_Auto_Response_Suppress": "All"},
        {"sender": "No-Reply <no-reply@shop.example>"},
        {"sender": "bounces+42@shop.example"},
        {"sender": "other@example.test"},
        {"Date": OLD},
    ],
    ids=["list", "asks for silence", "no-reply", "bounces", "our other mailbox", "old"],
)
def test_what_a_machine_might_answer_or_nobody_read_is_filed_and_not_acknowledged(
    acknowledging: Desk, headers: dict[str, str]
) -> None:
    acknowledging.mailbox("other@example.test")
    assert acknowledging.arrive(message(**headers)).state is MailState.TICKET
    assert acknowledged(acknowledging) == 0


def test_an_import_of_old_mail_writes_to_nobody(acknowledging: Desk) -> None:
    assert acknowledging.arrive(message(), to=()).state is MailState.TICKET
    assert acknowledged(acknowledging) == 0


def test_an_agent_who_writes_to_the_desk_is_not_acknowledged(acknowledging: Desk) -> None:
    acknowledging.factory.user(Role.AGENT, email="kim@example.test")
    acknowledging.arrive(message())
    assert acknowledged(acknowledging) == 0


@pytest.mark.parametrize(
    ("box", "rule", "told"), [("silent", "on", 0), ("telling", "off", 1), (None, "on", 1), (None, "off", 0)]
)
def test_the_mailbox_says_whether_it_acknowledges_and_the_setting_where_there_is_none(
    desk: Desk, box: str | None, rule: str, told: int
) -> None:
    desk.rules = MailRules(acknowledge=rule == "on")
    if box is not None:
        desk.mailbox(acknowledges=box == "telling")
    desk.arrive(message())
    assert acknowledged(desk) == told


def test_where_requesters_are_told_nothing_they_are_not_acknowledged_either(acknowledging: Desk) -> None:
    acknowledging.reach = replace(acknowledging.reach, tells_requesters=False)
    acknowledging.arrive(message())
    assert acknowledged(acknowledging) == 0


def test_one_person_gets_so_many_acknowledgements_and_no_more(acknowledging: Desk) -> None:
    acknowledging.rules = MailRules(acknowledged=Allowance(2, timedelta(hours=1)))
    states = [acknowledging.arrive(message(f"Request {n}")).state for n in range(4)]
    assert (states, acknowledged(acknowledging)) == ([MailState.TICKET] * 4, 2)
    acknowledging.arrive(message(sender="lee@example.test"), to=[US])
    assert acknowledged(acknowledging) == 3


@pytest.mark.parametrize(
    "address",
    ["no-reply@x", "NoReply@x", "do_not_reply@x", "donotreply@x", "mailer-daemon@x", "noreply-7f@x", "bounce+a=b@x"],
)
def test_addresses_that_nobody_reads_are_known(address: str) -> None:
    assert reads_nothing(address)


@pytest.mark.parametrize("address", ["kim@x", "nora.reply@x", "notary@x", "bouncer@x", "reply@x", "noreplyson@x"])
def test_people_with_such_names_are_not_taken_for_those(address: str) -> None:
    assert not reads_nothing(address)
