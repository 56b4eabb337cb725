"""The same message makes one comment, whatever ways it takes; another one is not lost for looking like it."""

from deskbell.accounts.models import Role
from deskbell.mail.inbound.decisions import reject, release, replay
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.testing.factories import actor
from deskbell.tickets.models import Comment, Ticket
from tests.mail.filing.post import Desk, message

DATE = "Mon, 23 Nov 2026 08:00:00 +0000"


def on_its_way(raw: bytes, trace: str) -> bytes:
    """What servers add in front."""
    return f"Received: by {trace}; {DATE}\r\nX-Spam: no\r\nDKIM-Signature: {trace}\r\n".encode() + raw


def test_a_message_without_message_id_that_comes_by_two_ways_makes_one_ticket(desk: Desk) -> None:
    first = desk.arrive(on_its_way(message(Date=DATE), "mx1.example"))
    second = desk.arrive(on_its_way(message(Date=DATE).replace(b"\n", b"\r\n"), "mx2.example"))
    assert (first.state, second.state) == (MailState.TICKET, MailState.DUPLICATE)
    assert (second.ticket_id, len(desk.all(Ticket))) == (first.ticket_id, 1)


def test_a_list_that_changes_the_subject_on_the_way_does_not_make_a_second_ticket(desk: Desk) -> None:
    headers = {"Message_ID": "<one@example.test>", "Date": DATE}
    desk.arrive(message(**headers))
    assert desk.arrive(message("[support] Card lost", **headers)).state is MailState.DUPLICATE


def test_who_knows_a_message_id_cannot_make_the_real_message_vanish(desk: Desk) -> None:
    desk.arrive(message("Spam", "Buy this", "mallory@example.test", Message_ID="<one@example.test>", Date=DATE))
    real = desk.arrive(message(Message_ID="<one@example.test>", Date=DATE))
    assert real.state is MailState.SUSPENDED
    assert "may be forged" in real.reason


def test_a_program_that_gives_each_mail_the_same_message_id_is_let_in_by_one_click(desk: Desk) -> None:
    desk.arrive(message(Message_ID="<scan>", Date=DATE))
    second = desk.arrive(message("Second", "Another", Message_ID="<scan>", Date=DATE.replace("08:", "09:")))
    assert second.state is MailState.SUSPENDED
    with desk.acting(actor(desk.factory.user(Role.AGENT))) as session:
        release(session, second.id)
    assert desk.file(second.id).state is MailState.TICKET


def test_a_message_that_is_sent_again_after_the_first_one_failed_does_not_vanish(desk: Desk) -> None:
    raw = message(Message_ID="<one@example.test>", Date=DATE)
    failed = desk.file(desk.receive(raw), mail_bytes=10)
    assert (failed.state, "DESKBELL_MAIL_MAX_BYTES" in failed.reason) == (MailState.FAILED, True)
    assert desk.arrive(on_its_way(raw, "again")).state is MailState.TICKET


def test_a_message_that_is_sent_again_after_the_first_one_was_rejected_is_decided_again(desk: Desk) -> None:
    ticket = desk.factory.ticket()
    raw = message(f"Re: {ticket.ticket_number}", Date=DATE)
    first = desk.arrive(raw)
    with desk.acting() as session:
        reject(session, first.id, "Spam")
    assert desk.arrive(on_its_way(raw, "again")).state is MailState.SUSPENDED


def test_a_second_copy_of_what_waits_for_a_decision_is_not_to_be_decided_twice(desk: Desk) -> None:
    ticket = desk.factory.ticket()
    raw = message(f"Re: {ticket.ticket_number}", Date=DATE)
    first, second = desk.arrive(raw), desk.arrive(on_its_way(raw, "again"))
    assert (first.state, second.state) == (MailState.SUSPENDED, MailState.DUPLICATE)
    assert f"message {first.id}, which waits" in second.reason


def test_a_replayed_message_is_no_duplicate_of_itself_nor_of_its_duplicates(desk: Desk) -> None:
    raw = message(Message_ID="<one@example.test>", Date=DATE)
    first = desk.file(desk.receive(raw), mail_bytes=10)
    with desk.acting() as session:
        replay(session, first.id)
    assert desk.file(first.id).state is MailState.TICKET
    second = desk.arrive(on_its_way(raw, "again"))
    for _ in range(2):
        with desk.acting() as session:
            replay(session, second.id)
        assert desk.file(second.id).state is MailState.DUPLICATE
    assert (len(desk.all(Ticket)), len(desk.all(Comment)), len(desk.all(InboundMessage))) == (1, 0, 2)
