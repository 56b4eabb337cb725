"""What becomes of messages that arrive: filed, suspended, failed, never lost and never the end of anything."""

from dataclasses import replace
from email.message import EmailMessage
from typing import TypeVar, cast

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import undefer

from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Channel
from deskbell.kernel.database import Database
from deskbell.kernel.resources import RESOURCES_KEY, resources_of
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.jobs import FILE_MESSAGE, file_received
from deskbell.mail.inbound.ledger import receive
from deskbell.mail.inbound.models import Arrival, InboundMessage, MailState
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.tickets.models import Attachment, Comment, Ticket, TicketStatus
from deskbell.wiring import JOBS
from tests.mail.filing.post import MAIL, Desk, message


def arrive(database: Database, raw: bytes) -> InboundMessage:
    return Desk(database, Factory(database)).arrive(raw, to=())


T = TypeVar("T")


def one(database: Database, kind: type[T], number: int | None) -> T:
    return Desk(database, Factory(database)).one(kind, number)


def test_a_message_opens_a_ticket_for_its_sender(database: Database) -> None:
    filed = arrive(database, message())
    ticket = one(database, Ticket, filed.ticket_id)
    requester = one(database, User, ticket.creator_id)
    assert (filed.state, filed.sender) == (MailState.TICKET, "kim@example.test")
    assert (ticket.title, ticket.description, ticket.channel) == ("Card lost", "I lost my card.", Channel.MAIL)
    assert (requester.email, requester.full_name, requester.role) == ("kim@example.test", "Kim", Role.CUSTOMER)


def test_a_reply_by_reference_joins_its_ticket_and_reopens_it(database: Database) -> None:
    first = arrive(database, message(Message_ID="<one@example.test>"))
    with database.transaction(SYSTEM) as session:
        session.execute(text("update tickets set status = 'resolved' where id = :id"), {"id": first.ticket_id})
    reply = arrive(
        database, message("Re: Card lost", "Still lost.\n\n> I lost my card.", In_Reply_To="<one@example.test>")
    )
    comment = one(database, Comment, reply.comment_id)
    assert (reply.state, reply.ticket_id, comment.content) == (MailState.COMMENT, first.ticket_id, "Still lost.")
    assert "I lost my card." in comment.folded
    assert one(database, Ticket, first.ticket_id).status is TicketStatus.OPEN


def test_a_reply_by_number_joins_its_ticket(database: Database, factory: Factory) -> None:
    ticket = factory.ticket(factory.user(email="kim@example.test"))
    filed = arrive(database, message(f"Re: [{ticket.ticket_number}] Card"))
    assert (filed.state, filed.ticket_id) == (MailState.COMMENT, ticket.id)


def test_a_stranger_is_not_let_into_a_ticket_by_its_number(database: Database, factory: Factory) -> None:
    ticket = factory.ticket()
    filed = arrive(database, message(f"Re: {ticket.ticket_number}", sender="mallory@example.test"))
    assert (filed.state, filed.comment_id) == (MailState.SUSPENDED, None)
    assert "mallory@example.test takes no part" in filed.reason


def test_a_colleague_whose_organization_shares_its_tickets_may_answer(database: Database, factory: Factory) -> None:
    company = factory.organization(shares_tickets=True)
    ticket = factory.ticket(factory.user(organization=company))
    factory.user(email="kim@example.test", organization=company)
    assert arrive(database, message(f"Re: {ticket.ticket_number}")).state is MailState.COMMENT


def test_a_forged_mail_is_not_shown_as_an_agents_answer(database: Database, factory: Factory) -> None:
    factory.user(Role.AGENT, email="kim@example.test")
    ticket = factory.ticket()
    filed = arrive(database, message(f"Re: {ticket.ticket_number}"))
    assert (filed.state, filed.comment_id) == (MailState.SUSPENDED, None)


def test_the_same_bytes_are_written_down_once(database: Database) -> None:
    arrive(database, message())
    with database.transaction(MAIL) as session:
        again = receive(session, message(), source="again")
        ways = session.scalars(select(Arrival.source).where(Arrival.inbound_id == again.id).order_by(Arrival.id)).all()
    assert (again.is_new, ways) == (False, ["test", "again"])


def test_the_same_message_by_another_way_is_a_duplicate(database: Database) -> None:
    first = message(Message_ID="<one@example.test>")
    kept = arrive(database, first)
    filed = arrive(database, b"Received: by another.example; Sun, 22 Nov 2026 12:00:00 +0000\r\n" + first)
    assert (filed.state, filed.ticket_id, filed.comment_id) == (MailState.DUPLICATE, kept.ticket_id, None)
    assert f"as message {kept.id}, which became a ticket" in filed.reason


@pytest.mark.parametrize("header", [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"Return_Path": "<>"}])
def test_what_a_robot_sent_opens_no_ticket(database: Database, header: dict[str, str]) -> None:
    filed = arrive(database, message(**header))
    assert (filed.state, filed.ticket_id) == (MailState.AUTOMATIC, None)


def test_a_customers_mail_through_a_group_address_is_not_taken_for_a_robots(database: Database) -> None:
    assert arrive(database, message(List_Id="<support.example.test>", Precedence="list")).state is MailState.TICKET


def test_who_may_not_log_in_any_more_does_not_get_in_by_mail(database: Database, factory: Factory) -> None:
    person = factory.user(email="kim@example.test")
    with database.transaction(SYSTEM) as session:
        session.execute(text("update users set is_active = false where id = :id"), {"id": person.id})
    assert arrive(database, message()).state is MailState.SUSPENDED


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"no header at all",
        b"Subject: no sender\r\n\r\nHello",
        b"From: kim@example.test\r\n\r\n",
        b"From: kim@example.test\r\nSubject: NUL\0\r\n\r\nHel\0lo \xff\xfe",
        b"From: kim@example.test\r\nContent-Type: text/plain; charset=no-such\r\n\r\nGr\xfc\xdfe",
        b"From: kim@example.test\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n" * 5000,
        b'From: <<<>>> , "broken\r\nSubject: =?utf-8?b?!!!?=\r\n\r\nx',
    ],
    ids=["empty", "NULs", "no header", "no sender", "no body", "NUL in text", "charset", "parts", "broken header"],
)
def test_a_broken_message_ends_in_a_visible_state(database: Database, raw: bytes) -> None:
    filed = arrive(database, raw)
    assert filed.state is not MailState.RECEIVED
    assert filed.state in {MailState.TICKET, MailState.COMMENT} or filed.reason


def test_fifty_megabytes_of_attachment_are_kept(database: Database) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "kim@example.test", "The film"
    mail.set_content("See the attachment.")
    mail.add_attachment(b"\x00\x01" * 18_000_000, maintype="video", subtype="mp4", filename="film.mp4")
    raw = mail.as_bytes()
    assert len(raw) > 48_000_000
    filed = arrive(database, raw)
    with database.transaction(SYSTEM) as session:
        [file] = session.scalars(select(Attachment).where(Attachment.ticket_id == filed.ticket_id))
    assert (file.file_name, file.size) == ("film.mp4", 36_000_000)


def test_the_raw_message_stays_as_it_came(database: Database) -> None:
    raw = message(body="Grüße\r\n")
    filed = arrive(database, raw)
    with database.transaction(SYSTEM) as session:
        kept = session.scalars(
            select(InboundMessage).where(InboundMessage.id == filed.id).options(undefer(InboundMessage.raw))
        ).one()
    assert kept.raw == raw


def test_a_job_is_added_for_each_message_that_a_crash_left_unread(database: Database) -> None:
    with database.transaction(MAIL) as session:
        numbers = [receive(session, message(body=body), source="test").id for body in ("One", "Two")]
        assert file_received(session) == 2
        added = session.scalars(text("select args ->> 'message_id' from jobs.procrastinate_jobs order by id")).all()
    assert added == [str(number) for number in numbers]
    with database.transaction(MAIL) as session:
        JOBS[FILE_MESSAGE].function(session, message_id=numbers[0])
        assert file_received(session) == 1


def plain(sender: str = "kim@example.test", message_id: str = "one@example.test", body: str = "Hello") -> bytes:
    """Raw UTF-8 in the header, as some programs send it and the standard library would not write it."""
    return f"From: {sender}\r\nMessage-ID: <{message_id}>\r\nSubject: Strange\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    "raw",
    [
        plain(message_id="長" * 990),
        plain(sender="ΝΙΚΟΣ@example.test"),
        plain(sender="i@İstanbul.example"),
        plain(body=" ".join(f"{chr(0x20000 + n)}-{chr(0x20001 + n)}" for n in range(33_000))),
    ],
    ids=["huge Message-ID", "final sigma", "dotted capital I", "more words than an index holds"],
)
def test_one_strange_message_does_not_stop_all_mail(database: Database, raw: bytes) -> None:
    assert arrive(database, raw).state in {MailState.TICKET, MailState.SUSPENDED}
    assert arrive(database, message()).state is MailState.TICKET


def test_a_message_whose_id_a_suspended_one_bears_is_not_lost(database: Database) -> None:
    arrive(database, b"Message-ID: <one@example.test>\r\n\r\nNobody wrote this.")
    assert arrive(database, message(Message_ID="<one@example.test>")).state is MailState.TICKET


def test_a_failed_message_still_says_from_whom_it_is(database: Database) -> None:
    with database.transaction(MAIL) as session:
        number = receive(session, message(), source="test").id
        broken = replace(resources_of(session), ticket_prefix=cast("str", None))  # whatever goes wrong in filing
        session.info[RESOURCES_KEY] = broken
        file_message(session, number)
        filed = session.get_one(InboundMessage, number)
    assert (filed.state, filed.sender, filed.subject) == (MailState.FAILED, "kim@example.test", "Card lost")
