"""The floor of the API: what it does at least, written by hand on bare ASGI and asyncpg.

No authentication, no row security (a superuser asks), no rules, no checks of what is asked: one prepared statement a
request, whose JSON PostgreSQL writes, as that is faster than rows through `json.dumps`. `python -m bench.floor` reads
the address of the database from its standard input.
"""

import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import uvicorn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CONNECTIONS = 10

_PERSON = (
    """json_build_object('id', {0}.id, 'full_name', {0}.full_name, 'email', {0}.email, 'is_staff', {0}.is_staff)"""
)
_PLAIN = "t.id, t.ticket_number, t.title, t.status, t.priority, t.channel, t.version, t.reopen_count"
_TIMES = "t.created_at, t.updated_at, t.due_at, t.first_responded_at, t.resolved_at, t.deleted_at"
_LIST = f"""
with page as materialized (
  select t.* from tickets t {{join}} where t.deleted_at is null {{condition}}
   order by t.updated_at desc, t.id desc limit 50
), labels as (
  select b.ticket_id, json_agg(g order by g.name) as tags
    from page join ticket_tags b on b.ticket_id = page.id
    join (select id, name, color, description, created_at from tags) g on g.id = b.tag_id
   group by b.ticket_id
)
select json_build_object('items', coalesce(json_agg(d order by d.updated_at desc, d.id desc), '[]'))
  from (
    select {_PLAIN}, {_PERSON.format("r")} as requester,
           case when a.id is not null then {_PERSON.format("a")} end as assignee,
           case when o.id is not null then json_build_object('id', o.id, 'name', o.name) end as organization,
           case when m.id is not null then json_build_object('id', m.id, 'name', m.name) end as team,
           coalesce(l.tags, '[]') as tags, {_TIMES}
      from page t join users r on r.id = t.creator_id left join users a on a.id = t.assignee_id
      left join organizations o on o.id = t.organization_id left join teams m on m.id = t.team_id
      left join labels l on l.ticket_id = t.id
  ) d
"""  # noqa: S608 - of the constants above
NEWEST = _LIST.format(join="", condition="")
BY_STATUS = _LIST.format(join="", condition="and t.status = $1")
BY_WORDS = _LIST.format(
    join="join search_documents s on s.ticket_id = t.id",
    condition="and coalesce(s.staff_vector, s.public_vector) @@ plainto_tsquery('public.deskbell', deskbell_words($1))",
)
_FILE = "f.id, f.comment_id, f.file_name, f.media_type, f.size, f.sha256, f.content_id, f.uploaded_by_id, f.created_at"
_FILES = f"""(
  select coalesce(json_agg(d order by d.id), '[]')
    from (select {_FILE}, '/api/v1/attachments/' || f.id || '/content' as content from attachments f where {{0}}) d
)"""  # noqa: S608 - of the constants above
THREAD = f"""
select row_to_json(d)
  from (
    select {_PLAIN}, (select {_PERSON.format("u")} from users u where u.id = t.creator_id) as requester,
           (select {_PERSON.format("u")} from users u where u.id = t.assignee_id) as assignee,
           (select json_build_object('id', o.id, 'name', o.name) from organizations o where o.id = t.organization_id)
             as organization,
           (select json_build_object('id', m.id, 'name', m.name) from teams m where m.id = t.team_id) as team,
           (select coalesce(json_agg(g order by g.name), '[]')
              from (select g.id, g.name, g.color, g.description, g.created_at
                      from ticket_tags b join tags g on g.id = b.tag_id where b.ticket_id = t.id) g) as tags,
           {_TIMES}, t.description, t.description_format, t.description_html, t.description_folded,
           {_FILES.format("f.ticket_id = t.id and f.comment_id is null")} as attachments,
           (select coalesce(json_agg(c order by c.created_at, c.id), '[]')
              from (select c.id, {_PERSON.format("u")} as author, c.content, c.content_format, c.content_html, c.folded,
                           c.is_internal, c.channel, {_FILES.format("f.comment_id = c.id")} as attachments,
                           c.created_at, c.updated_at
                      from comments c join users u on u.id = c.author_id where c.ticket_id = t.id) c) as comments
      from tickets t where t.ticket_number = $1
  ) d
"""  # noqa: S608 - of the constants above
OPEN = """
insert into tickets as t (title, description, creator_id, channel)
values ($1, $2, (select min(id) from users where role = 'customer'), 'api')
returning row_to_json(t)
"""


@dataclass(frozen=True, slots=True)
class Database:
    """Two pools: in `bare` no trigger fires, neither the audit log's nor the search's."""

    usual: asyncpg.Pool
    bare: asyncpg.Pool


async def _leave(_: asyncpg.Connection) -> None:
    """Give a connection back as it is: nothing was set on it."""


async def _pool(dsn: str, **parameters: str) -> asyncpg.Pool:
    settings = {"jit": "off", **parameters}
    return await asyncpg.create_pool(
        dsn, min_size=CONNECTIONS, max_size=CONNECTIONS, reset=_leave, server_settings=settings
    )


class Floor:
    """The application: `/tickets`, with `?status=` or `?q=`, `/tickets/<number>`, and POST to `/tickets`."""

    def __init__(self, dsn: str) -> None:
        """`dsn` is a superuser's."""
        self._dsn = dsn
        self._database: Database

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["method"] == "POST":
            await _respond(send, 201, await self._open(scope["query_string"], receive))
        else:
            await _respond(send, 200, await self._read(scope["path"], scope["query_string"]))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        bare = await _pool(self._dsn, session_replication_role="replica")
        self._database = Database(await _pool(self._dsn), bare)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _read(self, path: str, query: bytes) -> str:
        pool = self._database.usual
        if path != "/tickets":
            return str(await pool.fetchval(THREAD, path.removeprefix("/tickets/")))
        if not query:
            return str(await pool.fetchval(NEWEST))
        [(name, value)] = parse_qsl(query.decode())
        return str(await pool.fetchval(BY_STATUS if name == "status" else BY_WORDS, value))

    async def _open(self, query: bytes, receive: Receive) -> str:
        message = await receive()
        wanted = json.loads(message["body"])
        pool = self._database.bare if query else self._database.usual
        return str(await pool.fetchval(OPEN, wanted["title"], wanted["description"]))


async def _respond(send: Send, status: int, document: str) -> None:
    body = document.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve on a port of this machine that is free; uvicorn says which."""
    floor = Floor(sys.stdin.readline().strip())
    uvicorn.run(floor, port=0, http="httptools", loop="uvloop", access_log=False, log_level="info")


if __name__ == "__main__":
    main()
