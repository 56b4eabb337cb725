"""What tickets look like to whoever reads them: JSON documents, written by PostgreSQL.

The desk and customers have a shape of their own; `deskbell.web.schemas.tickets` describes both, and a test compares. A
page is limited first and then decorated, so that people, tags and files are read for its rows alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    any_,
    case,
    func,
    literal_column,
    select,
    true,
    type_coerce,
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
SORTABLE = frozenset({*_PLAIN, *_TIMES})
"""Columns that a page of documents can be sorted by."""
_KEYS = ("creator_id", "assignee_id", "organization_id", "team_id")
_TEXTS = ("description", "description_format", "description_html", "description_folded")
_COMMENT = ("content", "content_format", "content_html", "folded", "is_internal", "channel")
_PERSON = ("id", "full_name", "email", "is_staff")
_NAMED = ("id", "name")
_TAG = ("id", "name", "color", "description", "created_at")
_FILE = ("id", "comment_id", "file_name", "media_type", "size", "sha256", "content_id", "uploaded_by_id", "created_at")
_COMMA: Column = literal_column("','")
_NOT_FOR_CUSTOMERS: dict[str, Member] = {"team": NULL, "tags": EMPTY}


def ticket_documents(tickets: Select[Ticket], *, for_staff: bool, order: Sequence[SortKey] = ()) -> Documents:
    """Return (id, version, document) of each ticket of a statement, best a limited one, without its texts.

    `order` sorts by what is `SORTABLE`; the sort values follow.
    """
    documents, page = _page(tickets, for_staff=for_staff)
    keys = _keys(page, order)
    return documents.add_columns(*(key.column for key in keys)).order_by(*(key.order() for key in keys))


def page_of_documents(tickets: Select[Ticket], *, for_staff: bool, order: Sequence[SortKey], limit: int) -> Documents:
    """Return one row: at most `limit` of these documents, joined by commas, and how many tickets there are.

    Where there are `limit`, the sort values of the last document follow. One row is one message: fifty are four, each
    of which wakes whoever reads them.
    """
    documents, page = _page(tickets, for_staff=for_staff)
    keys = _keys(page, order)
    values = (key.column.label(f"key_{key.name}") for key in keys)
    sorted_ones = documents.add_columns(*values).order_by(*(key.order() for key in keys))
    shown = sorted_ones.limit(limit).subquery("shown")  # taken in this order (PostgreSQL manual, 9.21)
    joined = type_coerce(func.string_agg(shown.c.document, _COMMA), Json).label("documents")
    found = select(func.count()).select_from(page).scalar_subquery().label("found")
    return select(joined, found, *(func.array_agg(shown.c[f"key_{key.name}"])[limit] for key in keys))


def documents_in_order(ids: BindParameter[Sequence[int]], *, for_staff: bool) -> Documents:
    """Return one row: the documents of the tickets with these ids in this order, joined by commas, and how many."""
    documents, _ = _page(select(Ticket).where(Ticket.id == any_(ids)), for_staff=for_staff)
    found = documents.subquery("found")
    in_order = func.string_agg(found.c.document, _COMMA).aggregate_order_by(func.array_position(ids, found.c.id))
    return select(type_coerce(in_order, Json).label("documents"), func.count().label("shown"))


def _keys(page: CTE, order: Sequence[SortKey]) -> list[SortKey]:
    return [replace(key, column=page.c[key.name]) for key in order]


def _page(tickets: Select[Ticket], *, for_staff: bool) -> tuple[Documents, CTE]:
    """Return id, version and document of each, and what they are of."""
    page = tickets.with_only_columns(*(Ticket.__table__.c[name] for name in (*_PLAIN, *_TIMES, *_KEYS))).cte("page")
    requester = _person(page.c.creator_id, for_staff=for_staff).lateral("requester")
    assignee = _person(page.c.assignee_id, for_staff=for_staff).lateral("assignee")
    organization, team = Organization.__table__, Team.__table__
    source = page.outerjoin(requester, true()).outerjoin(assignee, true())
    source = source.outerjoin(organization, organization.c.id == page.c.organization_id)
    related: dict[str, Member] = {
        "requester": _if_any(requester, _PERSON),
        "assignee": _if_any(assignee, _PERSON),
        "organization": _if_any(organization, _NAMED),
        **_NOT_FOR_CUSTOMERS,
    }
    if for_staff:
        tags = _tags_of(page)
        source = source.outerjoin(team, team.c.id == page.c.team_id).outerjoin(tags, tags.c.ticket_id == page.c.id)
        related |= {"team": _if_any(team, _NAMED), "tags": json_or(tags.c.documents, EMPTY)}
    return _documents(page, related).select_from(source), page


def thread_documents(which: Column, *, for_staff: bool, is_new: bool = False) -> Documents:
    """Return the same for the few tickets that a condition holds for, with texts, attachments and comments.

    `is_new`: none has tags, attachments or comments yet, and so none are looked for.
    """
    ticket, file = Ticket.__table__, Attachment.__table__
    organization, team = Organization.__table__, Team.__table__
    related: dict[str, Member] = {
        "requester": _only(_person(ticket.c.creator_id, for_staff=for_staff), _PERSON),
        "assignee": _only(_person(ticket.c.assignee_id, for_staff=for_staff), _PERSON),
        "organization": _only(select(organization).where(organization.c.id == ticket.c.organization_id), _NAMED),
        **_NOT_FOR_CUSTOMERS,
    }
    if for_staff:
        related["team"] = _only(select(team).where(team.c.id == ticket.c.team_id), _NAMED)
        related["tags"] = EMPTY if is_new else _tags_on(ticket.c.id).scalar_subquery()
    first_files = _files().where(file.c.ticket_id == ticket.c.id, file.c.comment_id.is_(None))
    further: dict[str, Member] = {
        **{name: ticket.c[name] for name in _TEXTS},
        "attachments": EMPTY if is_new else first_files.scalar_subquery(),
        "comments": EMPTY if is_new else _thread_of(ticket.c.id, for_staff=for_staff).scalar_subquery(),
    }
    return _documents(ticket, {**related, **further}).where(which)


def _documents(ticket: FromClause, further: dict[str, Member]) -> Documents:
    members: dict[str, Member] = {name: ticket.c[name] for name in (*_PLAIN, *_TIMES)}
    return select(ticket.c.id, ticket.c.version, json_object({**members, **further}).label("document"))


def _person(key: Column, *, for_staff: bool) -> Documents:
    """Somebody by their id. Customers read a view, which would be read whole if it were joined: hence the OFFSET."""
    person = (User if for_staff else Person).__table__
    found = select(*(person.c[name] for name in _PERSON)).where(person.c.id == key)
    return found if for_staff else found.offset(literal_column("0"))


def _if_any(joined: FromClause, names: Sequence[str]) -> ColumnElement[bytes]:
    document = json_object({name: joined.c[name] for name in names})
    return json_or(case((joined.c.id.is_not(None), document)), NULL)


def _only(found: Documents, names: Sequence[str]) -> ColumnElement[bytes]:
    """Show the one row of a statement: its own way to it, as for one ticket a join would read small tables whole."""
    document = json_object({name: found.selected_columns[name] for name in names})
    return json_or(found.with_only_columns(document).scalar_subquery(), NULL)


def _tags_of(page: CTE) -> FromClause:
    """The tags of all tickets of a page, grouped by them."""
    bears = TicketTag.__table__
    found = _tags_on(page.c.id).add_columns(bears.c.ticket_id)
    return found.select_from(page).group_by(bears.c.ticket_id).subquery("tags_here")


def _tags_on(ticket_id: Column) -> Documents:
    tag, bears = Tag.__table__, TicketTag.__table__
    documents = json_array(json_object({name: tag.c[name] for name in _TAG}), tag.c.name)
    return select(documents.label("documents")).where(bears.c.ticket_id == ticket_id, tag.c.id == bears.c.tag_id)


def _files() -> Documents:
    file = Attachment.__table__
    address = func.concat(literal_column("'\"/api/v1/attachments/'"), file.c.id, literal_column("'/content\"'"))
    members: dict[str, Member] = {**{name: file.c[name] for name in _FILE}, "content": type_coerce(address, Json)}
    return select(json_array(json_object(members), file.c.id).label("documents"))


def _thread_of(ticket_id: Column, *, for_staff: bool) -> Documents:
    comment = Comment.__table__
    author = _person(comment.c.author_id, for_staff=for_staff).lateral("author")
    members: dict[str, Member] = {
        "id": comment.c.id,
        "author": _if_any(author, _PERSON),
        **{name: comment.c[name] for name in _COMMENT},
        "attachments": _files_of_comment(ticket_id),
        "created_at": comment.c.created_at,
        "updated_at": comment.c.updated_at,
    }
    documents = json_array(json_object(members), comment.c.created_at, comment.c.id)
    return select(documents).select_from(comment.outerjoin(author, true())).where(comment.c.ticket_id == ticket_id)


def _files_of_comment(ticket_id: Column) -> ColumnElement[bytes]:
    """The files of a comment, looked for only where one of the thread has any: that is found out once."""
    comment, file = Comment.__table__, Attachment.__table__
    here = select(file.c.id).where(file.c.ticket_id == ticket_id, file.c.comment_id.is_not(None))
    found = _files().where(file.c.comment_id == comment.c.id).scalar_subquery()
    return json_or(case((here.correlate(Ticket.__table__).exists(), found)), EMPTY)
