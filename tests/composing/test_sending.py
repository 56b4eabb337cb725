"""Drafts become comments once, in their writer's name, after the grace; or come back with a reason."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from deskbell.accounts.actions import set_active
from deskbell.accounts.models import Role, User
from deskbell.composing.actions import SEND_MESSAGE, Written, add_file, call_back, save, send
from deskbell.composing.errors import AlreadySentError, MovedOnError
from deskbell.composing.guard import Seen
from deskbell.composing.jobs import send_message, send_waiting
from deskbell.composing.models import Draft
from deskbell.composing.queries import Own, own
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.resources import resources_of
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.actions import change_priority, change_status, soft_delete
from deskbell.tickets.copies import add_copies, add_copy, newest_copy
from deskbell.tickets.files import StoredFile
from deskbell.tickets.history import history_page
from deskbell.tickets.labels import tag
from deskbell.tickets.models import Attachment, Comment, Ticket, TicketPriority, TicketStatus

NOTHING_SEEN = Seen()
GRACE = timedelta(seconds=10)


def now() -> datetime:
    return SystemClock().now()


@pytest.fixture
def agent(factory: Factory) -> User:
    return factory.user(Role.AGENT, full_name="Mara Lind")


@pytest.fixture
def ticket(factory: Factory) -> Ticket:
    return factory.ticket()


def as_(database: Database, user: User, do: Callable[[Session], object]) -> object:
    with database.transaction(actor(user, Channel.WEB)) as session:
        return do(session)


def begin(
    database: Database, user: User, ticket: Ticket, written: Written, *, past: bool = True, grace: timedelta = GRACE
) -> int:
    """Send, so long ago that the grace is over; return the id of what waits."""
    moment = now() - (timedelta(minutes=2) if past else timedelta())
    with database.transaction(actor(user, Channel.WEB)) as session:
        waiting = send(session, ticket.ticket_number, written, seen=NOTHING_SEEN, now=moment, grace=grace)
        return waiting.id


def run(database: Database, draft_id: int) -> bool:
    with database.transaction(Actor.system(Channel.JOB, cause="job:test")) as session:
        return send_message(session, draft_id)


def comments(database: Database) -> list[Comment]:
    with database.transaction(SYSTEM) as session:
        return list(session.scalars(select(Comment).order_by(Comment.id)))


def mine(database: Database, user: User, ticket: Ticket) -> Own:
    with database.transaction(actor(user)) as session:
        return own(session, ticket.id)


def test_what_waits_is_sent_once_in_its_writers_name(database: Database, agent: User, ticket: Ticket) -> None:
    written = Written("It is **on** its way.", status=TicketStatus.WAITING_ON_CUSTOMER)
    draft_id = begin(database, agent, ticket, written)
    assert comments(database) == []
    assert [run(database, draft_id) for _ in range(2)] == [True, False]
    [comment] = comments(database)
    assert (comment.author_id, comment.channel, comment.is_internal) == (agent.id, Channel.WEB, False)
    assert "<strong>on</strong>" in (comment.content_html or "")
    with database.transaction(actor(agent)) as session:
        act = history_page(session, ticket.ticket_number).items[0]
        assert (act.actor_id, act.channel, act.cause) == (agent.id, "web", "")
        assert session.get_one(Ticket, ticket.id).status is TicketStatus.WAITING_ON_CUSTOMER
    assert mine(database, agent, ticket) == Own()


def test_it_is_not_sent_before_its_time(database: Database, agent: User, ticket: Ticket) -> None:
    assert not run(database, begin(database, agent, ticket, Written("Soon"), past=False))
    assert comments(database) == []


def test_without_a_grace_it_is_sent_at_once(database: Database, agent: User, ticket: Ticket) -> None:
    begin(database, agent, ticket, Written("Now"), grace=timedelta())
    assert [comment.content for comment in comments(database)] == ["Now"]


def test_undo_puts_it_back_and_the_job_finds_nothing(database: Database, agent: User, ticket: Ticket) -> None:
    draft_id = begin(database, agent, ticket, Written("Wrong", is_internal=True))
    as_(database, agent, lambda s: call_back(s, ticket.ticket_number, now=now()))
    assert not run(database, draft_id)
    draft = mine(database, agent, ticket).draft
    assert draft
    assert (draft.content, draft.is_internal, draft.send_at) == ("Wrong", True, None)
    with pytest.raises(AlreadySentError):
        as_(database, agent, lambda s: call_back(s, ticket.ticket_number, now=now()))


def test_undo_and_sending_again_is_not_sent_by_the_first_job(database: Database, agent: User, ticket: Ticket) -> None:
    begin(database, agent, ticket, Written("First"))
    as_(database, agent, lambda s: call_back(s, ticket.ticket_number, now=now()))
    again = begin(database, agent, ticket, Written("Second"), past=False)
    assert not run(database, again)


def test_what_was_begun_meanwhile_stands_beneath_and_nothing_becomes_public(
    database: Database, agent: User, ticket: Ticket
) -> None:
    begin(database, agent, ticket, Written("To the customer"))
    note = Written("Only for us", is_internal=True)
    as_(database, agent, lambda s: save(s, ticket.ticket_number, note, revision=0, now=now()))
    as_(database, agent, lambda s: call_back(s, ticket.ticket_number, now=now()))
    draft = mine(database, agent, ticket).draft
    assert draft
    assert (draft.content, draft.is_internal) == ("To the customer\n\nOnly for us", True)


def test_a_second_message_sends_the_first_at_once(database: Database, agent: User, ticket: Ticket) -> None:
    first = begin(database, agent, ticket, Written("First"), past=False)
    second = begin(database, agent, ticket, Written("Second"))
    assert [comment.content for comment in comments(database)] == ["First"]
    assert (run(database, first), run(database, second)) == (False, True)
    assert [comment.content for comment in comments(database)] == ["First", "Second"]


def test_its_files_go_with_it(database: Database, agent: User, ticket: Ticket) -> None:
    def attach(session: Session) -> None:
        blob = resources_of(session).storage.put([b"picture"], max_bytes=99)
        add_file(session, ticket.ticket_number, StoredFile(blob, "../a.png", "image/png"))

    as_(database, agent, attach)
    run(database, begin(database, agent, ticket, Written("See the file")))
    with database.transaction(SYSTEM) as session:
        [file] = session.scalars(select(Attachment))
        [comment] = session.scalars(select(Comment))
    assert (file.file_name, file.comment_id, file.uploaded_by_id) == ("a.png", comment.id, agent.id)


def deleted(session: Session, _: User, ticket: Ticket) -> None:
    soft_delete(session, ticket.ticket_number, now=now())


def deactivated(session: Session, agent: User, _: Ticket) -> None:
    set_active(session, agent.id, active=False)


@pytest.mark.parametrize(("happens", "reason"), [(deleted, "was deleted"), (deactivated, "could not be found")])
def test_what_cannot_be_sent_is_a_draft_again_with_the_reason(
    database: Database,
    agent: User,
    ticket: Ticket,
    happens: Callable[[Session, User, Ticket], None],
    reason: str,
) -> None:
    draft_id = begin(database, agent, ticket, Written("Too late"))
    with database.transaction(SYSTEM) as session:
        happens(session, agent, ticket)
    assert run(database, draft_id)
    assert comments(database) == []
    draft = mine(database, agent, ticket).draft
    assert draft
    assert draft.content == "Too late"
    assert reason in draft.problem


def test_a_message_whose_job_was_lost_gets_another_one(database: Database, agent: User, ticket: Ticket) -> None:
    draft_id = begin(database, agent, ticket, Written("Lost"))
    with database.transaction(SYSTEM) as session:
        session.execute(text("delete from jobs.procrastinate_jobs"))
        assert send_waiting(session) == 1
        jobs = session.execute(text("select task_name, args from jobs.procrastinate_jobs")).all()
    assert [tuple(job) for job in jobs] == [(SEND_MESSAGE, {"draft_id": draft_id})]


def test_nobody_else_sees_a_draft(database: Database, factory: Factory, agent: User, ticket: Ticket) -> None:
    as_(database, agent, lambda s: save(s, ticket.ticket_number, Written("Secret"), revision=0, now=now()))
    for role in (Role.AGENT, Role.ADMIN):
        with database.transaction(actor(factory.user(role))) as session:
            assert session.scalars(select(Draft)).all() == []
    with pytest.raises(ForbiddenError):
        as_(database, factory.user(), lambda s: save(s, ticket.ticket_number, Written("x"), revision=0, now=now()))


def test_the_last_window_to_write_wins_and_is_told_what_the_other_had(
    database: Database, agent: User, ticket: Ticket
) -> None:
    def keep(content: str, revision: int) -> tuple[int, str | None]:
        with database.transaction(actor(agent)) as session:
            saved = save(session, ticket.ticket_number, Written(content), revision=revision, now=now())
            return saved.revision, saved.replaced

    first, _ = keep("one", 0)
    second, replaced = keep("one two", first)
    assert replaced is None
    assert keep("another window", first) == (second + 1, "one two")
    assert keep("", second + 1) == (0, None)
    assert mine(database, agent, ticket).draft is None


def test_an_empty_message_is_refused(database: Database, agent: User, ticket: Ticket) -> None:
    with pytest.raises(InvalidError):
        begin(database, agent, ticket, Written("  \n"))


def news_of(database: Database, agent: User, ticket: Ticket, seen: Seen) -> MovedOnError | None:
    try:
        as_(
            database,
            agent,
            lambda s: send(s, ticket.ticket_number, Written("Hello"), seen=seen, now=now(), grace=GRACE),
        )
    except MovedOnError as error:
        return error
    return None


def test_a_newer_message_by_somebody_else_stops_sending(
    database: Database, factory: Factory, agent: User, ticket: Ticket
) -> None:
    other = factory.user(Role.AGENT, full_name="Ravi Patel")
    read = factory.comment(ticket, other, "read")
    factory.comment(ticket, agent, "my own")
    assert news_of(database, agent, ticket, Seen(read.id)) is None
    factory.comment(ticket, other, "unread", is_internal=True)
    error = news_of(database, agent, ticket, Seen(read.id))
    assert error
    assert [(it["author"], it["is_internal"], it["content"]) for it in error.details["new_comments"]] == [  # type: ignore[attr-defined]
        ("Ravi Patel", True, "unread")
    ]


def test_a_status_that_somebody_else_set_stops_sending_and_ones_own_does_not(
    database: Database, factory: Factory, agent: User, ticket: Ticket
) -> None:
    seen, other = Seen(0, TicketStatus.OPEN), factory.user(Role.AGENT, full_name="Ravi Patel")
    as_(database, agent, lambda s: change_status(s, ticket.ticket_number, TicketStatus.IN_PROGRESS))
    assert news_of(database, agent, ticket, seen) is None
    as_(database, other, lambda s: change_status(s, ticket.ticket_number, TicketStatus.RESOLVED))
    error = news_of(database, agent, ticket, seen)
    assert error
    assert error.details["status_change"] == {"old": "open", "new": "resolved", "by": "Ravi Patel"}


def test_a_new_requester_stops_sending(database: Database, factory: Factory, agent: User, ticket: Ticket) -> None:
    seen, kim = Seen(0, TicketStatus.OPEN, ticket.creator_id), factory.user(full_name="Kim Doe")
    with database.transaction(SYSTEM) as session:
        session.execute(text("update tickets set creator_id = :id"), {"id": kim.id})
    error = news_of(database, agent, ticket, seen)
    assert error
    assert error.news.requester.new == "Kim Doe"


def test_somebody_new_in_copy_stops_sending_unless_one_added_them_oneself(
    database: Database, agent: User, ticket: Ticket
) -> None:
    """Else an answer that was meant for the requester goes to somebody outside whom nobody has looked at."""
    as_(database, agent, lambda s: add_copy(s, ticket.ticket_number, "lee@example.test"))
    with database.transaction(SYSTEM) as session:
        seen = Seen(copy_id=newest_copy(session, ticket.id))
    as_(database, agent, lambda s: add_copy(s, ticket.ticket_number, "mine@example.test"))
    assert news_of(database, agent, ticket, seen) is None
    with database.transaction(SYSTEM) as session:
        add_copies(session, session.get_one(Ticket, ticket.id), [("gang@example.test", "The gang")])
    assert news_of(database, agent, ticket, Seen()) is None, "who says nothing has seen nothing"
    error = news_of(database, agent, ticket, seen)
    assert error
    assert [(it["email"], it["name"]) for it in error.details["new_copies"]] == [("gang@example.test", "The gang")]  # type: ignore[attr-defined]


def test_a_tag_or_a_priority_does_not_stop_sending(
    database: Database, factory: Factory, agent: User, ticket: Ticket
) -> None:
    other = factory.user(Role.AGENT)
    as_(database, other, lambda s: tag(s, ticket.ticket_number, "billing"))
    as_(database, other, lambda s: change_priority(s, ticket.ticket_number, TicketPriority.URGENT))
    assert news_of(database, agent, ticket, Seen(0, TicketStatus.OPEN, ticket.creator_id)) is None
