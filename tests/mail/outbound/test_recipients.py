"""Who gets an answer: its requester and who gets copies, each once, and nobody what is not for them."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text, update

from deskbell.accounts.actions import set_active
from deskbell.accounts.models import Role
from deskbell.kernel.actor import Channel
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.mailboxes.addresses import ReplyTo, reply_to_of
from deskbell.mail.outbound.actions import queue_notice
from deskbell.mail.outbound.models import OutboundKind, OutboundState
from deskbell.mail.outbound.queries import deliveries_of
from deskbell.testing.factories import SYSTEM, actor
from deskbell.tickets.actions import Sender, add_note, reply
from deskbell.tickets.bodies import body_of
from deskbell.tickets.copies import remove_copy
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.models import BodyFormat, Comment
from tests.mail.outbound.conftest import Outbox, Post, words_of


def test_requester_and_copies_get_a_message_each_that_names_all(outbox: Outbox, post: Post) -> None:
    outbox.copy("boss@example.test", "The Boss")
    outbox.copy("legal@example.test")
    outbox.answer()
    outbox.run()
    envelopes = {each.rcpt_tos[0]: mail for each, mail in zip(post.taken, post.messages(), strict=True)}
    assert set(envelopes) == {"kim@example.test", "boss@example.test", "legal@example.test"}
    assert len({mail["Message-ID"] for mail in envelopes.values()}) == 3
    for mail in envelopes.values():
        assert (mail["To"], mail["Cc"]) == ("kim@example.test", "boss@example.test, legal@example.test")
    assert "key=" in words_of(envelopes["kim@example.test"])
    for address in ("boss@example.test", "legal@example.test"):  # the link would let them in as the requester
        assert "key=" not in words_of(envelopes[address]) + words_of(envelopes[address], "html")


def test_each_gets_a_reply_address_of_their_own(outbox: Outbox, post: Post) -> None:
    outbox.mailbox()
    outbox.copy("boss@example.test")
    outbox.answer()
    outbox.run()
    said = {
        envelope.rcpt_tos[0]: reply_to_of(outbox.resources.reach, [mail["Reply-To"]])
        for envelope, mail in zip(post.taken, post.messages(), strict=True)
    }
    ticket = outbox.ticket
    assert said == {
        "kim@example.test": ReplyTo(ticket.id, ticket.creator_id),
        "boss@example.test": ReplyTo(ticket.id, None),
    }


def test_nobody_is_written_to_twice_and_the_desk_never_writes_to_itself(outbox: Outbox, post: Post) -> None:
    outbox.mailbox("support@example.test")
    for address in ("KIM@example.test", "support+x@example.test", "help@example.org"):
        with outbox.database.transaction(SYSTEM) as session:
            row = {"ticket": outbox.ticket.id, "email": address}
            session.execute(
                text("insert into ticket_copies (ticket_id, email, name) values (:ticket, :email, '')"), row
            )
    outbox.answer()
    outbox.run()
    assert [each.rcpt_tos for each in post.taken] == [["kim@example.test"]]
    assert post.messages()[0]["Cc"] is None
    dropped = [each for each in outbox.messages() if each.state is OutboundState.DROPPED]
    assert len(dropped) == 2
    assert all("the desk's own" in each.reason for each in dropped)


def test_an_internal_note_reaches_no_customer_whoever_asks_for_it(outbox: Outbox, post: Post) -> None:
    copied = outbox.copy("boss@example.test")
    note = outbox.factory.comment(outbox.ticket, outbox.agent, "They are a nuisance", is_internal=True)
    tell = partial(queue_notice, ticket_id=outbox.ticket.id, comment_id=note.id)
    with outbox.as_(outbox.agent) as session:
        for kind in OutboundKind:
            if kind.is_notice:
                tell(session, kind, user_id=outbox.ticket.creator_id)
                tell(session, kind, copy_id=copied.id)
    outbox.run()
    assert post.taken == []
    assert {each.state for each in outbox.messages()} == {OutboundState.DROPPED}


def test_a_note_is_not_quoted_beneath_an_answer(outbox: Outbox, post: Post) -> None:
    outbox.factory.comment(outbox.ticket, outbox.agent, "The first answer")
    outbox.factory.comment(outbox.ticket, outbox.agent, "They are a nuisance", is_internal=True)
    outbox.answer("The second answer")
    outbox.run()
    said = words_of(post.messages()[-1])
    assert "> The first answer" in said
    assert "nuisance" not in "".join(words_of(mail) + words_of(mail, "html") for mail in post.messages())
    outbox.reaching(quotes=False).answer("The third answer")
    outbox.run()
    assert "> " not in words_of(post.messages()[-1])


def test_what_has_become_internal_or_anothers_meanwhile_is_not_sent(outbox: Outbox, post: Post) -> None:
    for change in ({"is_internal": True}, {"ticket_id": outbox.factory.ticket().id}):
        comment = outbox.answer()
        with outbox.database.transaction(SYSTEM) as session:
            session.execute(update(Comment).where(Comment.id == comment.id).values(change))
        outbox.run()
        assert (outbox.message().state, post.taken) == (OutboundState.DROPPED, [])


def test_who_gets_no_more_copies_or_is_not_active_gets_none(outbox: Outbox, post: Post) -> None:
    copied, gone = outbox.copy("boss@example.test"), outbox.factory.user(email="gone@example.test")
    outbox.copy("gone@example.test")
    outbox.answer()
    with outbox.as_(outbox.agent) as session:
        remove_copy(session, outbox.ticket.ticket_number, copied.id)
    with outbox.database.transaction(SYSTEM) as session:
        set_active(session, gone.id, active=False)
    outbox.run()
    assert [each.rcpt_tos for each in post.taken] == [["kim@example.test"]]


def test_an_agents_answer_by_mail_goes_out_too_but_not_to_its_writer(outbox: Outbox, post: Post) -> None:
    with outbox.database.transaction(SYSTEM) as session:
        row = {"ticket": outbox.ticket.id, "email": outbox.agent.email}
        session.execute(text("insert into ticket_copies (ticket_id, email, name) values (:ticket, :email, '')"), row)
    sender = Sender(outbox.agent.id, True, Channel.MAIL)
    with outbox.database.transaction(SYSTEM) as session:
        number, now = outbox.ticket.ticket_number, outbox.resources.clock.now()
        reply(session, number, body=body_of("From my telephone"), sender=sender, now=now)
    outbox.run()
    assert [each.rcpt_tos for each in post.taken] == [["kim@example.test"]]
    assert "From my telephone" in words_of(post.messages()[0])


def test_an_answer_continues_what_the_customer_wrote_and_what_they_were_sent(outbox: Outbox, post: Post) -> None:
    """Message-IDs of what came are kept without angle brackets; those sent to others are not named."""
    outbox.copy("boss@example.test")
    outbox.answer("One")
    outbox.run()
    sent = {each.rcpt_tos[0]: mail["Message-ID"] for each, mail in zip(post.taken, post.messages(), strict=True)}
    with outbox.database.transaction(SYSTEM) as session:
        row = {"raw": b"x", "sha256": "c" * 64, "size": 1, "source": "test", "state": MailState.COMMENT}
        came = InboundMessage(**row, ticket_id=outbox.ticket.id, message_id="theirs@example.test")
        session.add(came)
        session.flush()
    outbox.answer("Two")
    outbox.run()
    to_kim = next(
        m for e, m in zip(post.taken, post.messages(), strict=True) if "Two" in words_of(m) and "kim" in e.rcpt_tos[0]
    )
    assert to_kim["In-Reply-To"] == "<theirs@example.test>"
    assert to_kim["References"].split() == [sent["kim@example.test"], "<theirs@example.test>"]


def test_files_go_along_up_to_a_limit_and_the_rest_is_named(outbox: Outbox, post: Post) -> None:
    outbox.reaching(attach_bytes=2500)
    comment = outbox.answer("See the files")
    for name, size in (("small.txt", 1000), ("large.txt", 5000), ("fits.txt", 1400)):
        outbox.factory.attachment(outbox.ticket, b"x" * size, name=name, comment=comment)
    outbox.factory.attachment(outbox.ticket, b"not of this comment", name="other.txt")
    outbox.copy("boss@example.test")
    outbox.run()
    [mail] = post.messages()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["small.txt", "fits.txt"]
    assert next(iter(mail.iter_attachments())).get_content() == "x" * 1000
    assert "- large.txt (4.9 kB)" in words_of(mail)
    assert "large.txt" in words_of(mail, "html")


def test_a_picture_in_the_text_goes_along_within_it_and_a_strange_one_not(outbox: Outbox, post: Post) -> None:
    html = '<p>Look: <img src="cid:shot@x"><img src="cid:nowhere"></p>'
    comment = outbox.answer("Look:")
    blob = outbox.resources.storage.put([b"\x89PNG\r\n\x1a\n" + b"x" * 100], max_bytes=1000)
    file = StoredFile(blob, "shot.png", "image/png", "shot@x")
    with outbox.database.transaction(SYSTEM) as session:
        its = session.get_one(Comment, comment.id)
        its.content_html, its.content_format = html, BodyFormat.HTML
        add_attachment(session, outbox.ticket, file, comment=its, uploaded_by_id=outbox.agent.id)
    outbox.run()
    [mail] = post.messages()
    assert mail.get_content_type() == "multipart/alternative"
    [picture] = [part for part in mail.walk() if part.get_content_maintype() == "image"]
    assert (picture["Content-ID"], picture.get_content_disposition()) == ("<shot@x>", "inline")
    assert "nowhere" not in words_of(mail, "html")


@pytest.mark.parametrize("kind", [OutboundKind.ANSWERED, OutboundKind.RECEIVED])
def test_headers_say_whether_a_person_wrote(outbox: Outbox, post: Post, kind: OutboundKind) -> None:
    comment = outbox.answer() if kind is OutboundKind.ANSWERED else None
    if comment is None:
        with outbox.as_(outbox.agent) as session:
            queue_notice(session, kind, user_id=outbox.ticket.creator_id, ticket_id=outbox.ticket.id)
    outbox.run()
    [mail] = post.messages()
    told = (None, None) if comment else ("auto-replied", "bulk")
    assert (mail["Auto-Submitted"], mail["Precedence"]) == told
    assert "OOF" in mail["X-Auto-Response-Suppress"]
    assert "NDR" not in mail["X-Auto-Response-Suppress"].replace(
        "NRN", ""
    )  # that it could not be delivered we want to know


def test_the_state_of_each_delivery_is_known_by_comment(outbox: Outbox, post: Post) -> None:
    outbox.copy("boss@example.test")
    comment = outbox.answer()
    note = outbox.factory.comment(outbox.ticket, outbox.agent, "Mine", is_internal=True)
    post.says["RCPT"] = "550 No such person"
    with outbox.as_(outbox.agent) as session:
        waiting = deliveries_of(session, [comment.id, note.id])
        assert {(each.recipient, each.state) for each in waiting[comment.id]} == {
            ("kim@example.test", OutboundState.QUEUED),
            ("boss@example.test", OutboundState.QUEUED),
        }
        assert note.id not in waiting
    outbox.run()
    with outbox.as_(outbox.agent) as session:
        [kim, boss] = deliveries_of(session, [comment.id])[comment.id]
    assert (kim.state, kim.words, kim.can_be_resent) == (OutboundState.FAILED, "550 No such person", True)
    assert timedelta() <= outbox.resources.clock.now() - boss.at < timedelta(minutes=5)


def test_a_note_tells_no_customer(outbox: Outbox) -> None:
    outbox.copy("boss@example.test")
    with outbox.as_(outbox.agent) as session:
        add_note(session, outbox.ticket.ticket_number, body=body_of("Internal"))
    assert outbox.messages() == []


def test_who_was_a_customer_and_is_of_the_desk_gets_no_answers(outbox: Outbox, post: Post) -> None:
    outbox.answer()
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(
            text("update users set role = :role where id = :id"), {"role": Role.AGENT, "id": outbox.ticket.creator_id}
        )
    outbox.run()
    assert (outbox.message().state, post.taken) == (OutboundState.DROPPED, [])


@pytest.mark.parametrize("channel", [Channel.API, Channel.WEB])
def test_an_answer_by_the_api_does_not_leave_before_its_files_can_be_attached(outbox: Outbox, channel: Channel) -> None:
    now = outbox.resources.clock.now()
    with outbox.database.transaction(actor(outbox.agent, channel)) as session:
        reply(session, outbox.ticket.ticket_number, body=body_of("We send another."), now=now)
    with outbox.database.transaction(SYSTEM) as session:
        jobs = text("select scheduled_at from jobs.procrastinate_jobs where task_name = 'mail.hand_over'")
        assert [at is not None and at >= now + outbox.resources.undo for at in session.scalars(jobs)] == [
            channel is Channel.API
        ]
