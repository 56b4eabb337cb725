"""Two programs that answer each other: however the other one does it, it ends, through a real mail server."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage

import pytest

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.mail_rules import Allowance, MailRules
from deskbell.kernel.resources import RESOURCES_KEY, resources_of
from deskbell.mail.filing.actions import file_message
from deskbell.mail.inbound.ledger import Envelope, receive
from deskbell.mail.inbound.models import InboundMessage, MailState
from deskbell.tickets.models import Comment, Ticket
from tests.mail.outbound.conftest import Outbox, Post

MAIL = Actor.system(Channel.JOB, act="test mail")
HOUR = timedelta(hours=1)
RULES = MailRules(sender=Allowance(8, HOUR), ticket=Allowance(6, HOUR), acknowledged=Allowance(3, HOUR))
MANY = 60


@dataclass
class Responder:
    """A program that answers each mail it gets, as `answer` writes it."""

    outbox: Outbox
    post: Post
    headers: dict[str, str]
    keeps_subject: bool
    to_reply_address: bool
    states: list[MailState] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    def play(self) -> None:
        """Write once, then answer whatever comes, until nothing comes or it has gone on for too long."""
        self._write("Hello", "help@example.org", {})
        for _ in range(MANY):
            before = len(self.post.taken)
            self.outbox.run()
            new = self.post.messages()[before:]
            if not new:
                return
            for mail in new:
                self._answer(mail)
        pytest.fail("it goes on for ever")

    def _answer(self, mail: EmailMessage) -> None:
        subject = f"Re: {mail['Subject']}" if self.keeps_subject else "Your message was received"
        to = mail["Reply-To"] or mail["From"] if self.to_reply_address else mail["From"]
        self._write(subject, str(to), {"In-Reply-To": mail["Message-ID"]} if self.to_reply_address else {})

    def _write(self, subject: str, to: str, more: dict[str, str]) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "Bot <bot@elsewhere.test>", to, subject
        mail["Message-ID"] = f"<bot.{len(self.states)}@elsewhere.test>"
        for name, value in (self.headers | more).items():
            mail[name] = value
        mail.set_content(f"We have received your message {len(self.states)}.")
        address = to.rpartition("<")[2].rstrip(">")
        with self.outbox.database.transaction(MAIL) as session:
            envelope = Envelope("bot@elsewhere.test", (address,))
            number = receive(session, mail.as_bytes(), source="test", envelope=envelope).id
        with self.outbox.database.transaction(MAIL) as session:
            session.info[RESOURCES_KEY] = replace(resources_of(session), mail=RULES)
            file_message(session, number)
            message = session.get_one(InboundMessage, number)
            self.states.append(message.state)
            self.ids.append(number)


@pytest.fixture
def desk(outbox: Outbox) -> Outbox:
    outbox.mailbox("help@example.org", acknowledges=True)
    return outbox


SILENT: dict[str, str] = {}
HONEST = {"Auto-Submitted": "auto-replied"}
CASES = [
    pytest.param(SILENT, "Re: ours", "Reply-To", id="like a person"),
    pytest.param(SILENT, "Re: ours", "From", id="to the mailbox, with our number"),
    pytest.param(SILENT, "own", "Reply-To", id="by the signed address alone"),
    pytest.param(SILENT, "own", "From", id="as if it were new each time"),
    pytest.param(HONEST, "Re: ours", "Reply-To", id="says what it is"),
]


@pytest.mark.parametrize(("headers", "subject", "to"), CASES)
def test_a_loop_of_two_programs_ends(desk: Outbox, post: Post, headers: dict[str, str], subject: str, to: str) -> None:
    bot = Responder(desk, post, headers, keeps_subject=subject == "Re: ours", to_reply_address=to == "Reply-To")
    bot.play()
    assert len(post.taken) <= RULES.acknowledged.number  # type: ignore[union-attr]
    assert all(mail["Auto-Submitted"] for mail in post.messages()), "we say that a program wrote"
    assert bot.states.count(MailState.TICKET) <= RULES.sender.number  # type: ignore[union-attr]
    if headers:
        assert (set(bot.states), post.taken) == ({MailState.AUTOMATIC}, [])
    else:
        assert post.taken, "it has begun at all"


def test_a_customers_program_and_an_agents_answers_fill_no_ticket_without_end(desk: Outbox, post: Post) -> None:
    """Each answer of an agent is answered by it, as a person would: the ticket takes so many, and the rest waits."""
    bot = Responder(desk, post, {}, keeps_subject=True, to_reply_address=True)
    bot.play()
    with desk.database.transaction(MAIL) as session:
        ticket = session.get_one(Ticket, session.get_one(InboundMessage, bot.ids[0]).ticket_id)
    for n in range(8):
        desk.factory.comment(ticket, desk.agent, f"Answer {n}")
    for _ in range(MANY):
        before = len(post.taken)
        desk.run()
        for mail in post.messages()[before:]:
            bot._answer(mail)
    assert bot.states.count(MailState.COMMENT) == RULES.ticket.number  # type: ignore[union-attr]
    assert bot.states[-1] is MailState.SUSPENDED
    with desk.database.transaction(MAIL) as session:
        assert session.query(Comment).filter_by(ticket_id=ticket.id).count() == 8 + RULES.ticket.number  # type: ignore[union-attr]
