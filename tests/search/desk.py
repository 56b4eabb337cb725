"""Forty random tickets, as rows of the database and as plain values in memory; for `tests/search/test_meaning.py`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.accounts.actions import create_organization, create_team, create_user
from deskbell.accounts.models import Organization, Role, Team, User
from deskbell.kernel.actor import Channel
from deskbell.tickets.labels import ensure_tags
from deskbell.tickets.models import Attachment, Comment, Ticket, TicketPriority, TicketStatus, TicketTag

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
VOCABULARY = (
    "card",
    "cards",
    "arrive",
    "arrived",
    "the",
    "has",
    "refund",
    "invoice.pdf",
    "49.00",
    "café",
    "naïve",
    "b_c",
)
LAST = "finis"
"""Ends each text, so that no phrase reaches from one into the next."""
TAGS = ("billing", "Refund", "two words", "none", "unused")
TEAMS = ("First", "Second level")
ORGANIZATIONS = ("Example Bank", "Kim & Co")

Lexemes = dict[str, list[int]]
"""Stem to places, of one text."""

_LEXEMES = text(
    "select wanted, v.lexeme, v.positions from unnest(cast(:texts as text[])) wanted,"
    " unnest(to_tsvector('public.deskbell', deskbell_words(wanted))) v"
)


@dataclass(frozen=True)
class Item:
    """A ticket as the test knows it; `notes` are the texts that only the desk reads."""

    row: Ticket
    requester: str
    assignee: str | None
    organization: str | None
    team: str | None
    tags: frozenset[str]
    public: tuple[str, ...]
    notes: tuple[str, ...]
    comments: tuple[int, int]
    attachments: tuple[int, int]
    """All of them, and the public ones."""


@dataclass(frozen=True)
class Desk:
    """What is there, by name."""

    items: tuple[Item, ...]
    people: dict[str, User]
    lexemes: dict[str, Lexemes]


def fill(session: Session, random: Random, number: int = 40) -> Desk:
    """Make the desk as the system."""
    organizations = [
        create_organization(session, name=name, shares_tickets=name == "Kim & Co") for name in ORGANIZATIONS
    ]
    teams = [create_team(session, name=name) for name in TEAMS]
    tags = ensure_tags(session, list(TAGS))
    people = _people(session, [organizations[0].id, organizations[1].id, organizations[1].id, None])
    items = tuple(_item(session, random, people, organizations, teams, tags) for _ in range(number))
    texts = {part for item in items for part in item.public + item.notes}
    return Desk(items, people, lexemes(session, texts))


def _item(
    session: Session,
    random: Random,
    people: dict[str, User],
    organizations: list[Organization],
    teams: list[Team],
    tags: dict[str, int],
) -> Item:
    requester = random.choice([user for user in people.values() if user.role is Role.CUSTOMER])
    assignee = random.choice([None, people["Sam@example.test"], people["eve@example.test"]])
    organization = next((one for one in organizations if one.id == requester.organization_id), None)
    team = random.choice([None, *teams])
    ticket = _ticket(random, requester, assignee, organization, team)
    session.add(ticket)
    session.flush()
    worn = frozenset(random.sample(TAGS[:-1], random.randrange(3)))
    session.add_all(TicketTag(ticket_id=ticket.id, tag_id=tags[name]) for name in worn)
    comments = _comments(session, random, ticket, [*people.values()])
    files = _files(session, random, ticket, comments)
    public = [comment.content for comment in comments if not comment.is_internal]
    notes = [comment.content for comment in comments if comment.is_internal]
    shown = [name for name, comment in files if comment is None or not comment.is_internal]
    kept = [name for name, comment in files if comment is not None and comment.is_internal]
    return Item(
        ticket,
        requester.email,
        assignee.email if assignee else None,
        organization.name if organization else None,
        team.name if team else None,
        worn,
        (ticket.title, ticket.ticket_number, ticket.description, *public, *shown),
        (*notes, *kept),
        (len(comments), len(public)),
        (len(files), len(shown)),
    )


def lexemes(session: Session, texts: set[str]) -> dict[str, Lexemes]:
    """Return the stems of each text with their places, as PostgreSQL finds them."""
    found: dict[str, Lexemes] = {name: {} for name in texts}
    for name, lexeme, places in session.execute(_LEXEMES, {"texts": sorted(texts)}):
        found[name][lexeme] = places
    return found


def _people(session: Session, organizations: list[int | None]) -> dict[str, User]:
    emails = ["ann@example.test", "kim@example.test", "joe@example.test", "zoë@example.test"]
    customers = [
        create_user(session, email=email, full_name="", role=Role.CUSTOMER, organization_id=organization)
        for email, organization in zip(emails, organizations, strict=True)
    ]
    agents = [
        create_user(session, email=email, full_name="", role=Role.AGENT)
        for email in ("Sam@example.test", "eve@example.test")
    ]
    return {user.email: user for user in customers + agents}


def _ticket(
    random: Random, requester: User, assignee: User | None, organization: Organization | None, team: Team | None
) -> Ticket:
    created = NOW - timedelta(
        minutes=random.choice([5, 60 * 20, 60 * 30, 60 * 24 * 8, 60 * 24 * 40]) + random.randrange(600)
    )
    status = random.choice(list(TicketStatus))
    return Ticket(
        title=_text(random),
        description=_text(random),
        status=status,
        priority=random.choice(list(TicketPriority)),
        channel=random.choice([Channel.MAIL, Channel.WEB, Channel.API]),
        creator_id=requester.id,
        assignee_id=assignee and assignee.id,
        organization_id=organization and organization.id,
        team_id=team and team.id,
        reopen_count=random.choice([0, 0, 1, 3]),
        created_at=created,
        updated_at=created + timedelta(minutes=random.randrange(5)),
        resolved_at=created + timedelta(minutes=3) if status.is_done else None,
        due_at=random.choice([None, NOW - timedelta(hours=3), NOW + timedelta(hours=30)]),
        first_responded_at=random.choice([None, created + timedelta(minutes=1)]),
        deleted_at=NOW if random.random() < 0.15 else None,
    )


def _comments(session: Session, random: Random, ticket: Ticket, people: list[User]) -> list[Comment]:
    comments = [
        Comment(
            ticket_id=ticket.id,
            author_id=random.choice(people).id,
            content=_text(random),
            is_internal=random.random() < 0.4,
        )
        for _ in range(random.choice([0, 1, 2, 5]))
    ]
    session.add_all(comments)
    session.flush()
    return comments


def _files(
    session: Session, random: Random, ticket: Ticket, comments: list[Comment]
) -> list[tuple[str, Comment | None]]:
    files = []
    for number in range(random.choice([0, 0, 1, 2])):
        comment = random.choice([None, *comments])
        file = Attachment(
            ticket_id=ticket.id,
            comment_id=comment and comment.id,
            file_name=random.choice(["invoice.pdf finis", "IMG_1042.jpg finis"]),
            media_type="text/plain",
            size=1,
            sha256="a" * 64,
            storage_key=f"{ticket.id}-{number}",
            uploaded_by_id=ticket.creator_id,
        )
        session.add(file)
        files.append((file.file_name, comment))
    session.flush()
    return files


def _text(random: Random) -> str:
    return " ".join([*random.choices(VOCABULARY, k=random.randrange(1, 5)), LAST])
