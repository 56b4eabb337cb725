"""Messages go out, through a real server that takes, refuses, delays, drops and is not there."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from deskbell.mail.outbound.actions import PATIENCE, retry
from deskbell.mail.outbound.jobs import forget_links, hand_over_waiting
from deskbell.mail.outbound.models import OutboundMessage, OutboundState
from deskbell.mail.outbound.taking import take_out
from deskbell.testing.factories import SYSTEM, Factory
from tests.mail.outbound.conftest import Outbox, Post, server_at, written_out


def test_an_answer_is_sent_to_the_requester(outbox: Outbox, post: Post) -> None:
    outbox.answer("We send *another*")
    outbox.run()
    [mail] = post.messages()
    assert (post.taken[0].mail_from, post.taken[0].rcpt_tos) == ("help@example.org", ["kim@example.test"])
    assert (mail["From"], mail["To"]) == ("Help <help@example.org>", "kim@example.test")
    assert mail["Subject"] == f"[{outbox.ticket.ticket_number}] My card"
    assert "Auto-Submitted" not in mail  # a person wrote it
    assert "We send *another*" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    row = outbox.message()
    assert (row.state, row.reason, row.message_id) == (OutboundState.SENT, "250 Taken", mail["Message-ID"])
    assert (row.text, row.html) == ("", "")  # they held a link that lets somebody in


def test_the_second_answer_continues_the_thread(outbox: Outbox, post: Post) -> None:
    for words in ("One", "Two", "Three"):
        outbox.answer(words)
        outbox.run()
    one, two, three = post.messages()
    assert "In-Reply-To" not in one
    assert (two["In-Reply-To"], three["In-Reply-To"]) == (one["Message-ID"], two["Message-ID"])
    assert three["References"] == f"{one['Message-ID']} {two['Message-ID']}"


def test_hostile_titles_and_names_begin_no_header(outbox: Outbox, post: Post) -> None:
    with outbox.database.transaction(SYSTEM) as session:
        title = "x\r\nBcc: all@example.test\r\n\r\n<script>alert(1)</script>\u202e"
        session.execute(text("update tickets set title = :title"), {"title": title})
        session.execute(text("update users set full_name = E'Sam\\r\\nBcc: b@example.test' where is_staff"))
    outbox.answer("<script>alert(2)</script>\r\n.\r\nMAIL FROM:<x@example.test>\r\n")
    outbox.run()
    [mail] = post.messages()
    assert mail["Bcc"] is None
    assert post.taken[0].rcpt_tos == ["kim@example.test"]
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<script>" not in html
    assert "MAIL FROM" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_what_the_server_refuses_for_ever_has_failed_with_its_words(outbox: Outbox, post: Post, step: str) -> None:
    post.says[step] = "550 No such person here"
    outbox.answer()
    outbox.run()
    row = outbox.message()
    assert (row.state, row.reason) == (OutboundState.FAILED, "550 No such person here")
    outbox.run()
    assert post.taken == []


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_what_the_server_puts_off_is_tried_again_with_the_same_id(outbox: Outbox, post: Post, step: str) -> None:
    post.says[step] = "451 Come back later"
    outbox.answer()
    outbox.run()
    first = outbox.message()
    assert (first.state, first.reason, first.attempts) == (OutboundState.QUEUED, "451 Come back later", 1)
    assert first.next_attempt_at
    assert first.next_attempt_at > first.created_at + timedelta(seconds=50)
    post.says.clear()
    outbox.run()
    row = outbox.message()
    assert (row.state, row.attempts) == (OutboundState.SENT, 2)
    assert [mail["Message-ID"] for mail in post.messages()] == [first.message_id]


def test_waits_grow_and_end(outbox: Outbox, post: Post) -> None:
    post.says["RCPT"] = "451 Greylisted"
    outbox.answer()
    waits = []
    for _ in range(4):
        with outbox.database.transaction(SYSTEM) as session:
            now = session.scalar(text("select clock_timestamp()"))
        outbox.run()
        waits.append(round((outbox.message().next_attempt_at - now).total_seconds() / 60))
    assert waits == [1, 2, 4, 8]
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(update(OutboundMessage).values(created_at=OutboundMessage.created_at - PATIENCE))
    outbox.run()
    assert (outbox.message().state, outbox.message().reason) == (OutboundState.FAILED, "451 Greylisted")


def test_a_server_that_is_down_or_refuses_our_password_is_waited_for(outbox: Outbox, post: Post) -> None:
    for server, word in (
        (server_at(1), "127.0.0.1:1"),
        (server_at(post.port, user="us", password="wrong"), "535"),
        (server_at(post.port, tls="starttls"), "STARTTLS"),
        (server_at(post.port, tls="tls"), f"127.0.0.1:{post.port}"),
    ):
        outbox.reaching(server=server).answer()
        outbox.run()
        row = outbox.message()
        assert (row.state, word in row.reason) == (OutboundState.QUEUED, True), row.reason
    outbox.reaching(server=server_at(post.port, user="us", password="right")).run()
    assert len(post.taken) == 4
    assert "right" not in repr(server_at(1, password="right"))


def test_an_answer_that_got_lost_is_asked_for_once_more_and_not_twice(outbox: Outbox, post: Post) -> None:
    post.says["DATA"] = "cut"
    outbox.answer()
    for _ in range(4):
        outbox.run()
    assert len({mail["Message-ID"] for mail in post.messages()}) == 1
    assert len(post.taken) == 2
    assert outbox.message().state is OutboundState.FAILED
    assert "interrupted twice" in outbox.message().reason


def test_who_dies_between_250_and_the_record_is_followed_once(outbox: Outbox) -> None:
    outbox.answer()
    row = outbox.message()
    parcels = []
    for _ in range(3):  # begun, and never recorded
        with outbox.database.transaction(SYSTEM) as session:
            parcel = take_out(session, row.id)
        parcels.append(written_out(parcel) if parcel else None)
    assert [parcel is not None for parcel in parcels] == [True, True, False]
    assert parcels[0] == parcels[1]  # the same Message-ID, and all else
    assert outbox.message().state is OutboundState.FAILED


def test_without_a_server_messages_wait_and_go_once_there_is_one(outbox: Outbox, post: Post) -> None:
    outbox.reaching(server=None).answer()
    outbox.run()
    row = outbox.message()
    assert (row.state, row.attempts) == (OutboundState.QUEUED, 0)
    assert "DESKBELL_SMTP_HOST" in row.reason
    assert "We send another" in row.text
    outbox.reaching(server=server_at(post.port))
    with outbox.database.transaction(SYSTEM) as session:
        assert hand_over_waiting(session) == 1
    outbox.run()
    assert outbox.message().state is OutboundState.SENT


def test_old_news_are_not_sent_by_themselves(outbox: Outbox, post: Post) -> None:
    outbox.reaching(server=None).answer()
    outbox.run()
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(update(OutboundMessage).values(created_at=OutboundMessage.created_at - PATIENCE))
    outbox.reaching(server=server_at(post.port))
    with outbox.database.transaction(SYSTEM) as session:
        assert hand_over_waiting(session) == 0
        found = session.get_one(OutboundMessage, outbox.message().id)
        assert retry(session, found, found.created_at)
    outbox.run()
    assert len(post.taken) == 1


def test_words_with_a_link_are_not_kept_for_ever(outbox: Outbox) -> None:
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(
            text(
                "insert into outbound_messages (kind, recipient, text, created_at)"
                " values ('reset', 'kim@example.test', 'a link', clock_timestamp() - interval '3 days')"
            )
        )
        assert forget_links(session) == 1
    assert (outbox.message().text, outbox.message().state) == ("", OutboundState.FAILED)


def test_a_message_about_a_ticket_that_went_to_somebody_else_is_not_sent(outbox: Outbox, post: Post) -> None:
    outbox.answer()
    somebody = Factory(outbox.database).user()
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(text("update tickets set creator_id = :id"), {"id": somebody.id})
    outbox.run()
    assert (outbox.message().state, post.taken) == (OutboundState.DROPPED, [])


@pytest.mark.parametrize("address", ["kim@", "kim kim@example.test", "kim,sam@example.test", "kim@exam\r\nple.test"])
def test_an_address_that_is_none_fails_in_words(outbox: Outbox, post: Post, address: str) -> None:
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(text("update users set email = :email where not is_staff"), {"email": address})
    outbox.answer()
    outbox.run()
    assert (outbox.message().state, post.taken) == (OutboundState.FAILED, [])
    assert outbox.message().reason


def test_what_waited_is_decided_anew_when_it_is_sent(outbox: Outbox, post: Post) -> None:
    outbox.reaching(server=None).answer()
    outbox.run()
    waiting = outbox.message()
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(text("update users set email = 'new@example.test' where not is_staff"))
        assert retry(session, session.get_one(OutboundMessage, waiting.id), waiting.created_at)
    outbox.reaching(server=server_at(post.port)).run()
    assert post.taken[0].rcpt_tos == ["new@example.test"]
    assert post.messages()[0]["Message-ID"] == waiting.message_id


def test_nobody_is_told_where_that_is_off(outbox: Outbox) -> None:
    outbox.reaching(tells_requesters=False).answer()
    assert outbox.message() is None


def test_letters_are_in_the_recipients_language_or_english(outbox: Outbox, post: Post) -> None:
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(text("update users set locale = 'xx-nonsense' where not is_staff"))
    outbox.answer()
    outbox.run()
    assert "has answered your request" in post.messages()[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
