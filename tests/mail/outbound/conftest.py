"""A real SMTP server that does as it is told, and a desk whose jobs are run one by one."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import select, text

from deskbell.accounts.models import Role, User
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.jobs import Remote
from deskbell.kernel.reach import SmtpServer
from deskbell.kernel.resources import RESOURCES_KEY, Resources
from deskbell.mail.outbound.models import OutboundMessage
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.tickets.models import Ticket
from deskbell.wiring import JOBS

_NEXT = "select id, task_name, args from jobs.procrastinate_jobs where task_name like 'mail.%' and status = 'todo'"


@dataclass
class Post:
    """What the server says to each step, and what it took: envelopes, newest last."""

    says: dict[str, str] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    port: int = 0

    async def handle_MAIL(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - the name that aiosmtpd calls
        envelope.mail_from = address
        return self.says.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - the name that aiosmtpd calls
        envelope.rcpt_tos.append(address)
        return self.says.get("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the name that aiosmtpd calls
        answer = self.says.get("DATA", "250 Taken")
        if not answer.startswith(("4", "5")):
            self.taken.append(envelope)
        if answer == "cut":
            server.transport.abort()  # type: ignore[union-attr]
        return answer

    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(each.content, policy=default) for each in self.taken]  # type: ignore[arg-type]


def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword) -> Any:
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
    """A desk on a database of its own, with a customer's ticket and an agent."""

    database: Database
    ticket: Ticket
    agent: User
    address: Address
    """The superuser's way to the database."""

    def reaching(self, **changes: Any) -> "Outbox":
        resources: Resources = self.database._info[RESOURCES_KEY]  # type: ignore[assignment]
        reach = replace(resources.reach, **{"tells_requesters": True, "sender": "Help <help@example.org>", **changes})
        self.database._info = {**self.database._info, RESOURCES_KEY: replace(resources, reach=reach)}
        for name in ("sessions", "async_sessions"):
            self.database.__dict__.pop(name, None)
        return self

    def answer(self, words: str = "We send another") -> None:
        Factory(self.database).comment(self.ticket, self.agent, words)

    def message(self) -> OutboundMessage:
        with self.database.transaction(SYSTEM) as session:
            return session.scalars(select(OutboundMessage).order_by(OutboundMessage.id.desc())).first()  # type: ignore[return-value]

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


def server_at(port: int, **options: Any) -> SmtpServer:
    return SmtpServer("127.0.0.1", port, **{"tls": "none", "timeout": 5, **options})


@pytest.fixture
def outbox(fresh_database: Database, fresh_address: Address, post: Post) -> Outbox:
    factory = Factory(fresh_database)
    kim = factory.user(email="kim@example.test", full_name="Kim")
    ticket, agent = factory.ticket(kim, title="My card"), factory.user(Role.AGENT, full_name="Sam")
    return Outbox(fresh_database, ticket, agent, fresh_address).reaching(server=server_at(post.port))
