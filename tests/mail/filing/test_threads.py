"""Who gets into which ticket by mail: every kind of sender, by every way, whatever became of the ticket."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role, User
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.mail.outbound.models import OutboundKind
from deskbell.testing.factories import SYSTEM
from deskbell.tickets.copies import add_copies
from deskbell.tickets.models import Comment, Ticket, TicketStatus
from tests.mail.filing.post import US, Desk, message

SIGNED, ALIEN, REFERENCE, OURS, NUMBER, NOTHING = "signed", "alien", "reference", "ours", "number", "nothing"


@dataclass
class Scene:
    """A ticket and everybody who may write: its requester, who wrote, who gets copies, a colleague, agents, nobody."""

    desk: Desk
    ticket: Ticket
    people: dict[str, str]
    ids: dict[str, int | None]

    def write(self, who: str, how: str, holder: str | None = None) -> InboundMessage:
        headers: dict[str, str] = {"sender": self.people[who]}
        subject = "Re: something"
        if how == SIGNED:
            headers["To"] = self.desk.reply_to(self.ticket, self.ids[holder or who])
        elif how == ALIEN:  # signed by somebody else
            headers["To"] = f"support+{self.ticket.id}-1-abcdefghijklmnop@example.test"
        elif how == REFERENCE:
            headers["In_Reply_To"] = "<first@example.test>"
        elif how == OURS:
            headers["References"] = "<unknown@example.test> <ours@example.test>"
        elif how == NUMBER:
            subject = f"Re: [{self.ticket.ticket_number}] something"
        return self.desk.arrive(message(subject, f"From {who}", **headers), to=())


@pytest.fixture
def scene(desk: Desk) -> Scene:
    company = desk.factory.organization(shares_tickets=True)
    people: dict[str, User] = {
        "requester": desk.factory.user(email="kim@example.test", organization=company),
        "colleague": desk.factory.user(email="lee@example.test", organization=company),
        "writer": desk.factory.user(email="ada@example.test"),
        "noted": desk.factory.user(Role.AGENT, email="noted@example.test"),
        "agent": desk.factory.user(Role.AGENT, email="sam@example.test"),
        "inactive": desk.factory.user(email="gone@example.test"),
        "other": desk.factory.user(email="other@example.test"),
    }
    first = desk.arrive(message("First", sender="kim@example.test", Message_ID="<first@example.test>"), to=())
    ticket = desk.one(Ticket, first.ticket_id)
    desk.factory.comment(ticket, people["writer"])
    desk.factory.comment(ticket, people["noted"], is_internal=True)
    desk.sent(ticket)
    with desk.database.transaction(SYSTEM) as session:
        add_copies(session, ticket, [("Copy@Example.Test", "")])
        session.execute(text("update users set is_active = false where email = 'gone@example.test'"))
    addresses = {name: user.email for name, user in people.items()}
    unknown = {"copy": "copy@example.test", "stranger": "mallory@example.test"}
    ids: dict[str, int | None] = {name: user.id for name, user in people.items()}
    return Scene(desk, ticket, addresses | unknown, ids | dict.fromkeys(unknown))


IN, OUT, NEW = MailState.COMMENT, MailState.SUSPENDED, MailState.TICKET
TAKE_PART: Final = ("requester", "colleague", "writer", "copy")
CASES: Final = [
    *((who, how, IN) for who in TAKE_PART for how in (SIGNED, REFERENCE, OURS, NUMBER)),
    *((who, ALIEN, NEW) for who in TAKE_PART),
    *((who, NOTHING, NEW) for who in (*TAKE_PART, "other", "stranger", "agent")),
    *((who, SIGNED, IN) for who in ("other", "stranger")),
    *((who, how, OUT) for who in ("other", "stranger") for how in (REFERENCE, OURS, NUMBER)),
    ("agent", SIGNED, IN),
    *((who, how, OUT) for who in ("agent", "noted") for how in (REFERENCE, OURS, NUMBER)),
    *(("inactive", how, OUT) for how in (SIGNED, REFERENCE, OURS, NUMBER, NOTHING)),
]


@pytest.mark.parametrize(("who", "how", "state"), CASES, ids=str)
def test_who_is_let_in_by_which_way(scene: Scene, who: str, how: str, state: MailState) -> None:
    filed = scene.write(who, how)
    assert filed.state is state, filed.reason
    assert (filed.ticket_id == scene.ticket.id) is (state is not NEW and how != NOTHING)
    assert bool(filed.reason) is (state is OUT)


@pytest.mark.parametrize("status", list(TicketStatus))
@pytest.mark.parametrize("who", ["requester", "copy", "agent"])
def test_a_customers_answer_brings_back_what_waited_or_was_done_an_agents_does_not(
    scene: Scene, who: str, status: TicketStatus
) -> None:
    scene.desk.set_status(scene.ticket.id, status)
    assert scene.write(who, SIGNED).state is MailState.COMMENT
    comes_back = who != "agent" and (status.is_done or status is TicketStatus.WAITING_ON_CUSTOMER)
    assert scene.desk.one(Ticket, scene.ticket.id).status is (TicketStatus.OPEN if comes_back else status)


@pytest.mark.parametrize("how", [SIGNED, REFERENCE, NUMBER])
def test_nothing_comes_into_a_deleted_ticket(scene: Scene, how: str) -> None:
    with scene.desk.database.transaction(SYSTEM) as session:
        session.execute(text("update tickets set deleted_at = now() where id = :id"), {"id": scene.ticket.id})
    filed = scene.write("requester", how)
    assert (filed.state, filed.ticket_id) == (MailState.SUSPENDED, scene.ticket.id)
    assert "was deleted" in filed.reason


def test_an_agents_answer_to_their_notice_is_a_public_reply_by_them(scene: Scene) -> None:
    filed = scene.write("agent", SIGNED)
    comment = scene.desk.one(Comment, filed.comment_id)
    assert (comment.author_id, comment.is_internal) == (scene.ids["agent"], False)
    assert scene.desk.one(Ticket, scene.ticket.id).first_responded_at is not None


@pytest.mark.parametrize("holder", ["requester", "noted", "copy"])
def test_who_forges_an_agents_address_does_not_get_in_with_an_address_given_to_another(
    scene: Scene, holder: str
) -> None:
    filed = scene.write("agent", SIGNED, holder)
    assert (filed.state, filed.comment_id) == (MailState.SUSPENDED, None)
    assert "claims to be an answer of sam@example.test" in filed.reason


def test_whom_a_customer_passed_the_mail_on_to_answers_in_their_own_name(scene: Scene) -> None:
    filed = scene.write("stranger", SIGNED, "requester")
    author = scene.desk.one(User, scene.desk.one(Comment, filed.comment_id).author_id)
    assert (filed.state, author.email, author.role) == (MailState.COMMENT, "mallory@example.test", Role.CUSTOMER)


def test_a_stranger_who_was_kept_out_is_not_made_an_account(scene: Scene) -> None:
    scene.write("stranger", NUMBER)
    assert "mallory@example.test" not in {user.email for user in scene.desk.all(User)}


def test_the_envelope_counts_where_a_program_lost_the_signed_address(scene: Scene) -> None:
    address = scene.desk.reply_to(scene.ticket, None).upper()
    filed = scene.desk.arrive(message(sender="mallory@example.test"), to=[US, address])
    assert (filed.state, filed.ticket_id) == (MailState.COMMENT, scene.ticket.id)


def test_a_signed_address_counts_for_more_than_a_reference_and_that_for_more_than_a_number(scene: Scene) -> None:
    kim = scene.desk.one(User, scene.ids["requester"])
    others = [scene.desk.factory.ticket(kim) for _ in range(2)]
    write: Callable[..., InboundMessage] = lambda **more: scene.desk.arrive(  # noqa: E731 - three times
        message(f"Re: {others[1].ticket_number}", References="<ours@example.test>", **more), to=()
    )
    assert write(To=scene.desk.reply_to(others[0], kim.id)).ticket_id == others[0].id
    assert write(Cc="x@example.test").ticket_id == scene.ticket.id


def test_the_nearest_message_counts_where_a_thread_went_through_two_tickets(scene: Scene) -> None:
    kim = scene.desk.one(User, scene.ids["requester"])
    later = scene.desk.factory.ticket(kim)
    scene.desk.sent(later, "<later@example.test>", kind=OutboundKind.RECEIVED)
    raw = message(References="<first@example.test> <ours@example.test> <later@example.test>")
    assert scene.desk.arrive(raw, to=()).ticket_id == later.id
