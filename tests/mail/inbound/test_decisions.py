"""What people decide about messages: who may, what follows, and what cannot be decided twice."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role, User
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.mail.inbound.decisions import reject, release, replay, replay_all
from deskbell.mail.inbound.errors import AlreadyFiledError, NobodyDecidesError, NoSuchMailError, NotWaitingError
from deskbell.mail.inbound.jobs import FILE_MESSAGE
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.inbound.queries import counts_by_state, messages, suspended_for
from deskbell.testing.factories import actor
from deskbell.tickets.models import Comment, Ticket
from tests.mail.filing.post import MAIL, Desk, message


@pytest.fixture
def agent(desk: Desk) -> User:
    return desk.factory.user(Role.AGENT)


def suspended(desk: Desk, subject: str = "", sender: str = "mallory@example.test") -> InboundMessage:
    ticket = desk.factory.ticket()
    return desk.arrive(message(f"Re: {ticket.ticket_number} {subject}", sender=sender))


def queued(desk: Desk) -> list[int]:
    query = "select (args ->> 'message_id')::bigint from jobs.procrastinate_jobs where task_name = :name order by id"
    with desk.acting() as session:
        return list(session.scalars(text(query), {"name": FILE_MESSAGE}))


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_a_released_message_goes_into_the_ticket_that_it_claimed(desk: Desk, role: Role) -> None:
    waiting, person = suspended(desk), desk.factory.user(role)
    with desk.acting(actor(person)) as session:
        release(session, waiting.id)
    assert (queued(desk), desk.one(InboundMessage, waiting.id).released_by_id) == ([waiting.id], person.id)
    filed = desk.file(waiting.id)
    assert (filed.state, filed.ticket_id) == (MailState.COMMENT, waiting.ticket_id)


def test_a_released_message_whose_ticket_was_deleted_meanwhile_opens_one(desk: Desk, agent: User) -> None:
    waiting = suspended(desk)
    with desk.acting() as session:
        session.get_one(Ticket, waiting.ticket_id).deleted_at = datetime.now(UTC)
    with desk.acting(actor(agent)) as session:
        release(session, waiting.id)
    filed = desk.file(waiting.id)
    assert (filed.state, filed.ticket_id == waiting.ticket_id) == (MailState.TICKET, False)


def test_a_released_answer_of_an_agent_is_theirs(desk: Desk, agent: User) -> None:
    waiting = suspended(desk, sender=agent.email)
    with desk.acting(actor(agent)) as session:
        release(session, waiting.id)
    assert desk.one(Comment, desk.file(waiting.id).comment_id).author_id == agent.id


def test_a_released_message_that_names_no_sender_is_of_whom_the_mail_server_named(desk: Desk, agent: User) -> None:
    waiting = desk.arrive(b"Subject: Hello\r\n\r\nHello", sender="kim@example.test")
    assert waiting.state is MailState.SUSPENDED
    with desk.acting(actor(agent)) as session:
        release(session, waiting.id)
    ticket = desk.one(Ticket, desk.file(waiting.id).ticket_id)
    assert desk.one(User, ticket.creator_id).email == "kim@example.test"


def test_a_message_that_was_let_in_and_then_failed_still_knows_where_to_go(desk: Desk, agent: User) -> None:
    waiting = suspended(desk)
    with desk.acting(actor(agent)) as session:
        release(session, waiting.id)
    assert desk.file(waiting.id, mail_bytes=1).state is MailState.FAILED
    with desk.acting(actor(agent)) as session:
        replay(session, waiting.id)
    filed = desk.file(waiting.id)
    assert (filed.state, filed.ticket_id) == (MailState.COMMENT, waiting.ticket_id)


def test_a_rejected_message_says_why_and_is_in_no_ticket(desk: Desk, agent: User) -> None:
    waiting = suspended(desk)
    with desk.acting(actor(agent)) as session:
        reject(session, waiting.id, " Spam,\nas ever ")
    kept = desk.one(InboundMessage, waiting.id)
    assert (kept.state, kept.reason, desk.all(Comment)) == (MailState.REJECTED, "Spam, as ever", [])


def test_what_was_decided_is_not_decided_twice(desk: Desk, agent: User) -> None:
    waiting, filed = suspended(desk), desk.arrive(message())
    with desk.acting(actor(agent)) as session:
        release(session, waiting.id)
        for decide in (release, reject):
            with pytest.raises(NotWaitingError):
                decide(session, waiting.id)
            with pytest.raises(NotWaitingError):
                decide(session, filed.id)
        with pytest.raises(AlreadyFiledError):
            replay(session, filed.id)
        for decide in (release, reject, replay):
            with pytest.raises(NoSuchMailError):
                decide(session, 10**9)


def test_the_system_lets_nobody_in_and_customers_decide_nothing(desk: Desk) -> None:
    waiting = suspended(desk)
    with desk.acting(MAIL) as session, pytest.raises(NobodyDecidesError):
        release(session, waiting.id)
    with desk.acting(actor(desk.factory.user())) as session:
        for decide in (release, reject, replay):
            with pytest.raises(ForbiddenError):
                decide(session, waiting.id)
        with pytest.raises(ForbiddenError):
            replay_all(session, state=MailState.FAILED)


def test_all_that_failed_is_read_again_after_a_fix_and_nothing_else(desk: Desk, agent: User) -> None:
    box = desk.mailbox()
    failed = [desk.file(desk.receive(message(f"Failed {n}")), mail_bytes=1).id for n in range(3)]
    elsewhere = desk.file(desk.receive(message("Elsewhere", To="x@y.test"), to=["x@y.test"]), mail_bytes=1).id
    waiting = suspended(desk)
    with desk.acting(actor(agent)) as session:
        later = datetime.now(UTC) + timedelta(hours=1)
        assert replay_all(session, state=MailState.FAILED, since=later) == 0
        assert replay_all(session, state=MailState.FAILED, mailbox_id=box.id) == 0, "nobody could read to whom it went"
        assert replay_all(session, state=MailState.FAILED) == len(failed) + 1
        with pytest.raises(InvalidError):
            replay_all(session, state=MailState.TICKET)
    assert queued(desk) == [*failed, elsewhere]
    assert [desk.file(number).state for number in failed] == [MailState.TICKET] * 3
    assert desk.one(InboundMessage, waiting.id).state is MailState.SUSPENDED


def test_the_ledger_is_searched_by_state_mailbox_time_and_words(desk: Desk, agent: User) -> None:
    box = desk.mailbox("sales@example.test")
    plain = desk.arrive(message("100% lost", Message_ID="<one@x>"))
    fetched = desk.arrive(message("Other", To="x@y.test"), to=(), mailbox=box)
    waiting = suspended(desk)
    with desk.acting(actor(agent)) as session:

        def found(*args: object, **wanted: object) -> list[int]:
            return [each.id for each in session.scalars(messages(*args, **wanted))]  # type: ignore[arg-type]

        assert found() == [waiting.id, fetched.id, plain.id]
        assert found(MailState.SUSPENDED) == [waiting.id]
        assert found(mailbox_id=box.id) == [fetched.id]
        assert found(words="100%") == found(words=" <one@x> ") == [plain.id]
        assert found(words="_00%") == []
        assert found(words="MALLORY@example.test") == [waiting.id]
        assert found(until=datetime.now(UTC) - timedelta(hours=1)) == []
        assert [each.id for each in session.scalars(suspended_for(waiting.ticket_id or 0))] == [waiting.id]
        counts = counts_by_state(session)
    assert (counts[MailState.TICKET], counts[MailState.SUSPENDED], counts[MailState.FAILED]) == (2, 1, 0)
