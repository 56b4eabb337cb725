"""Two workers, real connections: what both hold in their hands becomes one ticket or comment all the same."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import text

from deskbell.kernel.database import Database
from deskbell.kernel.errors import ConflictError
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.testing.factories import Factory
from deskbell.tickets.models import Comment, Ticket
from tests.mail.filing.post import Desk, message

DATE = "Mon, 23 Nov 2026 08:00:00 +0000"


@pytest.fixture
def desk(fresh_database: Database) -> Desk:
    """A desk where commits are real."""
    return Desk(fresh_database, Factory(fresh_database))


def at_once(*acts: Callable[[], object]) -> None:
    """Do things in threads that begin together."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        start.wait(60)
        act()

    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(run, act) for act in acts]:
            done.result(60)


def test_two_workers_with_the_same_message_file_it_once(desk: Desk) -> None:
    for n in range(5):
        number = desk.receive(message(f"Request {n}"))
        at_once(*[partial(desk.file, number)] * 2)
    assert len(desk.all(Ticket)) == 5


@pytest.mark.parametrize("headers", [{"Message_ID": "<one@example.test>"}, {}], ids=["Message-ID", "none"])
def test_the_same_message_by_four_ways_at_once_makes_one_comment(desk: Desk, headers: dict[str, str]) -> None:
    ticket = desk.factory.ticket(desk.factory.user(email="kim@example.test"))
    raw = message(f"Re: {ticket.ticket_number}", Date=DATE, **headers)
    numbers = [desk.receive(f"Received: by mx{n}\r\n".encode() + raw) for n in range(4)]
    at_once(*(partial(desk.file, number) for number in numbers))
    assert len(desk.all(Comment)) == 1


def test_two_first_messages_of_one_person_at_once_make_one_account(desk: Desk) -> None:
    numbers = [desk.receive(message(f"Request {n}", Date=DATE)) for n in range(4)]
    at_once(*(partial(desk.file, number) for number in numbers))
    tickets = desk.all(Ticket)
    assert (len(tickets), len({ticket.creator_id for ticket in tickets})) == (4, 1)


def test_two_replies_to_a_closed_ticket_at_once_are_both_there(desk: Desk) -> None:
    ticket = desk.factory.ticket(desk.factory.user(email="kim@example.test"))
    numbers = [desk.receive(message(f"Re: {ticket.ticket_number}", f"Text {n}", Date=DATE)) for n in range(4)]
    at_once(*(partial(desk.file, number) for number in numbers))
    assert sorted(comment.content for comment in desk.all(Comment)) == [f"Text {n}" for n in range(4)]
    assert all(desk.file(number).state is MailState.COMMENT for number in numbers)


def impatiently(desk: Desk, number: int) -> None:
    with desk.acting() as session:
        session.execute(text("set local lock_timeout = 50"))
        file_message(session, number)


def test_a_ticket_that_somebody_else_holds_for_long_fails_no_message(desk: Desk) -> None:
    """The job tries again: nothing is wrong with the message."""
    ticket = desk.factory.ticket(desk.factory.user(email="kim@example.test"))
    number = desk.receive(message(f"Re: {ticket.ticket_number}"))
    with desk.acting() as holding:
        holding.execute(text("select 1 from tickets where id = :id for update"), {"id": ticket.id})
        with pytest.raises(ConflictError):
            impatiently(desk, number)
    assert desk.one(InboundMessage, number).state is MailState.RECEIVED
    assert desk.file(number).state is MailState.COMMENT
