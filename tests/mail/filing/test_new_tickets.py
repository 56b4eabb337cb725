"""What a mailbox makes of mail that comes to it, whom it names in copy, and what its body becomes."""

from email.message import EmailMessage

import pytest
from sqlalchemy import select

from deskbell.accounts.models import Role
from deskbell.mail.inbound.decisions import release
from deskbell.mail.inbound.models import MailState
from deskbell.mail.mailboxes.models import Mailbox, MailboxTag, TicketMailbox
from deskbell.testing.factories import SYSTEM, actor
from deskbell.tickets.copies import copies_of
from deskbell.tickets.models import Attachment, BodyFormat, Tag, Ticket, TicketPriority, TicketTag
from tests.mail.filing.post import US, Desk, message


def copies(desk: Desk, ticket_id: int | None) -> list[str]:
    with desk.database.transaction(SYSTEM) as session:
        return [each.email for each in copies_of(session, ticket_id or 0)]


def test_a_mailbox_gives_its_tickets_team_priority_and_tags(desk: Desk) -> None:
    team, tag = desk.factory.team(), desk.factory.tag("billing")
    box = desk.mailbox("billing@example.test", team_id=team.id, priority=TicketPriority.HIGH)
    with desk.database.transaction(actor(desk.factory.user(Role.ADMIN))) as session:
        session.add(MailboxTag(mailbox_id=box.id, tag_id=tag.id))
    filed = desk.arrive(message(To="Someone else <x@example.test>"), mailbox=box)
    ticket = desk.one(Ticket, filed.ticket_id)
    assert (filed.mailbox_id, ticket.team_id, ticket.priority) == (box.id, team.id, TicketPriority.HIGH)
    with desk.database.transaction(SYSTEM) as session:
        borne = select(Tag.name).join(TicketTag).where(TicketTag.ticket_id == ticket.id)
        assert session.scalars(borne).all() == ["billing"]
        assert session.get_one(TicketMailbox, ticket.id).mailbox_id == box.id


@pytest.mark.parametrize("way", ["fetched", "envelope", "Delivered-To", "To", "tagged"])
def test_the_mailbox_is_found_by_how_the_message_came(desk: Desk, way: str) -> None:
    desk.mailbox("sales@example.test")
    box = desk.mailbox()
    headers = {"To": "sales@example.test"} if way in {"fetched", "envelope"} else {"To": "x@example.test"}
    if way == "To":
        headers = {"To": f"Us <{US.upper()}>"}
    if way == "Delivered-To":
        headers |= {"Delivered_To": US}
    to = {"envelope": [US], "tagged": [US.replace("@", "+cards@")]}.get(way, [])
    filed = desk.arrive(message(**headers), to=to, mailbox=box if way == "fetched" else None)
    assert filed.mailbox_id == box.id


def test_mail_to_a_mailbox_that_rests_is_filed_all_the_same(desk: Desk) -> None:
    box = desk.mailbox(is_active=False)
    filed = desk.arrive(message())
    assert (filed.state, filed.mailbox_id) == (MailState.TICKET, box.id)


def test_whom_a_request_names_gets_copies_but_for_us_and_the_desks_people(desk: Desk) -> None:
    desk.mailbox()
    desk.mailbox("sales@example.test")
    desk.factory.user(Role.AGENT, email="agent@example.test")
    headers = {
        "To": f"{US}, Lee <lee@example.test>, sales+x@example.test",
        "Cc": "Kim <KIM@example.test>, help@example.test, agent@example.test, no-reply@x.test, "
        "Ada <ada@example.test>, LEE@example.test, broken",
    }
    filed = desk.arrive(message(**headers))
    assert copies(desk, filed.ticket_id) == ["lee@example.test", "ada@example.test"]


def test_a_blind_copy_and_a_group_address_put_nobody_in_copy(desk: Desk) -> None:
    desk.mailbox()
    others = {"To": "boss@example.test", "Cc": "lawyer@example.test"}
    hidden = desk.arrive(message(**others), to=(), mailbox=desk.all(Mailbox)[0])
    group = desk.arrive(message("Another", **{**others, "Cc": US}, List_Id="<group.example.test>"))
    assert (hidden.state, group.state) == (MailState.TICKET, MailState.TICKET)
    assert copies(desk, hidden.ticket_id) == copies(desk, group.ticket_id) == []


def test_a_hundred_addresses_make_twenty_copies(desk: Desk) -> None:
    desk.mailbox()
    filed = desk.arrive(message(Cc=", ".join(f"p{n}@example.test" for n in range(100))))
    assert copies(desk, filed.ticket_id) == [f"p{n}@example.test" for n in range(20)]


def test_who_takes_part_adds_others_and_who_was_passed_the_mail_does_not(desk: Desk) -> None:
    desk.mailbox()
    ticket = desk.one(Ticket, desk.arrive(message(Message_ID="<first@x>")).ticket_id)
    desk.arrive(message(In_Reply_To="<first@x>", Cc="lee@example.test"))
    to = {"To": f"{desk.reply_to(ticket, None)}, {US}"}
    filed = desk.arrive(message(sender="mallory@example.test", Cc="gang@example.test", **to))
    assert (filed.state, copies(desk, ticket.id)) == (MailState.COMMENT, ["lee@example.test"])


def test_whoever_the_desk_lets_in_gets_the_answers_from_then_on(desk: Desk) -> None:
    desk.mailbox()
    ticket = desk.one(Ticket, desk.arrive(message()).ticket_id)
    filed = desk.arrive(message(f"Re: {ticket.ticket_number}", sender="Lee <lee@example.test>", Cc="gang@example.test"))
    assert (filed.state, copies(desk, ticket.id)) == (MailState.SUSPENDED, [])
    with desk.acting(actor(desk.factory.user(Role.AGENT))) as session:
        release(session, filed.id)
    assert (desk.file(filed.id).state, copies(desk, ticket.id)) == (MailState.COMMENT, ["lee@example.test"])


def test_who_forges_a_customers_address_and_guesses_a_number_does_not_get_the_answers(desk: Desk) -> None:
    desk.mailbox()
    ticket = desk.one(Ticket, desk.arrive(message()).ticket_id)
    filed = desk.arrive(message(f"Re: {ticket.ticket_number}", Cc="mallory@example.test"))
    assert (filed.state, copies(desk, ticket.id)) == (MailState.COMMENT, [])


def test_who_was_put_in_copy_may_answer(desk: Desk) -> None:
    desk.mailbox()
    ticket = desk.one(Ticket, desk.arrive(message(Cc="lee@example.test")).ticket_id)
    filed = desk.arrive(message(f"Re: {ticket.ticket_number}", sender="lee@example.test"))
    assert (filed.state, filed.ticket_id) == (MailState.COMMENT, ticket.id)


def html_mail(html: str, plain: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "kim@example.test", US, "My card"
    mail.set_content(plain)
    mail.add_alternative(html, subtype="html")
    mail.get_payload()[1].add_related(b"\x89PNG\r\n\x1a\n1", "image", "png", cid="<one@x>", filename="a.png")  # type: ignore[index, union-attr]
    return mail.as_bytes()


def test_html_is_kept_as_it_was_written_but_for_what_is_dangerous(desk: Desk) -> None:
    html = '<p>My <b>card</b> <img src="cid:one@x"></p><script>alert(1)</script>'
    filed = desk.arrive(html_mail(html, "My card"))
    ticket = desk.one(Ticket, filed.ticket_id)
    assert (ticket.description_format, ticket.description) == (BodyFormat.HTML, "My card")
    assert "<b>card</b>" in (ticket.description_html or "")
    assert "cid:one@x" in (ticket.description_html or "")
    assert "script" not in (ticket.description_html or "")
    assert [file.content_id for file in desk.all(Attachment)] == ["one@x"]


def test_plain_text_stays_plain_text(desk: Desk) -> None:
    ticket = desk.one(Ticket, desk.arrive(message()).ticket_id)
    assert (ticket.description_format, ticket.description_html) == (BodyFormat.TEXT, None)
