"""What the desk's people hear of by mail: what concerns them and they did not do, as far as they want to."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from deskbell.kernel.remembering import Lately
from deskbell.mail.inbound.ledger import Envelope, receive
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.mailboxes.addresses import ReplyTo, reply_to_of
from deskbell.mail.outbound.actions import resend
from deskbell.mail.outbound.choices import DEFAULTS, choices_of, choose
from deskbell.mail.outbound.models import DESK_NOTICES, OutboundKind, OutboundMessage, OutboundState
from deskbell.mail.outbound.undelivered import note_bounce
from deskbell.testing.factories import SYSTEM
from deskbell.tickets.actions import Sender, add_note, assign, give_to_team, open_ticket, reply
from deskbell.tickets.bodies import body_of
from deskbell.tickets.models import Ticket
from tests.mail.outbound.conftest import Outbox, Post, words_of


@pytest.fixture
def desk(outbox: Outbox) -> Outbox:
    return outbox.reaching(tells_desk=True, tells_requesters=False)


def told(desk: Outbox, kind: OutboundKind) -> set[int | None]:
    """Run the jobs and return whom a notice of this kind was written to."""
    desk.run()
    return {each.user_id for each in desk.messages(kind)}


def customer(desk: Outbox) -> User:
    with desk.database.transaction(SYSTEM) as session:
        return session.get_one(User, desk.ticket.creator_id)


def opened(desk: Outbox, who: User) -> Ticket:
    with desk.as_(who) as session:
        return open_ticket(session, body=body_of("My card has not arrived."), requester=None)


def wrote(desk: Outbox, who: User, words: str = "And now?") -> None:
    with desk.as_(who) as session:
        reply(session, desk.ticket.ticket_number, body=body_of(words), now=desk.resources.clock.now())


def assigned(desk: Outbox, by: User, to: User) -> None:
    with desk.as_(by) as session:
        assign(session, desk.ticket.ticket_number, to.id)


def test_on_a_desk_without_teams_everybody_hears_of_a_new_request(desk: Outbox) -> None:
    admin = desk.factory.user(Role.ADMIN)
    opened(desk, customer(desk))
    assert told(desk, OutboundKind.OPENED) == {desk.agent.id, admin.id}


def test_where_no_mail_can_leave_no_notice_waits_for_a_server_that_never_comes(desk: Outbox) -> None:
    desk.reaching(server=None)
    opened(desk, customer(desk))
    assert told(desk, OutboundKind.OPENED) == set()
    desk.mailbox(smtp_host="smtp.example.test")
    opened(desk, customer(desk))
    assert told(desk, OutboundKind.OPENED) >= {desk.agent.id}


def test_whoever_adds_a_mailbox_has_the_desk_told_from_then_on(desk: Outbox) -> None:
    """That none sends is remembered for a moment, so that tickets are opened sooner where none does."""
    desk.reaching(server=None)
    desk.equipped(lately=Lately(60))
    opened(desk, customer(desk))
    opened(desk, customer(desk))
    assert told(desk, OutboundKind.OPENED) == set()
    desk.mailbox(smtp_host="smtp.example.test")
    opened(desk, customer(desk))
    assert told(desk, OutboundKind.OPENED) >= {desk.agent.id}


def test_who_opens_a_ticket_for_somebody_is_not_told_of_it(desk: Outbox) -> None:
    other, requester = desk.factory.user(Role.AGENT), customer(desk)
    with desk.as_(desk.agent) as session:
        open_ticket(session, body=body_of("They rang."), requester=requester)
    assert told(desk, OutboundKind.OPENED) == {other.id}


def test_with_teams_those_who_give_tickets_out_hear_of_what_has_none(desk: Outbox) -> None:
    admin = desk.factory.user(Role.ADMIN)
    desk.factory.team(desk.agent)
    opened(desk, customer(desk))
    assert told(desk, OutboundKind.OPENED) == {admin.id}


def test_a_customers_message_goes_to_who_has_the_ticket_else_to_its_team(desk: Outbox) -> None:
    other, boss = desk.factory.user(Role.AGENT), desk.factory.user(Role.ADMIN)
    team = desk.factory.team(other)
    with desk.as_(boss) as session:
        give_to_team(session, desk.ticket.ticket_number, team.id)
    wrote(desk, customer(desk))
    assert told(desk, OutboundKind.REPLIED) == {other.id}
    assigned(desk, desk.agent, desk.agent)
    wrote(desk, customer(desk))
    assert told(desk, OutboundKind.REPLIED) == {other.id, desk.agent.id}


def test_nobody_hears_of_what_they_did_themselves(desk: Outbox) -> None:
    other = desk.factory.user(Role.AGENT, full_name="Ann Lee")
    assigned(desk, desk.agent, desk.agent)
    assert told(desk, OutboundKind.ASSIGNED) == set()
    assigned(desk, desk.agent, other)
    assert told(desk, OutboundKind.ASSIGNED) == {other.id}
    with desk.as_(other) as session:
        add_note(session, desk.ticket.ticket_number, body=body_of("@Ann Lee and @Sam, look"))
    assert told(desk, OutboundKind.MENTIONED) == {desk.agent.id}
    wrote(desk, desk.agent)  # an agent answers: that is no news to the desk
    assert told(desk, OutboundKind.REPLIED) == set()


def test_a_mention_in_a_note_is_told_without_a_way_to_answer_it_in_public(desk: Outbox, post: Post) -> None:
    desk.mailbox()
    other = desk.factory.user(Role.AGENT, full_name="Ann Lee")
    number, now = desk.ticket.ticket_number, desk.resources.clock.now()
    with desk.as_(desk.agent) as session:
        add_note(session, number, body=body_of("@Ann Lee, secret"))
        reply(session, number, body=body_of("@Ann Lee will help you"), now=now)
    desk.run()
    desk.run()
    note, answer = post.messages()
    assert [each.rcpt_tos for each in post.taken] == [[other.email], [other.email]]
    assert "secret" in words_of(note)
    assert note["Reply-To"] == "support@example.test"
    assert reply_to_of(desk.resources.reach, [answer["Reply-To"]]) == ReplyTo(desk.ticket.id, other.id)
    assert (answer["Auto-Submitted"], answer["Precedence"]) == ("auto-generated", "bulk")
    assert f"/tickets/{desk.ticket.ticket_number}" in words_of(answer)


def test_each_chooses_of_what_they_hear_and_it_is_decided_when_it_is_sent(desk: Outbox, post: Post) -> None:
    with desk.as_(desk.agent) as session:
        assert choices_of(session, desk.agent.id) == DEFAULTS
    wrote(desk, customer(desk))
    with desk.as_(desk.agent) as session:
        choose(session, OutboundKind.REPLIED, False)
        choose(session, OutboundKind.REPLIED, True)
        choose(session, OutboundKind.REPLIED, False)
        assert choices_of(session, desk.agent.id)[OutboundKind.REPLIED] is False
    desk.run()
    desk.run()
    [row] = desk.messages(OutboundKind.REPLIED)
    assert (row.state, "has chosen" in row.reason, post.taken) == (OutboundState.DROPPED, True, [])
    for who, kind, error in (
        (desk.agent, OutboundKind.ANSWERED, InvalidError),
        (customer(desk), OutboundKind.OPENED, ForbiddenError),
    ):
        with desk.as_(who) as session, pytest.raises(error):
            choose(session, kind, False)
    assert set(DEFAULTS) == DESK_NOTICES


def test_who_left_the_desk_hears_nothing_more(desk: Outbox, post: Post) -> None:
    wrote(desk, customer(desk))
    with desk.database.transaction(SYSTEM) as session:
        session.get_one(User, desk.agent.id).is_active = False
        session.flush()
    desk.run()
    desk.run()
    assert post.taken == []


def test_what_was_read_in_from_files_or_is_old_is_no_news(desk: Outbox) -> None:
    mailbox, now = desk.mailbox(), desk.resources.clock.now()
    ways = {
        "new": (mailbox.id, now),
        "undated": (mailbox.id, None),
        "old": (mailbox.id, now - timedelta(days=3)),
        "file": (None, now),
    }
    numbers = {}
    for name, (mailbox_id, at) in ways.items():
        with desk.database.transaction(Actor.system(Channel.JOB)) as session:
            author = session.get_one(User, desk.ticket.creator_id)
            ticket = open_ticket(session, body=body_of(name), requester=author, channel=Channel.MAIL)
            taken = receive(session, name.encode(), source="test", mailbox_id=mailbox_id, is_delivered=name != "file")
            came = session.get_one(InboundMessage, taken.id)
            came.ticket_id, came.state, came.sent_at = ticket.id, MailState.TICKET, at
            session.flush()
            numbers[ticket.id] = name
    told(desk, OutboundKind.OPENED)
    assert {numbers[each.ticket_id or 0] for each in desk.messages(OutboundKind.OPENED)} == {"new", "undated"}
    with desk.database.transaction(SYSTEM) as session:
        envelope = receive(session, b"file", source="smtp", envelope=Envelope("kim@example.test"))
        assert not envelope.is_new


def test_an_import_and_tests_data_tell_nobody(desk: Outbox) -> None:
    author = customer(desk)
    for channel in (Channel.MAIL, Channel.IMPORT, Channel.SQL):
        with desk.database.transaction(Actor.system(channel)) as session:
            open_ticket(session, body=body_of("Old"), requester=author)
    assert told(desk, OutboundKind.OPENED) == set()


def failed(desk: Outbox, post: Post) -> OutboundMessage:
    desk.reaching(tells_requesters=True)
    post.says["RCPT"] = "550 No such person"
    with desk.as_(desk.agent) as session:
        reply(session, desk.ticket.ticket_number, body=body_of("Where are you?"), now=desk.resources.clock.now())
    desk.run()
    post.says.clear()
    return desk.messages(OutboundKind.ANSWERED)[0]


def test_who_wrote_what_the_server_refuses_is_told_once(desk: Outbox, post: Post) -> None:
    desk.copy("boss@example.test")
    assert failed(desk, post).state is OutboundState.FAILED
    desk.run()
    [mail] = post.messages()
    assert (post.taken[0].rcpt_tos, mail["Subject"]) == (
        [desk.agent.email],
        f"Not delivered: [{desk.ticket.ticket_number}] My card",
    )
    for line in ("- kim@example.test: 550 No such person", "- boss@example.test: 550 No such person", "Where are you?"):
        assert line in words_of(mail)


def test_an_acknowledgement_that_came_back_is_told_to_those_whom_new_tickets_concern(desk: Outbox) -> None:
    desk.reaching(tells_requesters=True)
    with desk.as_(customer(desk)) as session:
        open_ticket(session, body=body_of("My card has not arrived."), requester=None)
    desk.run()
    [received] = desk.messages(OutboundKind.RECEIVED)
    with desk.database.transaction(SYSTEM) as session:
        assert note_bounce(session, received.id, "5.1.1 unknown", desk.resources.clock.now())
    assert {each.user_id for each in desk.messages(OutboundKind.UNDELIVERED)} == {desk.agent.id}


def test_somebody_without_a_name_who_was_let_in_is_not_called_the_requester(desk: Outbox, post: Post) -> None:
    stranger = desk.factory.user(email="lee@example.test", full_name="")
    with desk.database.transaction(Actor.system(Channel.JOB)) as session:
        sender = Sender(stranger.id, is_staff=False, channel=Channel.WEB)
        now = desk.resources.clock.now()
        reply(session, desk.ticket.ticket_number, body=body_of("And me?"), sender=sender, now=now)
    desk.run()
    desk.run()
    assert "The requester" not in words_of(post.messages()[-1])


def test_what_comes_back_is_told_once_and_a_notice_that_comes_back_is_not(desk: Outbox, post: Post) -> None:
    desk.reaching(tells_requesters=True)
    with desk.as_(desk.agent) as session:
        reply(session, desk.ticket.ticket_number, body=body_of("Hello"), now=desk.resources.clock.now())
    desk.run()
    sent = desk.message()

    def bounce(message: OutboundMessage) -> bool:
        with desk.database.transaction(SYSTEM) as session:
            return note_bounce(session, message.id, "5.1.1 unknown", desk.resources.clock.now())

    assert [bounce(sent), bounce(sent)] == [True, False]
    assert desk.messages(OutboundKind.ANSWERED)[0].state is OutboundState.BOUNCED
    desk.run()
    [notice] = desk.messages(OutboundKind.UNDELIVERED)
    assert "5.1.1 unknown" in words_of(post.messages()[-1])
    assert bounce(notice)
    assert len(desk.messages(OutboundKind.UNDELIVERED)) == 1


def test_an_agent_sends_again_what_failed_and_the_old_one_stays(desk: Outbox, post: Post) -> None:
    old = failed(desk, post)
    with desk.as_(desk.agent) as session:
        again = resend(session, old.id)
    desk.run()
    first, second = desk.messages(OutboundKind.ANSWERED)
    assert (first.state, second.id, second.state) == (OutboundState.FAILED, again, OutboundState.SENT)
    assert first.message_id != second.message_id
    assert "Where are you?" in words_of(post.messages()[-1])


def test_what_is_on_its_way_or_let_somebody_in_is_not_sent_again(desk: Outbox) -> None:
    desk.reaching(tells_requesters=True).answer()
    waiting = desk.message()

    def refusal(who: User, message_id: int) -> type[Exception] | None:
        with desk.as_(who) as session:
            try:
                resend(session, message_id)
            except Exception as error:  # noqa: BLE001 - its kind is what is asked for
                return type(error)
        return None

    with desk.database.transaction(SYSTEM) as session:
        letter = _letter(session)
    assert refusal(desk.agent, waiting.id) is ConflictError
    assert refusal(desk.agent, letter) is InvalidError
    assert refusal(desk.agent, 10**9) is NotFoundError
    assert refusal(customer(desk), waiting.id) is ForbiddenError


def _letter(session: Session) -> int:
    letter = OutboundMessage(kind=OutboundKind.RESET, recipient="kim@example.test", state=OutboundState.SENT)
    session.add(letter)
    session.flush()
    return letter.id


def test_an_agent_is_a_sender_by_mail_and_hears_nothing_of_their_own(desk: Outbox) -> None:
    with desk.database.transaction(Actor.system(Channel.JOB)) as session:
        sender = Sender(desk.agent.id, True, Channel.MAIL)
        now = desk.resources.clock.now()
        reply(session, desk.ticket.ticket_number, body=body_of("Hi"), sender=sender, now=now)
    assert told(desk, OutboundKind.REPLIED) == set()
