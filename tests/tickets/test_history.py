"""The history of a ticket as people read it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError
from deskbell.kernel.paging import MAX_LIMIT, Cursor
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets import actions
from deskbell.tickets.bodies import body_of
from deskbell.tickets.errors import NoSuchTicketError
from deskbell.tickets.history import Act, history_page
from deskbell.tickets.history_words import difference
from deskbell.tickets.labels import delete_tag, ensure_tags, tag, untag
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus
from tests.audit.world import World, unrestricted

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Story:
    """A ticket, to which an agent does things, each in a transaction of its own."""

    def __init__(self, database: Database, factory: Factory) -> None:
        self.database = database
        self.agent: User = factory.user(Role.AGENT, full_name="Mara Lindqvist")
        self.ticket: Ticket = factory.ticket()
        self.number = self.ticket.ticket_number

    def do(self, *acts: Callable[[Session], object], who: Actor | None = None) -> None:
        """Do things together."""
        with self.database.transaction(who or actor(self.agent)) as session:
            for act in acts:
                act(session)

    def read(self) -> list[Act]:
        """Read what happened, oldest first."""
        with self.database.transaction(actor(self.agent)) as session:
            return list(history_page(session, self.number, limit=MAX_LIMIT).items[::-1])

    def sql(self, statement: str) -> Callable[[Session], object]:
        return lambda session: session.execute(text(statement), {"id": self.ticket.id} if ":id" in statement else {})


@pytest.fixture
def story(database: Database, factory: Factory) -> Story:
    return Story(database, factory)


def test_the_history_says_who_did_what_in_words(story: Story) -> None:
    number = story.number
    story.do(lambda s: actions.assign(s, number, story.agent.id))
    story.do(lambda s: tag(s, number, "billing"))
    story.do(lambda s: untag(s, number, "billing"))
    story.do(lambda s: actions.add_note(s, number, body=body_of("Watch out.")))
    story.do(
        lambda s: actions.reply(s, number, body=body_of("Done."), status=TicketStatus.RESOLVED, now=NOW),
    )
    story.do(lambda s: actions.soft_delete(s, number, now=NOW))
    story.do(lambda s: actions.restore(s, number))
    history = story.read()
    assert [act.summary for act in history] == [
        "opened the ticket",
        "changed status, assignee",
        "added the tag billing",
        "removed the tag billing",
        "wrote an internal note",
        "wrote a reply, changed status",
        "deleted the ticket",
        "restored the ticket",
    ]
    assert {(act.actor, act.actor_id, act.channel, act.act) for act in history[1:]} == {
        ("Mara Lindqvist", story.agent.id, "api", "test")
    }
    assert history[0].actor is None
    [assigned] = history[1].changes
    assert assigned.fields == {"status": ("open", "in_progress"), "assignee_id": (None, "Mara Lindqvist")}
    assert [act.at for act in history] == sorted(act.at for act in history)


def test_why_something_happened_is_told(story: Story) -> None:
    rule = Actor(ActorKind.SYSTEM, None, Channel.RULE, act="escalate", cause="rule:7")
    story.do(lambda s: actions.change_priority(s, story.number, TicketPriority.URGENT), who=rule)
    act = story.read()[-1]
    assert (act.actor, act.channel, act.act, act.cause) == (None, "rule", "escalate", "rule:7")


def test_what_one_act_did_is_told_once(story: Story) -> None:
    number = story.number
    story.do(
        *(lambda s, name=name: tag(s, number, name) for name in ("billing", "card")),
        lambda s: actions.change_title(s, number, "First"),
        lambda s: actions.change_title(s, number, "Second"),
        lambda s: actions.change_priority(s, number, TicketPriority.HIGH),
    )
    [_, act] = story.read()
    assert act.summary == "added the tags billing, card, changed title, priority"
    [edited] = [change for change in act.changes if change.what == "ticket"]
    assert edited.fields == {"title": (story.ticket.title, "Second"), "priority": ("medium", "high")}


def test_what_an_act_took_back_itself_is_not_told(story: Story) -> None:
    number = story.number
    story.do(
        lambda s: tag(s, number, "billing"),
        lambda s: untag(s, number, "billing"),
        lambda s: actions.change_priority(s, number, TicketPriority.HIGH),
        lambda s: actions.change_priority(s, number, TicketPriority.MEDIUM),
    )
    assert [act.summary for act in story.read()] == ["opened the ticket"]


def test_what_only_follows_is_told_where_nothing_else_is(story: Story) -> None:
    story.do(lambda s: actions.change_status(s, story.number, TicketStatus.CLOSED))
    story.do(story.sql("update tickets set reopen_count = 3 where id = :id"))
    assert [act.summary for act in story.read()][1:] == ["changed status", "changed reopen count"]


def test_several_transactions_of_one_operation_are_one_act(story: Story) -> None:
    story.do(lambda s: actions.change_title(s, story.number, "First"))
    operation = story.read()[-1].operation_id
    again = Actor(ActorKind.AGENT, story.agent.id, Channel.API, act="test", operation=operation)
    story.do(lambda s: actions.change_priority(s, story.number, TicketPriority.LOW), who=again)
    [_, act] = story.read()
    assert (act.summary, act.operation_id) == ("changed title, priority", operation)


def test_an_edited_comment_shows_what_was_edited(story: Story) -> None:
    long = "word " * 500
    story.do(lambda s: actions.add_note(s, story.number, body=body_of(f"{long}arrived {long}")))
    story.do(story.sql("update comments set content = replace(content, 'arrived', 'was lost')"))
    story.do(story.sql("update comments set is_internal = false"))
    story.do(story.sql("update comments set content_html = '<p>x</p>'"))
    [_, wrote, edited, published] = story.read()  # HTML that follows from the text is not told
    assert wrote.summary == "wrote a reply"  # which is what it is by now
    assert edited.summary == "edited a reply"
    old, new = edited.changes[0].fields["content"]
    assert "arrived" in old
    assert "was lost" in new
    assert len(old) < 200
    assert published.summary == "made an internal note public"


def test_a_tag_that_is_gone_keeps_its_name(story: Story) -> None:
    story.do(lambda s: tag(s, story.number, "billing"))

    def remove(session: Session) -> None:
        delete_tag(session, ensure_tags(session, ["billing"])["billing"])

    story.do(remove, who=SYSTEM)
    assert [act.summary for act in story.read()][1:] == ["added the tag billing", "removed the tag billing"]


def test_what_was_deleted_for_good_is_still_told(clone_address: Address) -> None:
    with unrestricted(clone_address) as database:
        world = World(database)
        for step in (("note", 0, 0), ("attach", 0, 0), ("note", 0, 1)):
            world.run(step)
        world.as_owner("delete from attachments")
        world.as_owner("delete from comments where id = (select max(id) from comments)")
        world.as_owner(f"update comments set ticket_id = {world.tickets[1].id}")  # noqa: S608 - a number
        told = []
        for ticket in world.tickets:
            with database.transaction(SYSTEM) as session:
                told.append([act.summary for act in history_page(session, ticket.ticket_number).items[::-1]])
    assert told[0][1:] == [
        "wrote a reply",
        "attached 0.txt",
        "wrote an internal note",
        "removed the file 0.txt",
        "deleted an internal note",
        "moved a comment",
    ]
    assert "moved a comment" in told[1]


def test_pages_neither_repeat_nor_skip(story: Story) -> None:
    for n in range(7):
        story.do(lambda s, n=n: actions.change_title(s, story.number, f"Title {n}"))  # type: ignore[misc]  # a default
    whole = [act.id for act in story.read()[::-1]]
    seen: list[int] = []
    cursor: Cursor | None = None
    while True:
        with story.database.transaction(actor(story.agent)) as session:
            found = history_page(session, story.number.lower(), limit=3, cursor=cursor)
        seen += [act.id for act in found.items]
        cursor = found.next_cursor
        if cursor is None:
            break
        story.do(lambda s: actions.add_note(s, story.number, body=body_of("Meanwhile")))
    assert seen == whole


def test_a_long_history_takes_as_many_statements_as_a_short_one(story: Story) -> None:
    costs = []
    for _ in range(2):
        for n in range(5):
            story.do(
                lambda s, n=n: tag(s, story.number, f"tag {n}"),  # type: ignore[misc]  # a default
                lambda s: actions.add_note(s, story.number, body=body_of("x")),
            )
        with story.database.transaction(SYSTEM) as session, count_statements(story.database.engine) as statements:
            history_page(session, story.number)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 11


def test_the_history_is_for_the_desk_alone(story: Story, factory: Factory) -> None:
    customer = factory.user()
    number = factory.ticket(customer).ticket_number
    with story.database.transaction(actor(customer)) as session, pytest.raises(ForbiddenError):
        history_page(session, number)
    with story.database.transaction(SYSTEM) as session, pytest.raises(NoSuchTicketError):
        history_page(session, "DB-99999")


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        (None, "open", (None, "open")),
        ("a\nb", "c", ("a b", "c")),
        (1, 2, (1, 2)),
        ("", "x" * 300, ("", "x" * 199 + "…")),
        ("x" * 300, "x" * 301, ("…" + "x" * 40, "…" + "x" * 41)),
        ("x" * 300, "y" + "x" * 300, ("x" * 40 + "…", "y" + "x" * 40 + "…")),
        ("a" * 300 + "b" + "c" * 300, "a" * 300 + "d" + "c" * 300, tuple(f"…{'a' * 40}{it}{'c' * 40}…" for it in "bd")),
    ],
)
def test_of_two_long_texts_the_difference_is_shown(old: Any, new: Any, shown: tuple[Any, Any]) -> None:
    assert difference(old, new) == shown
