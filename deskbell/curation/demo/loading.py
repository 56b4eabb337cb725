"""A batch of made-up tickets goes into the tables, through the same policies, constraints and triggers as all others.

COPY is refused on tables with row security, so the rows go into temporary tables first. The search documents are built
once in the end, from the tables. Ids come from the tables as for everybody; ticket numbers are reserved beforehand, so
that they are the same whichever batch is faster.
"""

from collections.abc import Iterable, Sequence

from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.curation.demo.lives import Batch, Row

_TABLES = {
    "demo_tickets": "n int, title text, description text, folded text, status text, priority text, channel text,"
    " creator_id bigint, assignee_id bigint, organization_id bigint, team_id bigint,"
    " version bigint, reopen_count bigint,"
    " due_at bigint, first_responded_at bigint, resolved_at bigint, deleted_at bigint, created_at bigint,"
    " updated_at bigint, ticket_number text",
    "demo_comments": "n int, content text, folded text, is_internal boolean, channel text, author_id bigint, at bigint",
    "demo_attachments": "n int, comment_at bigint, file_name text, media_type text, size bigint, sha256 text,"
    " storage_key text, content_id text, uploaded_by_id bigint, at bigint",
    "demo_tags": "n int, tag_id bigint",
    "demo_ids": "n int, id bigint",
}
_PREPARE = text(
    "select set_config('deskbell.search', 'later', true), set_config('synchronous_commit', 'off', true),"
    " set_config('gin_pending_list_limit', '64MB', true), set_config('work_mem', '128MB', true)"
)
"""What is lost in a power failure is made again; the list of words that wait for the index may be long meanwhile."""
_MAKE = text(
    "; ".join(
        f"create temporary table if not exists {name} ({columns}) on commit delete rows"
        for name, columns in _TABLES.items()
    )
)
_TICKETS = text("""
with added as (
  insert into tickets (ticket_number, title, description, description_folded, status, priority, channel, creator_id,
                       assignee_id, organization_id, team_id, version, reopen_count, due_at, first_responded_at,
                       resolved_at, deleted_at, created_at, updated_at)
  select ticket_number, title, description, folded, status, priority, channel, creator_id, assignee_id, organization_id,
         team_id, version, reopen_count, to_timestamp(due_at), to_timestamp(first_responded_at),
         to_timestamp(resolved_at), to_timestamp(deleted_at), to_timestamp(created_at), to_timestamp(updated_at)
    from demo_tickets order by n
  returning id, ticket_number
)
insert into demo_ids (n, id) select d.n, a.id from added a join demo_tickets d using (ticket_number)
""")
_COMMENTS = text("""
insert into comments (ticket_id, content, folded, is_internal, channel, author_id, created_at, updated_at)
select i.id, c.content, c.folded, c.is_internal, c.channel, c.author_id, to_timestamp(c.at), to_timestamp(c.at)
  from demo_comments c join demo_ids i using (n) order by c.n, c.at
""")
_ATTACHMENTS = text("""
insert into attachments (ticket_id, comment_id, file_name, media_type, size, sha256, storage_key, content_id,
                         uploaded_by_id, created_at)
select i.id, c.id, a.file_name, a.media_type, a.size, a.sha256, a.storage_key, a.content_id, a.uploaded_by_id,
       to_timestamp(a.at)
  from demo_attachments a join demo_ids i using (n)
  left join comments c on a.comment_at is not null and c.ticket_id = i.id and c.created_at = to_timestamp(a.comment_at)
                      and c.ticket_id = any (array(select id from demo_ids))
 order by a.n, a.at
""")
"""The last condition keeps the planner from reading all comments there are, as long as it knows nothing of them."""
_TAGS = text("""
insert into ticket_tags (ticket_id, tag_id, created_at)
select i.id, g.tag_id, to_timestamp(d.created_at)
  from demo_tags g join demo_ids i using (n) join demo_tickets d using (n) order by i.id, g.tag_id
""")
_DOCUMENTS = text("select deskbell_index_tickets(array_agg(id order by id)) from demo_ids")
_NUMBERS = text("select array_agg(deskbell_next_ticket_number()) from generate_series(1, :count)")


def reserve_numbers(session: Session, count: int) -> list[str]:
    """Take this many ticket numbers, in order."""
    return list(session.execute(_NUMBERS, {"count": count}).scalar_one())


def load(session: Session, batch: Batch, numbers: Sequence[str]) -> None:
    """Insert the batch with these ticket numbers, and build its search documents."""
    connection = session.connection()
    connection.execute(_PREPARE)
    connection.execute(_MAKE)
    driver: Connection[object] = connection.connection.driver_connection  # type: ignore[assignment]
    numbered = [(*row, number) for row, number in zip(batch.tickets, numbers, strict=True)]
    _copy(driver, "demo_tickets", numbered)
    _copy(driver, "demo_comments", batch.comments)
    _copy(driver, "demo_attachments", batch.attachments)
    _copy(driver, "demo_tags", batch.tags)
    for statement in (_TICKETS, _COMMENTS, _ATTACHMENTS, _TAGS, _DOCUMENTS):
        connection.execute(statement)


def _copy(connection: Connection[object], table: str, rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin".encode()) as copy:
        copy.write("".join(map(_line, rows)))


def _line(row: Row) -> str:
    """Write a row as COPY reads it (PostgreSQL manual, COPY, "Text Format")."""
    return "\t".join(["\\N" if v is None else _escaped(v) if v.__class__ is str else str(v) for v in row]) + "\n"


def _escaped(value: str) -> str:
    """Escape what made-up texts have; `translate` would take ten times as long."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
