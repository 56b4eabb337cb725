"""What people open with a browser: the time of each page at the server, and its size. Nothing is changed.

One request at a time on one kept-alive connection, so a time is what the server needs and not how long it was busy.
"""

import http.client
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
from sqlalchemy import select

from bench.desk import fill, served_alone
from bench.figures import Figure, seconds
from bench.reading import Options, folder_of
from deskbell.accounts.login import open_session
from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk, ensure_schema, open_desk
from deskbell.web.csrf import COOKIE

TIMES: Final = 40
LIMIT: Final = 60
"""Milliseconds at the server in which 95 of 100 pages are to be there."""
_NUMBERS: Final = """
select (select ticket_number from tickets where deleted_at is null order by updated_at desc limit 1),
       (select t.ticket_number from search_documents d join tickets t on t.id = d.ticket_id
         where t.deleted_at is null and d.comment_count between 15 and 30 limit 1),
       (select ticket_number from tickets where deleted_at is null and creator_id = %s order by id desc limit 1)
"""
_FOR_ADMINISTRATORS: Final = (
    *("", "/people", "/organizations", "/teams", "/tags", "/views", "/tokens", "/audit", "/access-log", "/retention"),
    *("/jobs", "/mailboxes", "/mail", "/outbox", "/letters", "/system", "/replicas", "/slow-queries"),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who is logged in, and what they open."""

    role: Role
    user_id: int
    pages: Sequence[str]


def run(options: Options) -> Iterator[Figure]:
    """Yield for each page its time in milliseconds, of 95 in 100."""
    with served_to_readers(options) as (port, desk, readers):
        for reader in readers:
            secret = log_in(desk, reader.user_id)
            for page in reader.pages:
                yield _measured(port, page, secret)


@contextmanager
def served_to_readers(options: Options) -> Iterator[tuple[int, Desk, Sequence[Reader]]]:
    """Serve a desk as people do; yield the port, the desk and who reads what of it."""
    with ExitStack() as stack:
        folder = stack.enter_context(folder_of(options))
        port = stack.enter_context(served_alone(folder))
        desk = stack.enter_context(open_desk(Settings(data_dir=folder)))
        ensure_schema(desk, upgrade=True)
        with psycopg.connect(desk.admin.dsn, autocommit=True) as admin:
            fill(admin, options.tickets)
            readers = readers_of(desk, admin)
        yield port, desk, readers


def readers_of(desk: Desk, admin: psycopg.Connection) -> Sequence[Reader]:
    """Return an agent, an administrator and a customer of the desk, and the pages that each opens."""
    people = {role: _somebody(desk, role) for role in Role}
    found = admin.execute(_NUMBERS, (people[Role.CUSTOMER],)).fetchone()
    assert found, "the desk has no tickets"
    newest, long, own = found
    agent = (
        *(
            "/tickets",
            "/tickets?q=status:open,in_progress",
            "/tickets?q=assignee:none+is:unresolved",
            "/tickets?q=card",
        ),
        *("/tickets?q=card+payment", "/tickets?q=is:unread", f"/tickets/{newest}", f"/tickets/{long}"),
        *(f"/tickets/{long}/history", "/tickets/new", "/views", "/profile", "/workspace/counts"),
        *("/workspace/palette?q=card", "/reports", "/reports?by=team"),
    )
    customer = ("/requests", "/requests/new", *([f"/requests/{own}"] if own else []))
    return (
        Reader(Role.AGENT, people[Role.AGENT], agent),
        Reader(Role.ADMIN, people[Role.ADMIN], [f"/admin{page}" for page in _FOR_ADMINISTRATORS]),
        Reader(Role.CUSTOMER, people[Role.CUSTOMER], customer),
    )


def _somebody(desk: Desk, role: Role) -> int:
    with desk.database.transaction(Actor.system(Channel.CLI)) as session:
        return session.scalars(
            select(User.id).where(User.role == role, User.is_active).order_by(User.id).limit(1)
        ).one()


def log_in(desk: Desk, user_id: int) -> str:
    """Return the secret of a new session."""
    with desk.database.transaction(Actor.system(Channel.CLI)) as session:
        return open_session(session, user_id, lifetime=timedelta(hours=1), now=datetime.now(UTC))


def _measured(port: int, page: str, secret: str) -> Figure:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Cookie": f"{COOKIE}={secret}", "Accept": "text/html", "Accept-Language": "en"}
    sizes: list[int] = []

    def ask() -> None:
        connection.request("GET", page, headers=headers)
        answer = connection.getresponse()
        sizes.append(len(answer.read()))
        assert answer.status == 200, f"{page}: {answer.status}"  # noqa: PLR2004 - HTTP's number

    for _ in range(3):
        ask()
    times = sorted(seconds(ask) * 1000 for _ in range(TIMES))
    connection.close()
    details = {"p50": statistics.median(times), "bytes": float(sizes[-1])}
    return Figure(f"page {page}", times[int(TIMES * 0.95)], "ms", at_most=LIMIT, details=details)
