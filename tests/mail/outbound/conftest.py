"""A real SMTP server that does as it is told, and a desk whose jobs are run one by one."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as SmtpSession
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Channel
from deskbell.kernel.database import Database
from deskbell.kernel.jobs import Remote
from deskbell.kernel.reach import SmtpServer
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.mail.mailboxes.actions import Secrets, Wanted, create_mailbox
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.outbound.models import OutboundKind, OutboundMessage
from deskbell.mail.outbound.sending import Parcel, write_out
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.copies import add_copy
from deskbell.tickets.models import Comment, Ticket
from deskbell.tickets.relation_models import TicketCopy
from deskbell.wiring import JOBS

_NEXT = "select id, task_name, args from jobs.procrastinate_jobs where task_name like 'mail.%' and status = 'todo'"


@dataclass
class Post:
    """What the server says to each step, and what it took: envelopes, newest last. `peers` are whence it was begun."""

    says: dict[str, str] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    port: int = 0
    peers: list[Any] = field(default_factory=list)

    async def handle_MAIL(self, _server: SMTP, session: SmtpSession, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - the name that aiosmtpd calls
        envelope.mail_from = address
        self.peers.append(session.peer)
        return self.says.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server: SMTP, _session: SmtpSession, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - the name that aiosmtpd calls
        envelope.rcpt_tos.append(address)
        return self.says.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802 - the name that aiosmtpd calls
        answer = self.says.get("DATA", "250 Taken")
        if not answer.startswith(("4", "5")):
            self.taken.append(envelope)
        if answer == "cut":
            server.transport.abort()  # type: ignore[union-attr]
        return answer

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(each.content, policy=default) for each in self.taken]  # type: ignore[arg-type]


def authenticate(
    _server: SMTP, _session: SmtpSession, _envelope: Envelope, _mechanism: str, given: LoginPassword
) -> Any:
    return AuthResult(success=given.password == b"right", handled=False)


def free_port() -> int:
    """Return a port that nobody listens on: the controller wants to know it beforehand."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def post() -> Iterator[Post]:
    handler = Post()
    handler.port = free_port()
    options: dict[str, Any] = {"authenticator": authenticate, "auth_require_tls": False}
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port, **options)
    controller.start()
    yield handler
    controller.stop()


@dataclass
class Outbox:
    """A desk with a customer's ticket and an agent."""

    database: Database
    factory: Factory
    ticket: Ticket
    agent: User

    def as_(self, who: User) -> AbstractContextManager[Session]:
        """Begin a transaction in which somebody acts on a page."""
        return self.database.transaction(actor(who, Channel.WEB))

    def reaching(self, **changes: Any) -> "Outbox":
        return self.equipped(reach=replace(self.resources.reach, **changes))

    def equipped(self, **changes: Any) -> "Outbox":
        changed = replace(self.resources, **changes)
        self.database._info = {**self.database._info, RESOURCES_KEY: changed}
        self.database.sessions.configure(info={**self.database.sessions.kw["info"], RESOURCES_KEY: changed})
        return self

    @property
    def resources(self) -> Resources:
        return self.database._info[RESOURCES_KEY]  # type: ignore[return-value]

    def answer(self, words: str = "We send another") -> Comment:
        return self.factory.comment(self.ticket, self.agent, words)

    def mailbox(self, address: str = "support@example.test", secrets: Secrets | None = None, **facts: Any) -> Mailbox:
        admin = self.factory.user(Role.ADMIN)
        with self.as_(admin) as session:
            return create_mailbox(session, Wanted({"address": address, "name": "Support", **facts}, secrets or {}))

    def copy(self, email: str, name: str = "") -> TicketCopy:
        with self.as_(self.agent) as session:
            return add_copy(session, self.ticket.ticket_number, email, name)

    def message(self) -> OutboundMessage:
        with self.database.transaction(SYSTEM) as session:
            return session.scalars(select(OutboundMessage).order_by(OutboundMessage.id.desc())).first()  # type: ignore[return-value]

    def messages(self, kind: OutboundKind | None = None) -> list[OutboundMessage]:
        """Return what is in the outbox, oldest first."""
        with self.database.transaction(SYSTEM) as session:
            found = session.scalars(select(OutboundMessage).order_by(OutboundMessage.id))
            return [message for message in found if kind in {None, message.kind}]

    def run(self) -> None:
        """Run the jobs that are due, as a worker does."""
        for job_id, name, arguments in self._taken():
            spec = JOBS[name]
            with self.database.transaction(SYSTEM) as session:
                given = spec.function(session, **arguments)
            if isinstance(spec.remote, Remote) and given is not None:
                returned: Any = asyncio.run(spec.remote.call(given))  # type: ignore[arg-type]
                with self.database.transaction(SYSTEM) as session:
                    spec.remote.record(session, given=given, returned=returned)
            del job_id

    def _taken(self) -> list[Any]:
        with self.database.transaction(SYSTEM) as session:
            found = list(session.execute(text(f"{_NEXT} order by id")))
            session.execute(text("delete from jobs.procrastinate_jobs where task_name like 'mail.%'"))
        return found


def written_out(parcel: Parcel) -> bytes:
    out = BytesIO()
    write_out(parcel, out)
    return out.getvalue()


def words_of(mail: EmailMessage, subtype: str = "plain") -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")  # type: ignore[no-any-return]


def server_at(port: int, **options: Any) -> SmtpServer:
    return SmtpServer("127.0.0.1", port, **{"tls": "none", "timeout": 5, **options})


def desk_on(database: Database, post: Post) -> Outbox:
    factory = Factory(database)
    kim = factory.user(email="kim@example.test", full_name="Kim")
    ticket, agent = factory.ticket(kim, title="My card"), factory.user(Role.AGENT, full_name="Sam")
    outbox = Outbox(database, factory, ticket, agent)
    return outbox.reaching(server=server_at(post.port), tells_requesters=True, sender="Help <help@example.org>")


@pytest.fixture
def outbox(database: Database, post: Post) -> Outbox:
    return desk_on(database, post)


@pytest.fixture
def committed(fresh_database: Database, post: Post) -> Outbox:
    """On a database of its own, in which commits are real."""
    return desk_on(fresh_database, post)
