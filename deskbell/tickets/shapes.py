"""What tickets look like to whoever reads them: JSON documents, written by PostgreSQL for the rows of one page.

The page is limited first and then decorated, so that people, tags and files are read for its rows alone. The desk and
customers have a shape of their own; `deskbell.web.schemas.tickets` describes both, and a test compares.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    any_,
    case,
    func,
    literal_column,
    select,
    type_coerce,
    union,
)
from sqlalchemy.sql.selectable import FromClause

from deskbell.accounts.models import Organization, Person, Team, User
from deskbell.kernel.paging import SortKey
from deskbell.kernel.shaping import EMPTY, NULL, Json, Member, json_array, json_object, json_or
from deskbell.tickets.models import Attachment, Comment, Tag, Ticket, TicketTag

Documents = Select[*tuple[Any, ...]]
Column = ColumnElement[Any]

_PLAIN = ("id", "ticket_number", "title", "status", "priority", "channel", "version", "reopen_count")
_TIMES = ("created_at", "updated_at", "due_at", "first_responded_at", "resolved_at", "deleted_at")
_KEYS = ("creator_id", "assignee_id", "organization_id", "team_id")
_TEXTS = ("description", "description_format", "description_html", "description_folded")
_COMMENT = ("content", "content_format", "content_html", "folded", "is_internal", "channel")
_TAG = ("id", "name", "color", "description", "created_at")
_FILE = ("id", "comment_id", "file_name", "media_type", "size", "sha256", "content_id", "uploaded_by_id", "created_at")


def ticket_documents(tickets: Select[Ticket], *, for_staff: bool, order: Sequence[SortKey] = ()) -> Documents:
    """Return (id, version, document) of each ticket of a statement, best a limited one, without its texts.

    `order` sorts by what every document has; the sort values follow.
    """
    page = _page(tickets, (*_PLAIN, *_TIMES, *_KEYS))
    if for_staff:
        requester, assignee = User.__table__.alias("requester"), User.__table__.alias("assignee")
        documents = [_if_any(one, _person(one)) for one in (requester, assignee)]
    else:
        people = _people([page.c.creator_id, page.c.assignee_id], for_staff=False)
        requester, assignee = people.alias("requester"), people.alias("assignee")
        documents = [json_or(one.c.document, NULL) for one in (requester, assignee)]
    decorated = _decorated(page, (requester, assignee), documents, {}, for_staff=for_staff)
    keys = [replace(key, column=page.c[key.name]) for key in order]
    return decorated.add_columns(*(key.column for key in keys)).order_by(*(key.order() for key in keys))


def thread_documents(tickets: Select[Ticket], *, for_staff: bool) -> Documents:
    """Return the same with texts, attachments and comments: for a few tickets, as each is as long as it is."""
    page = _page(tickets, (*_PLAIN, *_TIMES, *_KEYS, *_TEXTS))
    said = select(Comment.__table__).where(Comment.ticket_id.in_(select(page.c.id))).cte("said")
    people = _people([page.c.creator_id, page.c.assignee_id, said.c.author_id], for_staff=for_staff)
    files = _files(page)
    own = select(files.c.documents).where(files.c.ticket_id == page.c.id, files.c.comment_id.is_(None))
    further: dict[str, Member] = {
        **{name: page.c[name] for name in _TEXTS},
        "attachments": json_or(own.scalar_subquery(), EMPTY),
        "comments": json_or(_thread(page, said, people, files).scalar_subquery(), EMPTY),
    }
    requester, assignee = people.alias("requester"), people.alias("assignee")
    documents = [json_or(one.c.document, NULL) for one in (requester, assignee)]
    return _decorated(page, (requester, assignee), documents, further, for_staff=for_staff)


def _page(tickets: Select[Ticket], names: tuple[str, ...]) -> CTE:
    return tickets.with_only_columns(*(Ticket.__table__.c[name] for name in names)).cte("page")


def _people(keys: list[Column], *, for_staff: bool) -> CTE:
    """By their keys in an array: of the view that customers read, a join would read everybody."""
    person = (User if for_staff else Person).__table__
    keys_here = func.array(union(*(select(key) for key in keys)).scalar_subquery(), type_=ARRAY(BigInteger))
    columns = person.c.id, _person(person).label("document")
    return select(*columns).where(person.c.id == any_(keys_here)).cte("people_here")


def _person(person: FromClause) -> ColumnElement[bytes]:
    return json_object({name: person.c[name] for name in ("id", "full_name", "email", "is_staff")})


def _tags(page: CTE) -> CTE:
    tag, bears = Tag.__table__, TicketTag.__table__
    documents = json_array(json_object({name: tag.c[name] for name in _TAG}), tag.c.name)
    borne = page.join(bears, bears.c.ticket_id == page.c.id).join(tag, tag.c.id == bears.c.tag_id)
    columns = bears.c.ticket_id, documents.label("documents")
    return select(*columns).select_from(borne).group_by(bears.c.ticket_id).cte("tags_here")


def _files(page: CTE) -> CTE:
    """The attachments of each comment, and, without a comment, those of the first message."""
    file = Attachment.__table__
    address = func.concat(literal_column("'\"/api/v1/attachments/'"), file.c.id, literal_column("'/content\"'"))
    members: dict[str, Member] = {**{name: file.c[name] for name in _FILE}, "content": type_coerce(address, Json)}
    documents = json_array(json_object(members), file.c.id)
    columns = file.c.ticket_id, file.c.comment_id, documents.label("documents")
    found = select(*columns).where(file.c.ticket_id.in_(select(page.c.id)))
    return found.group_by(file.c.ticket_id, file.c.comment_id).cte("files_here")


def _thread(page: CTE, said: CTE, people: CTE, files: CTE) -> Documents:
    members: dict[str, Member] = {
        "id": said.c.id,
        "author": json_or(people.c.document, NULL),
        **{name: said.c[name] for name in _COMMENT},
        "attachments": json_or(files.c.documents, EMPTY),
        "created_at": said.c.created_at,
        "updated_at": said.c.updated_at,
    }
    source = said.outerjoin(people, people.c.id == said.c.author_id).outerjoin(files, files.c.comment_id == said.c.id)
    documents = json_array(json_object(members), said.c.created_at, said.c.id)
    return select(documents).select_from(source).where(said.c.ticket_id == page.c.id).group_by(said.c.ticket_id)


def _named(table: FromClause) -> ColumnElement[bytes]:
    return _if_any(table, json_object({"id": table.c.id, "name": table.c.name}))


def _if_any(joined: FromClause, document: ColumnElement[bytes]) -> ColumnElement[bytes]:
    return json_or(case((joined.c.id.is_not(None), document)), NULL)


def _decorated(
    page: CTE,
    people: tuple[FromClause, FromClause],
    documents: list[ColumnElement[bytes]],
    further: dict[str, Member],
    *,
    for_staff: bool,
) -> Documents:
    requester, assignee = people
    organization, team = Organization.__table__, Team.__table__
    source: FromClause = (
        page.outerjoin(requester, requester.c.id == page.c.creator_id)
        .outerjoin(assignee, assignee.c.id == page.c.assignee_id)
        .outerjoin(organization, organization.c.id == page.c.organization_id)
    )
    labels: Member = EMPTY
    team_here: Member = NULL
    if for_staff:
        tags = _tags(page)
        source = source.outerjoin(team, team.c.id == page.c.team_id).outerjoin(tags, tags.c.ticket_id == page.c.id)
        labels, team_here = json_or(tags.c.documents, EMPTY), _named(team)
    members: dict[str, Member] = {
        **{name: page.c[name] for name in _PLAIN},
        "requester": documents[0],
        "assignee": documents[1],
        "organization": _named(organization),
        "team": team_here,
        "tags": labels,
        **{name: page.c[name] for name in _TIMES},
        **further,
    }
    return select(page.c.id, page.c.version, json_object(members).label("document")).select_from(source)
