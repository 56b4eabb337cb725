"""Made-up desks: a small one, written by hand (nine people, a dozen conversations of the last days), and a large one.

The large one is made by chance: `words` and `language` are what people write with, `people` who they are, `samples`
their files, `calendar` and `lives` what happens, `loading` puts it into the tables.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from deskbell.accounts.actions import create_organization, create_user
from deskbell.accounts.models import Role, User
from deskbell.kernel.actor import Channel
from deskbell.kernel.resources import resources_of
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.labels import create_tag
from deskbell.tickets.models import Comment, TicketPriority, TicketStatus

Story = Mapping[str, Any]
AGENT, CUSTOMER = "mara@desk.example", "ines@northwind.example"
"""Two of the people of the small desk."""


def has_stories(session: Session) -> bool:
    """Whether the small desk is here already."""
    return session.scalar(select(User.id).where(func.lower(User.email) == AGENT)) is not None


def load_demo(session: Session) -> int:
    """Fill an empty desk and return how many tickets it has. Nobody can log in as these people: no passwords."""
    stories = json.loads(files(__name__).joinpath("stories.json").read_text(encoding="utf-8"))
    now = resources_of(session).clock.now()
    companies = {o["name"]: create_organization(session, **o).id for o in stories["organizations"]}
    people = {key: _person(session, facts, companies) for key, facts in stories["people"].items()}
    tags = {name: create_tag(session, name=name, color=color).id for name, color in stories["tags"].items()}
    oldest_first = sorted(stories["tickets"], key=lambda story: -float(story["hours"]))
    ids = create_tickets(session, [_ticket(story, people, tags, now) for story in oldest_first])
    comments = [
        row for ticket, story in zip(ids, oldest_first, strict=True) for row in _comments(ticket, story, people, now)
    ]
    session.execute(insert(Comment), comments)
    return len(ids)


def _person(session: Session, facts: Story, companies: Mapping[str, int]) -> User:
    return create_user(
        session,
        email=facts["email"],
        full_name=facts["full_name"],
        role=Role(facts.get("role", Role.CUSTOMER)),
        organization_id=companies.get(facts.get("organization", "")),
    )


def _ticket(story: Story, people: Mapping[str, User], tags: Mapping[str, int], now: datetime) -> NewTicket:
    requester, assignee = people[story["requester"]], story["assignee"]
    last = min([story["hours"], *(line[1] for line in story["thread"])])
    answers = [line[1] for line in story["thread"] if people[line[0]].role is not Role.CUSTOMER and len(line) == 3]  # noqa: PLR2004 - a note has a fourth part
    return NewTicket(
        title=story["title"],
        description=story["message"],
        creator_id=requester.id,
        organization_id=requester.organization_id,
        created_at=now - timedelta(hours=story["hours"]),
        updated_at=now - timedelta(hours=last),
        first_responded_at=now - timedelta(hours=max(answers)) if answers else None,
        status=TicketStatus(story["status"]),
        priority=TicketPriority(story["priority"]),
        assignee_id=people[assignee].id if assignee else None,
        channel=Channel.MAIL,
        tag_ids=tuple(tags[name] for name in story["tags"]),
    )


def _comments(ticket: int, story: Story, people: Mapping[str, User], now: datetime) -> list[dict[str, object]]:
    return [
        {
            "ticket_id": ticket,
            "author_id": people[author].id,
            "content": content.removeprefix("note: "),
            "is_internal": bool(internal),
            "channel": Channel.WEB,
            "created_at": now - timedelta(hours=hours),
        }
        for author, hours, content, *internal in story["thread"]
    ]
