"""Each mailbox sends as itself, by its own server, signed with its own key, and no faster than it may."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select, text

from deskbell.kernel.actor import Actor
from deskbell.kernel.resources import RESOURCES_KEY
from deskbell.kernel.vault import NO_VAULT
from deskbell.mail.mailboxes.addresses import ReplyTo, reply_to_of
from deskbell.mail.outbound.jobs import hand_over_waiting
from deskbell.mail.outbound.models import OutboundMessage, OutboundState
from deskbell.mail.outbound.taking import take_out
from deskbell.testing.factories import SYSTEM
from tests.mail.outbound.conftest import Outbox, Post, server_at, words_of

KEY = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def own_server(post: Post) -> dict[str, Any]:
    return {"smtp_host": "127.0.0.1", "smtp_port": post.port, "smtp_security": "none", "smtp_user": "us"}


def test_a_mailbox_sends_as_itself_by_its_own_server(outbox: Outbox, post: Post) -> None:
    mailbox = outbox.mailbox(
        secrets={"smtp_password": "right"},
        name="Käse & Co",
        signature="Your cheese team\nKing's Road 1",
        **own_server(post),
    )
    outbox.reaching(server=None).answer()
    outbox.run()
    [mail] = post.messages()
    assert mail["From"].addresses[0].display_name == "Käse & Co"
    assert mail["From"].addresses[0].addr_spec == "support@example.test"
    assert (post.taken[0].mail_from, mail["Message-ID"].endswith("@example.test>")) == ("support@example.test", True)
    assert reply_to_of(outbox.resources.reach, [mail["Reply-To"]]) == ReplyTo(
        outbox.ticket.id, outbox.ticket.creator_id
    )
    assert "-- \nYour cheese team\nKing's Road 1" in words_of(mail)
    assert "You can answer this mail." in words_of(mail)
    row = outbox.message()
    assert (row.state, row.mailbox_id, row.handed_at is not None) == (OutboundState.SENT, mailbox.id, True)


def test_without_plus_addresses_answers_come_to_the_mailbox(outbox: Outbox, post: Post) -> None:
    outbox.mailbox(is_plus=False)
    outbox.answer()
    outbox.run()
    assert post.messages()[0]["Reply-To"] == "support@example.test"


def test_without_a_mailbox_all_is_as_the_desk_says(outbox: Outbox, post: Post) -> None:
    outbox.reaching(reply_to="Desk <desk@example.org>").answer()
    outbox.run()
    [mail] = post.messages()
    assert (mail["From"], mail["Reply-To"]) == ("Help <help@example.org>", "Desk <desk@example.org>")
    assert "You can answer this mail." not in words_of(mail)


def test_a_wrong_password_waits_and_says_so(outbox: Outbox, post: Post) -> None:
    outbox.mailbox(secrets={"smtp_password": "wrong"}, **own_server(post))
    outbox.answer()
    outbox.run()
    assert (outbox.message().state, "535" in outbox.message().reason, post.taken) == (OutboundState.QUEUED, True, [])


def test_a_secret_that_cannot_be_opened_waits_and_says_so(outbox: Outbox, post: Post) -> None:
    outbox.mailbox(secrets={"smtp_password": "right"}, **own_server(post))
    outbox.answer()
    message = outbox.message()
    with outbox.database.transaction(SYSTEM) as session:
        session.info[RESOURCES_KEY] = replace(outbox.resources, vault=NO_VAULT)
        assert take_out(session, message.id) is None
    row = outbox.message()
    assert (row.state, row.attempts) == (OutboundState.QUEUED, 0)
    assert row.reason
    assert row.next_attempt_at
    assert row.next_attempt_at > outbox.resources.clock.now()


def test_a_mailbox_signs_with_its_key(outbox: Outbox, post: Post) -> None:
    outbox.mailbox(secrets={"dkim_key": KEY}, dkim_domain="example.test", dkim_selector="mail2026")
    outbox.answer()
    outbox.run()
    [mail] = post.messages()
    for part in ("a=ed25519-sha256", "c=relaxed/relaxed", "d=example.test", "s=mail2026"):
        assert part in mail["DKIM-Signature"]


def test_messages_whose_mailbox_has_a_server_are_taken_up_without_one_of_the_desk(outbox: Outbox, post: Post) -> None:
    outbox.mailbox(secrets={"smtp_password": "right"}, **own_server(post))
    outbox.reaching(server=None).answer()
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(text("delete from jobs.procrastinate_jobs"))
        session.execute(text("update outbound_messages set next_attempt_at = now() - interval '1 hour'"))
        assert hand_over_waiting(session) == 1
    outbox.run()
    assert len(post.taken) == 1


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock(outbox: Outbox) -> Clock:
    return Clock(outbox.resources.clock.now())


def taken_at(outbox: Outbox, clock: Clock, message_id: int) -> datetime | None:
    """Try to take a message; return when it was told to come again, None where it was taken."""
    with outbox.database.transaction(SYSTEM) as session:
        session.info[RESOURCES_KEY] = replace(outbox.resources, clock=clock)
        if take_out(session, message_id) is not None:
            return None
        return session.get_one(OutboundMessage, message_id).next_attempt_at


def test_many_answers_leave_at_the_mailboxs_rate_and_in_order(outbox: Outbox, clock: Clock) -> None:
    """Thirty answers at six a minute: each is told its turn once, and in no minute more than six leave."""
    outbox.mailbox(rate=6)
    for _ in range(30):
        outbox.answer()
    begin, left, asked = clock.at, {}, 0
    turns = {message.id: begin for message in outbox.messages()}
    while turns:
        message_id = min(turns, key=lambda each: (turns[each], each))
        clock.at, asked = max(clock.at, turns.pop(message_id)), asked + 1
        again = taken_at(outbox, clock, message_id)
        if again is None:
            left[message_id] = clock.at
        else:
            assert again > clock.at
            turns[message_id] = again
    assert list(left) == sorted(left)
    times = sorted(left.values())
    assert all(sum(at <= other < at + timedelta(minutes=1) for other in times) <= 6 for at in times)
    assert times[-1] - times[0] <= timedelta(minutes=5)
    assert asked <= 30 + 24


def test_two_workers_together_do_not_exceed_the_rate(committed: Outbox) -> None:
    committed.mailbox(rate=3)
    for _ in range(12):
        committed.answer()
    ids, begin = [message.id for message in committed.messages()], threading.Barrier(4)

    def work(mine: list[int]) -> None:
        begin.wait(60)
        for message_id in mine:
            with committed.database.transaction(Actor.system()) as session:
                take_out(session, message_id)

    workers = [threading.Thread(target=work, args=(ids[start::4],)) for start in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    with committed.database.transaction(SYSTEM) as session:
        states = session.scalars(select(OutboundMessage.state)).all()
    assert (states.count(OutboundState.SENDING), states.count(OutboundState.QUEUED)) == (3, 9)


def test_another_mailbox_is_not_held_up(outbox: Outbox, clock: Clock) -> None:
    outbox.mailbox(rate=1)
    for _ in range(2):
        outbox.answer()
    first, second = outbox.messages()
    assert (taken_at(outbox, clock, first.id), taken_at(outbox, clock, second.id)) == (
        None,
        clock.at + timedelta(minutes=1),
    )
    with outbox.database.transaction(SYSTEM) as session:
        session.execute(text("update mailboxes set is_active = false"))
    outbox.mailbox("other@example.test", rate=1)
    outbox.answer()
    assert taken_at(outbox, clock, outbox.message().id) is None


def test_the_desks_server_takes_what_a_mailbox_without_one_sends(outbox: Outbox, post: Post) -> None:
    outbox.mailbox()
    outbox.reaching(server=server_at(post.port)).answer()
    outbox.run()
    assert post.messages()[0]["From"] == "Support <support@example.test>"
