"""A small desk to which random things happen, through use cases and past them, and its rows as JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, Team, User
from deskbell.kernel.address import Address
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.kernel.settings import Settings
from deskbell.kernel.storage import StoredBlob
from deskbell.testing.databases import rolling_back
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets import actions
from deskbell.tickets.bodies import body_of
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.labels import tag, untag
from deskbell.tickets.models import Comment, Ticket, TicketPriority, TicketStatus
from deskbell.wiring import CONSTRAINT_ERRORS, FIELDS, HANDLERS

TAGS = ("billing", "card", "urgent")
RECORDED = ("tickets", "comments", "attachments", "ticket_tags", "tags", "teams", "team_members")

BARE = "not exists (select from attachments f where f.comment_id = comments.id)"
RAW = {  # past the use cases, as the owner; {a} and {b} are small numbers
    "all priorities": "update tickets set priority = (array['low', 'high', 'urgent'])[1 + {a} % 3]",
    "all texts": "update tickets set title = left(title || {b}, 50), description = description || {a}",
    "statuses": "update tickets set status = (array['open', 'resolved', 'closed'])[1 + {a} % 3] where id % 2 = {b} % 2",
    "no change": "update tickets set status = status",
    "organization": "update tickets set organization_id = nullif({a}, 0) * 0 + (select max(id) from organizations)",
    "due": "update tickets set due_at = timestamptz '2026-03-29 00:30+00' + interval '1 day' * {b}, channel = 'mail'",
    "edit": "update comments set content = content || {a}, is_internal = not is_internal where id % 3 = {b} % 3",
    "date back": "update comments set created_at = created_at - interval '1 ms' where id % 3 = {a} % 3",
    "move": "update comments set ticket_id = {ticket} where id = (select max(id) from comments) and {bare}",
    "remove files": "delete from attachments where id % 2 = {a} % 2",
    "remove comments": "delete from comments where id % 3 = {a} % 3 and {bare}",
    "rename files": "update attachments set file_name = left(file_name, 20) || {a}, content_id = 'c{b}'",
    "tag": "insert into ticket_tags select t.id, g.id from tickets t, tags g where g.id % 2 = {a} % 2"
    " on conflict do nothing",
    "untag": "delete from ticket_tags where tag_id % 2 = {a} % 2",
    "date tags back": "update ticket_tags set created_at = created_at - interval '1 ms' where tag_id % 2 = {a} % 2",
    "remove a tag": "delete from ticket_tags where tag_id = (select min(id) from tags);"
    "delete from tags where id = (select min(id) from tags)",
    "rename tags": "update tags set name = 'tag ' || id || '-{a}', color = '#00ff00' where id % 2 = {b} % 2",
    "join": "insert into team_members select max(t.id), {agent} from teams t on conflict do nothing",
    "joined before": "update team_members set created_at = created_at - interval '1 day'",
    "leave": "delete from team_members where user_id = {agent}",
}
Step = tuple[str, int, int]


@contextmanager
def unrestricted(address: Address) -> Iterator[Database]:
    """The desk through a superuser's connection, which may become the owner of the tables; rolled back."""
    database = Database(
        address, Settings().database, handlers=HANDLERS, constraint_errors=CONSTRAINT_ERRORS, fields=FIELDS
    )
    try:
        with rolling_back(database) as inner:
            yield inner
    finally:
        database.close()


@dataclass
class World:
    """Two tickets and what can happen to them, each step in a transaction of its own."""

    database: Database
    agents: list[User] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    taken: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make people, tickets and tags."""
        factory = Factory(self.database)
        self.agents = [factory.user(Role.AGENT) for _ in range(2)]
        factory.team()
        organization = factory.organization()
        self.tickets = [factory.ticket(factory.user(organization=organization)) for _ in range(2)]
        for name in TAGS:
            factory.tag(name)

    def run(self, step: Step) -> None:
        """Do one thing; what is not possible just now does not happen."""
        name, a, b = step
        if name in RAW:
            values = {"a": a, "b": b, "ticket": self.tickets[a % 2].id, "agent": self.agents[b % 2].id, "bare": BARE}
            self.as_owner(*RAW[name].format(**values).split(";"))
        elif name == "take all tags":
            self.taken = self.as_owner("delete from ticket_tags returning ticket_id, tag_id, created_at")
        elif name == "put them back":
            self._put_back()
        else:
            with self.database.transaction(actor(self.agents[b % 2])) as session:
                self._act(session, name, self.tickets[a % 2].ticket_number, b)

    def as_owner(self, *statements: str) -> list[Any]:
        """Send statements past row security, and return the rows of the last one."""
        with self.database.transaction(SYSTEM) as session:
            session.execute(text("set local role deskbell_owner"))
            results: list[Any] = [session.execute(text(statement)) for statement in statements]
            return list(results[-1]) if results[-1].returns_rows else []

    def now(self) -> datetime:
        """Ask the database's clock, by which the log is dated."""
        now: datetime = self.as_owner("select clock_timestamp()")[0][0]
        return now

    def rows(self) -> dict[str, list[Any]]:
        """Return all rows of the recorded tables, without what is derived."""
        query = "select to_jsonb(t) - 'version' - 'updated_at' from {} t order by to_jsonb(t)::text"
        return {name: [row for (row,) in self.as_owner(query.format(name))] for name in RECORDED}

    def _put_back(self) -> None:
        """Put the tags on again that were taken off, as undoing does: with the dates that they had."""
        statement = "insert into ticket_tags select {0}, {1}, '{2}' where exists (select from tags where id = {1})"
        for ticket_id, tag_id, created_at in self.taken:
            self.as_owner(f"{statement.format(ticket_id, tag_id, created_at.isoformat())} on conflict do nothing")

    def _act(self, session: Session, name: str, number: str, b: int) -> None:
        ticket = actions.load_to_change(session, number, None, deleted=True)
        if ticket.deleted_at is None or name in {"delete", "restore"}:
            USE_CASES[name](session, ticket, b)


def _reply(session: Session, ticket: Ticket, b: int) -> None:
    body, status = body_of(f"Text {b}"), list(TicketStatus)[b % 5]
    actions.reply(session, ticket.ticket_number, body=body, now=SystemClock().now(), status=status)


def _assign(session: Session, ticket: Ticket, b: int) -> None:
    agents = session.scalars(select(User.id).where(User.role == Role.AGENT)).all()
    actions.assign(session, ticket.ticket_number, agents[b % 2] if b else None)


def _give_to_team(session: Session, ticket: Ticket, b: int) -> None:
    actions.give_to_team(session, ticket.ticket_number, session.scalars(select(Team.id)).first() if b % 2 else None)


def _attach(session: Session, ticket: Ticket, b: int) -> None:
    comment = session.scalars(select(Comment).where(Comment.ticket_id == ticket.id)).first()
    file = StoredFile(StoredBlob(f"key {b}", "a" * 64, b, b""), f"{b}.txt", "text/plain")
    add_attachment(session, ticket, file, comment=comment, uploaded_by_id=ticket.creator_id)


USE_CASES: dict[str, Callable[[Session, Ticket, int], object]] = {
    "reply": _reply,
    "note": lambda s, t, b: actions.add_note(s, t.ticket_number, body=body_of(f"Text {b}")),
    "assign": _assign,
    "change status": lambda s, t, b: actions.change_status(s, t.ticket_number, list(TicketStatus)[b % 5]),
    "change priority": lambda s, t, b: actions.change_priority(s, t.ticket_number, list(TicketPriority)[b % 4]),
    "change title": lambda s, t, b: actions.change_title(s, t.ticket_number, f"Title {b}"),
    "give to team": _give_to_team,
    "put tag": lambda s, t, b: tag(s, t.ticket_number, TAGS[b % 3]),
    "take tag": lambda s, t, b: untag(s, t.ticket_number, TAGS[b % 3]),
    "attach": _attach,
    "delete": lambda s, t, _: actions.soft_delete(s, t.ticket_number, now=SystemClock().now()),
    "restore": lambda s, t, _: actions.restore(s, t.ticket_number),
}
STEPS = st.lists(
    st.tuples(
        st.sampled_from([*USE_CASES, *RAW, "take all tags", "put them back"]), st.integers(0, 5), st.integers(0, 5)
    ),
    min_size=1,
    max_size=15,
)
