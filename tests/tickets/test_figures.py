"""Kept figures are exact whatever happens: changes of every kind, the job between them, and both at the same time."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database, actor_of
from deskbell.kernel.errors import DeskbellError
from deskbell.reports import By, flow
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.bulk_changes import bulk_assign_tickets, bulk_update_ticket_status
from deskbell.tickets.deletion import restore_ticket, soft_delete_ticket
from deskbell.tickets.figures import FigureMark, TicketFigure
from deskbell.tickets.jobs import keep_figures
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus
from deskbell.tickets.statistics import TicketStatistics, get_ticket_statistics

MARKED = select(FigureMark.ticket_id).where(FigureMark.ticket_id.is_not(None))
FIRST = datetime(2026, 3, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PATIENCE = 60.0  # seconds, in which the other tests on the server end the transactions they have open
HAS_ALL = text("select until = deskbell_utc_day(now() - interval '1 hour') from figure_progress")


@pytest.fixture
def desk(fresh_database: Database) -> "Desk":
    return Desk(fresh_database)


class Desk:
    """A desk whose commits are real, with three agents, a customer, and tickets about the days the clocks change."""

    def __init__(self, database: Database) -> None:
        self.database, self.factory = database, Factory(database)
        self.agents = [self.factory.user(Role.AGENT, full_name=name) for name in ("Anna", "Bert", "Cleo")]
        self.customer = self.factory.user()
        self.team = self.factory.team()
        self.tags = [self.factory.tag(name).id for name in ("vip", "angry")]

    def make(self, moments: Sequence[datetime], **values: Any) -> list[int]:
        """Add a ticket for each moment."""
        with self.database.transaction(SYSTEM) as session:
            return create_tickets(session, [self.new(moment, **values) for moment in moments])

    def new(self, moment: datetime, **values: Any) -> NewTicket:
        """Return a ticket to be made."""
        fields = {"creator_id": self.customer.id, "created_at": moment, **values}
        return NewTicket(**{"title": "x", "description": "", **fields})

    def keep(self) -> None:
        """Run the job until every day that is over has figures and none is marked."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with self.database.transaction(SYSTEM) as session:
                more = keep_figures(session)
                if not more and session.scalar(HAS_ALL):
                    return
            time.sleep(0.02)  # until somebody else's transaction has ended: nobody tells us of that
        pytest.fail("the figures did not get there")

    def run(self) -> None:
        """Run the job once, with little to do at once."""
        with self.database.transaction(SYSTEM) as session:
            keep_figures(session, most_days=2, most_tickets=10)

    def marks(self) -> Counter[date | None]:
        """Return the marked days, None for a marked ticket."""
        with self.database.transaction(SYSTEM) as session:
            return Counter(session.scalars(select(FigureMark.day)))

    def check(self) -> None:
        """Compare the figures of some periods with a naive count, each in its time zone."""
        for zone, start, end in PERIODS:
            with self.database.transaction(self.reader(zone)) as session:
                assert get_ticket_statistics(session, start, end) == naive(session, start, end), (zone, start, end)
        with self.database.transaction(SYSTEM) as session:
            found = {(day.day, day.value): day[3:5] for day in flow(session, *DAYS, By.TAG) if any(day[3:5])}
            assert found == by_tag(session)

    def reader(self, zone: str = "UTC") -> Actor:
        """Return an agent who lives in a time zone."""
        return Actor(ActorKind.AGENT, self.agents[0].id, Channel.API, time_zone=zone)


DAYS = date(2026, 3, 1), date(2026, 6, 1)
PERIODS: list[tuple[str, Any, Any]] = [
    ("UTC", date(2026, 3, 1), date(2026, 4, 30)),
    ("UTC", date(2025, 11, 1), date(2027, 1, 1)),
    ("Europe/Berlin", date(2026, 3, 29), date(2026, 3, 30)),  # 23 hours
    ("America/New_York", date(2026, 3, 8), date(2026, 4, 3)),
    ("Pacific/Auckland", date(2026, 4, 5), date(2026, 4, 6)),  # 25 hours
    ("Asia/Kathmandu", date(2026, 3, 22), date(2026, 4, 7)),
    ("UTC", FIRST, FIRST + timedelta(hours=3)),
    ("UTC", FIRST + timedelta(hours=3), FIRST + 9 * DAY),
]


def naive(session: Session, start: Any, end: Any) -> TicketStatistics:
    """Count in Python, ticket by ticket, by the times of the period as PostgreSQL reads them."""
    zone = text("select cast(:day as timestamp) at time zone :zone")
    named = {"zone": actor_of(session).time_zone}
    first, last = (
        at if isinstance(at, datetime) else session.scalar(zone, {"day": at, **named}) for at in (start, end)
    )
    found = [
        row
        for row in session.execute(text("select * from tickets where deleted_at is null"))
        if first <= row.created_at < last
    ]
    names = {user.id: user.full_name for user in session.scalars(select(User))}
    people = {row.assignee_id for row in found if row.assignee_id is not None}
    each = [(names[who], [row for row in found if row.assignee_id == who]) for who in people]
    stats = sorted(((name, len(rows), average(rows)) for name, rows in each), key=lambda one: (-one[1], one[0]))
    return TicketStatistics(
        {status: sum(row.status == status for row in found) for status in TicketStatus},
        {priority: sum(row.priority == priority for row in found) for priority in TicketPriority},
        average(found),
        tuple(stats),  # type: ignore[arg-type]  # tuples are equal to named ones
    )


def by_tag(session: Session) -> dict[tuple[date, str], tuple[int, int]]:
    """Count what was created and resolved on each day by tag, ticket by ticket."""
    counts: Counter[tuple[date, str, int]] = Counter()
    tagged = text("select t.*, g.tag_id from tickets t left join ticket_tags g on g.ticket_id = t.id")
    for row in session.execute(tagged):
        for place, moment in enumerate((row.created_at, row.resolved_at)):
            if row.deleted_at is None and moment and DAYS[0] <= moment.astimezone(UTC).date() < DAYS[1]:
                counts[moment.astimezone(UTC).date(), str(row.tag_id or ""), place] += 1
    return {(day, tag): (counts[day, tag, 0], counts[day, tag, 1]) for day, tag, _ in counts}


def average(rows: Sequence[Any]) -> Any:
    """Return the exact average in hours, rounded once."""
    spans = [row.resolved_at - row.created_at for row in rows if row.resolved_at is not None]
    instant = timedelta(microseconds=1)
    return pytest.approx(sum(s // instant for s in spans) / len(spans) / 3.6e9, rel=1e-14) if spans else None


@pytest.mark.parametrize("seed", range(2))
def test_figures_equal_a_naive_count_whatever_happens(desk: Desk, fresh_address: Address, seed: int) -> None:
    """Two connections: one changes tickets, and at times does not end its transaction while the job runs on another."""
    chance = Random(seed)  # noqa: S311 - a test's
    ids = desk.make([FIRST + chance.random() * 25 * DAY for _ in range(40)])
    with psycopg.connect(fresh_address.dsn, autocommit=True) as beside:
        for _ in range(20):
            with maybe_at_once(beside, chance):
                change(desk, ids, chance)
                if chance.random() < 0.5:
                    desk.run()
                desk.check()
            desk.check()
        desk.keep()
        assert not desk.marks()
        desk.check()


@contextmanager
def maybe_at_once(beside: psycopg.Connection, chance: Random) -> Iterator[None]:
    """Let somebody have changed a ticket, by raw SQL, whose transaction ends after the block: either way."""
    if chance.random() < 0.5:
        yield
        return
    beside.execute("begin")
    beside.execute(
        "insert into tickets (title, creator_id, created_at, status) values ('beside', 4, %s, %s)",
        (FIRST + chance.random() * 25 * DAY, chance.choice(list(TicketStatus)).value),
    )
    yield
    beside.execute(chance.choice(["commit", "rollback"]))


MOVES = (
    "update tickets set created_at = :at where id = any (:ids)",
    "update tickets set resolved_at = :at where id = any (:ids) and resolved_at is not null",
)


def change(desk: Desk, ids: list[int], chance: Random) -> None:
    """Change something, in one of many ways."""
    some = chance.sample(ids, 5)
    moment = FIRST + chance.random() * 25 * DAY
    with desk.database.transaction(SYSTEM) as session:
        match chance.randrange(9):
            case 0:
                bulk_update_ticket_status(session, some, chance.choice(list(TicketStatus)))
            case 1:
                bulk_assign_tickets(session, some, chance.choice(desk.agents).id)
            case 2:
                soft_delete_ticket(session, some[0])
            case 3:
                for number in ids:
                    restore_ticket(session, number)
            case 4:
                session.execute(update(Ticket).where(Ticket.id.in_(some)).values(priority=TicketPriority.URGENT))
            case 5:
                session.execute(text(chance.choice(MOVES)), {"at": moment, "ids": some})
            case 6:
                one = session.get_one(Ticket, some[0])
                one.status, one.team_id = chance.choice(list(TicketStatus)), desk.team.id
            case 7:
                change_tags(session, some, desk.tags, chance)
            case _:
                ids += create_tickets(session, [desk.new(moment), desk.new(moment + DAY, tag_ids=(desk.tags[0],))])


def change_tags(session: Session, ids: list[int], tags: list[int], chance: Random) -> None:
    """Put a tag on tickets, or take all off."""
    if chance.random() < 0.4:
        session.execute(text("delete from ticket_tags where ticket_id = any (:ids)"), {"ids": ids})
    else:
        raw = "insert into ticket_tags (ticket_id, tag_id) select unnest(:ids), :tag on conflict do nothing"
        session.execute(text(raw), {"ids": ids, "tag": chance.choice(tags)})


def test_a_change_that_is_not_committed_while_the_job_runs_is_counted_after(desk: Desk, fresh_address: Address) -> None:
    [ticket] = desk.make([FIRST])
    desk.keep()
    with psycopg.connect(fresh_address.dsn) as writer:
        writer.execute("update tickets set status = 'closed' where id = %s", (ticket,))
        desk.run()
        desk.check()
    desk.check()
    assert desk.marks() == {FIRST.date(): 1}
    desk.keep()
    desk.check()


@pytest.mark.parametrize("first", ["mover", "tagger"])
def test_who_tags_a_ticket_that_is_being_moved_waits_for_nobody_and_is_counted(
    desk: Desk, fresh_address: Address, first: str
) -> None:
    """Neither knows of the other: the one marks days, the other the ticket."""
    [ticket] = desk.make([FIRST])
    desk.keep()
    with psycopg.connect(fresh_address.dsn) as tagger, psycopg.connect(fresh_address.dsn) as mover:
        tagger.execute("insert into ticket_tags (ticket_id, tag_id) values (%s, %s)", (ticket, desk.tags[0]))
        mover.execute("update tickets set created_at = %s where id = %s", (FIRST + 5 * DAY, ticket))
        for one in (mover, tagger) if first == "mover" else (tagger, mover):
            desk.run()
            desk.check()
            one.commit()
            desk.check()
            desk.run()
            desk.check()
    desk.keep()
    desk.check()
    assert not desk.marks()


def test_tags_of_a_ticket_that_is_made_with_them_are_not_marked(desk: Desk) -> None:
    old, new = desk.make([FIRST])[0], desk.make([datetime.now(UTC)], tag_ids=tuple(desk.tags))[0]
    desk.keep()
    with desk.database.transaction(SYSTEM) as session:
        moments = FIRST + DAY, FIRST + 3 * DAY, datetime.now(UTC)
        [*_, newer] = create_tickets(session, [desk.new(moment, tag_ids=tuple(desk.tags)) for moment in moments])
        assert not session.scalars(MARKED).all()
        session.execute(update(Ticket).where(Ticket.id == old).values(title="Changed by this very transaction"))
        session.execute(
            text("insert into ticket_tags (ticket_id, tag_id) values (:id, :tag)"), {"id": old, "tag": desk.tags[0]}
        )
        assert session.scalars(MARKED).all() == [old]
    assert new < newer
    desk.check()
    desk.keep()
    assert not desk.marks()
    desk.check()


def test_a_change_between_counting_and_the_end_of_the_job_stays_marked(desk: Desk, fresh_address: Address) -> None:
    first, second = desk.make([FIRST, FIRST])
    desk.keep()
    close = "update tickets set status = 'closed' where id = %s"
    with psycopg.connect(fresh_address.dsn, autocommit=True) as writer:
        writer.execute(close, (first,))
        with desk.database.transaction(SYSTEM) as session:
            keep_figures(session)
            writer.execute(close, (second,))
            desk.check()
        desk.check()
    assert desk.marks() == {FIRST.date(): 1}
    desk.keep()
    desk.check()


def test_a_job_beside_another_does_nothing_and_does_not_wait(desk: Desk) -> None:
    desk.make([FIRST])
    with desk.database.transaction(SYSTEM) as first, desk.database.transaction(SYSTEM) as second:
        keep_figures(first)
        assert keep_figures(second) is False


def test_a_day_is_not_counted_while_somebody_may_write_to_it_without_a_mark(desk: Desk, fresh_address: Address) -> None:
    """They began before midnight, and end when the day is over for long."""
    desk.make([FIRST])
    real = "create or replace function deskbell_days_over() returns date language sql volatile return {}"
    with psycopg.connect(fresh_address.dsn, autocommit=True) as admin:
        [clock] = admin.execute("select pg_get_functiondef('deskbell_days_over'::regproc)").fetchone() or ("",)
        admin.execute(real.format("date '2026-03-01'").encode())
        with psycopg.connect(fresh_address.dsn) as writer:
            writer.execute("insert into tickets (title, creator_id, created_at) values ('late', 4, %s)", (FIRST,))
            admin.execute(str(clock).encode())
            for _ in range(3):
                desk.run()
            desk.check()
        desk.check()
    desk.keep()
    desk.check()


def test_only_a_change_of_what_is_counted_on_a_day_that_is_over_is_marked(desk: Desk) -> None:
    ids = desk.make([FIRST + n % 10 * DAY for n in range(100)])
    desk.keep()
    new = desk.make([datetime.now(UTC)] * 3)
    with desk.database.transaction(SYSTEM) as session:
        session.execute(update(Ticket).where(Ticket.id.in_(ids)).values(title="Another"))
        bulk_update_ticket_status(session, new, "closed")
    assert not desk.marks()
    with desk.database.transaction(SYSTEM) as session:
        bulk_update_ticket_status(session, ids, "closed")
    assert desk.marks() == {(FIRST + n * DAY).date(): 1 for n in range(10)}


def test_a_year_is_read_from_the_figures_but_for_marked_days(desk: Desk, fresh_address: Address) -> None:
    """So that the other tests compare what they mean to: figures that are made wrong are what is read."""
    desk.make([FIRST, FIRST + DAY])
    desk.keep()
    with psycopg.connect(fresh_address.dsn, autocommit=True) as admin:
        admin.execute("update ticket_figures set created = created + 100")
        with desk.database.transaction(desk.reader()) as session:
            assert get_ticket_statistics(session, *PERIODS[1][1:]).total == 202
        admin.execute("insert into figure_marks (day) values (%s), (%s), (%s)", (FIRST, FIRST + DAY, FIRST + DAY))
    desk.check()
    desk.keep()
    desk.check()


def test_every_dimension_sums_up_to_all_tickets(desk: Desk) -> None:
    desk.make([FIRST, FIRST + DAY], team_id=None, status=TicketStatus.RESOLVED, resolved_at=FIRST + 3 * DAY)
    desk.make([FIRST], assignee_id=desk.agents[1].id)
    desk.keep()
    with desk.database.transaction(SYSTEM) as session:
        sums: Counter[str] = Counter()
        ended: Counter[tuple[str, date]] = Counter()
        for figure in session.scalars(select(TicketFigure)):
            sums[figure.dimension] += figure.created
            ended[figure.dimension, figure.day] += figure.ended
    assert sums == dict.fromkeys(("status", "priority", "channel", "assignee", "team", "tag"), 3)
    assert +ended == {(of, (FIRST + 3 * DAY).date()): 2 for of in sums}


def test_customers_are_told_of_their_own_tickets_alone(desk: Desk) -> None:
    other = desk.factory.user()
    desk.make([FIRST, FIRST])
    desk.make([FIRST], creator_id=other.id)
    desk.keep()
    with desk.database.transaction(actor(other)) as session:
        assert get_ticket_statistics(session, *PERIODS[0][1:]).total == 1
    for question in ("select * from ticket_figures", "select * from deskbell_kept_figures(now(), now(), '{status}')"):
        with pytest.raises(DeskbellError), desk.database.transaction(actor(other)) as session:
            session.execute(text(question)).all()


def test_two_statements_when_figures_are_kept(desk: Desk) -> None:
    desk.make([FIRST + n * DAY for n in range(50)], assignee_id=desk.agents[0].id)
    desk.keep()
    with desk.database.transaction(desk.reader()) as session:
        session.connection()
        with count_statements(desk.database.engine) as statements:
            get_ticket_statistics(session, *PERIODS[1][1:])
    assert len(statements) == 2


def test_a_transaction_of_another_server_is_not_waited_for(desk: Desk, fresh_address: Address) -> None:
    """A desk that is restored from a dump has numbers of transactions that are yet to come."""
    desk.make([FIRST])
    with psycopg.connect(fresh_address.dsn) as admin:
        admin.execute("update figure_progress set awaited_until = '2026-03-01', awaited_xid = 1 << 40")
    desk.keep()
    desk.check()
