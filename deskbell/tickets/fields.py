"""What tickets can be found and sorted by; the reference is docs/reference/query-language.md."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Integer, and_, exists, func

from deskbell.accounts.models import Organization, Team, User
from deskbell.kernel.actor import Channel
from deskbell.kernel.fields import (
    Catalog,
    Choice,
    Context,
    Expression,
    Fields,
    Flag,
    Join,
    Name,
    Number,
    Sort,
    Text,
    Time,
    one_of,
)
from deskbell.kernel.paging import SortKey
from deskbell.tickets.documents import SearchDocument
from deskbell.tickets.models import Tag, Ticket, TicketPriority, TicketStatus, TicketTag

_TICKET, _DOCUMENT, _USER = Ticket.__table__.c, SearchDocument.__table__.c, User.__table__.c
_ORGANIZATION, _TEAM, _TAG = Organization.__table__.c, Team.__table__.c, Tag.__table__.c

PEOPLE = Catalog("person", _USER.id, _USER.email, _USER.full_name, is_large=True)
ORGANIZATIONS = Catalog("organization", _ORGANIZATION.id, _ORGANIZATION.name)
TEAMS = Catalog("team", _TEAM.id, _TEAM.name)
TAGS = Catalog("tag", _TAG.id, _TAG.name, _TAG.description)

DOCUMENT = Join(SearchDocument, SearchDocument.ticket_id == Ticket.id)
"""Each ticket has one, made by a trigger."""

_ANY_TAG = exists().where(TicketTag.ticket_id == Ticket.id)


def _has(column: ColumnElement[Any]) -> Callable[[Sequence[int]], Expression]:
    return lambda ids: one_of(column, ids)


def _tagged(ids: Sequence[int]) -> Expression:
    """Not a join, which would multiply the tickets with several of these tags."""
    return _ANY_TAG.where(one_of(TicketTag.__table__.c.tag_id, ids))


def _numbered(text: str, context: Context) -> Expression:
    number = text.strip().upper()
    return Ticket.ticket_number == (context.ticket_prefix + number if number.isdecimal() else number)


def _counts(staff: str, public: str) -> Callable[[Context], Expression]:
    return lambda context: _DOCUMENT[staff if context.actor.is_staff else public] > 0


def _overdue(context: Context) -> Expression:
    return cast("Expression", Ticket.is_overdue_at(context.now))


def _always(condition: Expression) -> Callable[[Context], Expression]:
    return lambda _: condition


FIELDS = Fields(
    fields={
        "status": Choice(
            help="where the ticket stands",
            examples=("status:open", "status:open,in_progress"),
            column=_TICKET.status,
            values=tuple(status.value for status in TicketStatus),
        ),
        "priority": Choice(
            help="how urgent it is, from `low` to `urgent`",
            examples=("priority:urgent", "priority>=high"),
            column=_TICKET.priority,
            values=tuple(priority.value for priority in TicketPriority),
            is_ordered=True,
        ),
        "channel": Choice(
            help="through what it came in",
            examples=("channel:mail",),
            column=_TICKET.channel,
            values=tuple(channel.value for channel in Channel),
        ),
        "number": Text(
            help="its number, with or without what stands before the digits",
            examples=("number:DB-1042", "number:1042"),
            having=_numbered,
        ),
        "assignee": Name(
            help="who works on it: an e-mail address, `me` or `none`",
            examples=("assignee:me", "assignee:none", "assignee:sam@example.org"),
            catalog=PEOPLE,
            having=_has(_TICKET.assignee_id),
            lacking=_TICKET.assignee_id.is_(None),
            me=True,
            can_be_null=True,
            offered=and_(_USER.is_staff, _USER.is_active),
        ),
        "requester": Name(
            help="who asked: an e-mail address or `me`",
            examples=("requester:kim@example.org",),
            catalog=PEOPLE,
            having=_has(_TICKET.creator_id),
            me=True,
        ),
        "organization": Name(
            help="the requester's organization, or `none`",
            examples=('organization:"Example Bank"', "organization:none"),
            catalog=ORGANIZATIONS,
            having=_has(_TICKET.organization_id),
            lacking=_TICKET.organization_id.is_(None),
            can_be_null=True,
        ),
        "team": Name(
            help="the team that it was given to, or `none`",
            examples=('team:"Second level"', "team:none"),
            staff_only=True,
            catalog=TEAMS,
            having=_has(_TICKET.team_id),
            lacking=_TICKET.team_id.is_(None),
            can_be_null=True,
        ),
        "tag": Name(
            help="a tag that it bears, or `none`",
            examples=("tag:billing", "tag:billing,refund", "tag:billing tag:refund", "tag:none"),
            staff_only=True,
            catalog=TAGS,
            having=_tagged,
            lacking=~_ANY_TAG,
        ),
        "created": Time(
            help="when it was opened", examples=("created>-7d", "created:2026-01-31"), column=_TICKET.created_at
        ),
        "updated": Time(
            help="when it last changed", examples=("updated<2026-01-31", "updated:today"), column=_TICKET.updated_at
        ),
        "resolved": Time(
            help="when it was resolved or closed, or `none`",
            examples=("resolved:2026-01-01..2026-01-31", "resolved:none"),
            column=_TICKET.resolved_at,
        ),
        "due": Time(
            help="when it should be resolved, or `none`", examples=("due<=tomorrow", "due<now"), column=_TICKET.due_at
        ),
        "comments": Number(
            help="how many comments it has; for the desk, internal notes are counted too",
            examples=("comments>3", "comments:0", "comments:2..5"),
            join=DOCUMENT,
            column=_DOCUMENT.comment_count,
            customer_column=_DOCUMENT.public_comment_count,
        ),
    },
    is_={
        "open": Flag("its status is `open`", _always(_TICKET.status == TicketStatus.OPEN)),
        "unresolved": Flag("it is neither resolved nor closed", _always(_TICKET.resolved_at.is_(None))),
        "resolved": Flag("it is resolved or closed", _always(_TICKET.resolved_at.is_not(None))),
        "closed": Flag("its status is `closed`", _always(_TICKET.status == TicketStatus.CLOSED)),
        "overdue": Flag("it is unresolved and older than 7 days", _overdue),
        "unassigned": Flag("nobody works on it", _always(_TICKET.assignee_id.is_(None))),
        "reopened": Flag("it came back after it was resolved", _always(_TICKET.reopen_count > 0)),
        "deleted": Flag(
            "it was deleted; without this, deleted tickets are not found",
            _always(_TICKET.deleted_at.is_not(None)),
            staff_only=True,
            is_about_deleted=True,
        ),
    },
    has={
        "attachment": Flag("a file", _counts("attachment_count", "public_attachment_count"), join=DOCUMENT),
        "comment": Flag("a comment", _counts("comment_count", "public_comment_count"), join=DOCUMENT),
        "note": Flag(
            "an internal note",
            _always(_DOCUMENT.comment_count > _DOCUMENT.public_comment_count),
            staff_only=True,
            join=DOCUMENT,
        ),
        "response": Flag("an answer by the desk", _always(_TICKET.first_responded_at.is_not(None))),
        "assignee": Flag("somebody who works on it", _always(_TICKET.assignee_id.is_not(None))),
        "organization": Flag("an organization", _always(_TICKET.organization_id.is_not(None))),
        "team": Flag("a team", _always(_TICKET.team_id.is_not(None)), staff_only=True),
        "tag": Flag("a tag", _always(_ANY_TAG), staff_only=True),
        "due": Flag("a time by which it should be resolved", _always(_TICKET.due_at.is_not(None))),
    },
    sorts={
        "updated": Sort("when it last changed", (SortKey(Ticket.updated_at),)),
        "created": Sort("when it was opened", (SortKey(Ticket.created_at),)),
        "number": Sort("its number, in the order in which they were given", (SortKey(Ticket.id),), descends=False),
        "priority": Sort(
            "how urgent it is, and then when it last changed",
            (
                SortKey(
                    func.deskbell_priority_rank(Ticket.priority, type_=Integer).label("priority_rank"), nullable=False
                ),
            ),
            then=(SortKey(Ticket.updated_at),),
        ),
        "relevance": Sort("how well the words fit, among the newest that do", ()),
    },
)
