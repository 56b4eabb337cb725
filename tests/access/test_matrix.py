"""Who may do what with which table: every relation, role and command, by raw SQL, against a written table.

The expectations are not computed from the models: whoever changes a policy changes this table, and reads it.
"""
# ruff: noqa: S608 - the names in the statements are constants of this file

import psycopg

from deskbell.migrations.metadata import domain_tables
from tests.access.world import World

WHO = ("nobody", "anna", "bert", "agent", "admin", "system", "readonly")

# `-` is refused; a number is how many rows were read or touched; `all` is every row there is; `fk` was allowed and then
# stopped by a foreign key. Nobody is the application role before it has become anybody; Anna's organization shares
# its tickets, Bert's does not. An INSERT is a lawful one where there is such a thing for the actor.
EXPECTED = """
relation           command  nobody  anna  bert  agent  admin  system  readonly
access_logs        select   -       -     -     -      all    all     -
access_logs        insert   -       -     -     -      -      -       -
access_logs        update   -       -     -     -      -      -       -
access_logs        delete   -       -     -     -      -      -       -
alembic_version    select   -       -     -     -      -      -       -
alembic_version    insert   -       -     -     -      -      -       -
alembic_version    update   -       -     -     -      -      -       -
alembic_version    delete   -       -     -     -      -      -       -
api_tokens         select   -       1     1     1      all    all     all
api_tokens         insert   -       1     1     1      1      1       -
api_tokens         update   -       1     1     1      all    all     -
api_tokens         delete   -       -     -     -      -      -       -
attachments        select   -       1     1     all    all    all     all
attachments        insert   -       1     1     1      1      1       -
attachments        update   -       -     -     -      -      -       -
attachments        delete   -       -     -     -      -      -       -
audit_logs         select   -       -     -     all    all    all     all
audit_logs         insert   -       -     -     -      -      -       -
audit_logs         update   -       -     -     -      -      -       -
audit_logs         delete   -       -     -     -      -      -       -
comments           select   -       1     1     all    all    all     all
comments           insert   -       1     1     1      1      1       -
comments           update   -       -     -     all    all    all     -
comments           delete   -       -     -     -      -      -       -
draft_files        select   -       -     -     1      1      all     -
draft_files        insert   -       -     -     1      1      -       -
draft_files        update   -       -     -     1      1      -       -
draft_files        delete   -       -     -     1      1      -       -
drafts             select   -       -     -     1      1      all     -
drafts             insert   -       -     -     1      1      -       -
drafts             update   -       -     -     1      1      -       -
drafts             delete   -       -     -     1      1      -       -
figure_marks       select   -       -     -     all    all    all     all
figure_marks       insert   -       -     -     -      -      -       -
figure_marks       update   -       -     -     -      -      -       -
figure_marks       delete   -       -     -     -      -      -       -
figure_progress    select   -       -     -     all    all    all     all
figure_progress    insert   -       -     -     -      -      -       -
figure_progress    update   -       -     -     -      -      -       -
figure_progress    delete   -       -     -     -      -      -       -
idempotency_keys   select   -       1     1     1      1      all     -
idempotency_keys   insert   -       1     1     1      1      -       -
idempotency_keys   update   -       1     1     1      1      -       -
idempotency_keys   delete   -       -     -     -      -      all     -
imported_rows      select   -       -     -     -      all    all     all
imported_rows      insert   -       -     -     -      1      1       -
imported_rows      update   -       -     -     -      -      -       -
imported_rows      delete   -       -     -     -      -      -       -
inbound_arrivals   select   -       -     -     all    all    all     all
inbound_arrivals   insert   -       -     -     -      -      1       -
inbound_arrivals   update   -       -     -     -      -      -       -
inbound_arrivals   delete   -       -     -     -      -      -       -
inbound_messages   select   -       -     -     all    all    all     all
inbound_messages   insert   -       -     -     -      -      1       -
inbound_messages   update   -       -     -     all    all    all     -
inbound_messages   delete   -       -     -     -      -      -       -
letter_templates   select   -       -     -     -      all    all     all
letter_templates   insert   -       -     -     -      1      -       -
letter_templates   update   -       -     -     -      all    -       -
letter_templates   delete   -       -     -     -      all    -       -
login_sessions     select   -       1     1     1      all    all     -
login_sessions     insert   -       -     -     -      -      1       -
login_sessions     update   -       -     -     -      -      all     -
login_sessions     delete   -       1     1     1      all    all     -
mailbox_folders    select   -       -     -     all    all    all     all
mailbox_folders    insert   -       -     -     -      -      1       -
mailbox_folders    update   -       -     -     -      -      all     -
mailbox_folders    delete   -       -     -     -      -      all     -
mailbox_tags       select   -       -     -     all    all    all     all
mailbox_tags       insert   -       -     -     -      1      1       -
mailbox_tags       update   -       -     -     -      -      -       -
mailbox_tags       delete   -       -     -     -      all    all     -
mailboxes          select   -       -     -     all    all    all     all
mailboxes          insert   -       -     -     -      1      1       -
mailboxes          update   -       -     -     -      all    all     -
mailboxes          delete   -       -     -     -      -      -       -
mentions           select   -       -     -     all    all    all     all
mentions           insert   -       -     -     1      1      1       -
mentions           update   -       -     -     -      -      -       -
mentions           delete   -       -     -     -      -      -       -
notice_choices     select   -       -     -     1      1      all     all
notice_choices     insert   -       -     -     1      1      -       -
notice_choices     update   -       -     -     1      1      -       -
notice_choices     delete   -       -     -     -      -      -       -
operations         select   -       -     -     all    all    all     all
operations         insert   -       -     -     -      -      -       -
operations         update   -       -     -     -      -      -       -
operations         delete   -       -     -     -      -      -       -
organizations      select   -       1     1     all    all    all     all
organizations      insert   -       -     -     1      1      1       -
organizations      update   -       -     -     all    all    all     -
organizations      delete   -       -     -     -      -      -       -
outbound_messages  select   -       3     2     all    all    all     all
outbound_messages  insert   -       1     1     1      1      1       -
outbound_messages  update   -       -     -     -      -      all     -
outbound_messages  delete   -       -     -     -      -      -       -
people             select   -       3     2     all    all    all     all
people             insert   -       -     -     -      -      -       -
people             update   -       -     -     -      -      -       -
people             delete   -       -     -     -      -      -       -
saved_views        select   -       -     -     3      all    all     all
saved_views        insert   -       -     -     1      1      1       -
saved_views        update   -       -     -     1      all    all     -
saved_views        delete   -       -     -     1      all    all     -
search_documents   select   -       3     2     all    all    all     all
search_documents   insert   -       -     -     -      -      -       -
search_documents   update   -       -     -     -      -      -       -
search_documents   delete   -       -     -     -      -      -       -
search_words       select   -       -     -     all    all    all     all
search_words       insert   -       -     -     -      -      -       -
search_words       update   -       -     -     -      -      -       -
search_words       delete   -       -     -     -      -      -       -
sign_in_links      select   -       -     -     -      -      all     -
sign_in_links      insert   -       -     -     -      -      1       -
sign_in_links      update   -       -     -     -      -      all     -
sign_in_links      delete   -       -     -     -      -      all     -
tags               select   -       -     -     all    all    all     all
tags               insert   -       -     -     1      1      1       -
tags               update   -       -     -     -      all    all     -
tags               delete   -       -     -     -      fk     fk      -
team_members       select   -       -     -     all    all    all     all
team_members       insert   -       -     -     -      1      1       -
team_members       update   -       -     -     -      -      -       -
team_members       delete   -       -     -     -      all    all     -
teams              select   -       -     -     all    all    all     all
teams              insert   -       -     -     -      1      1       -
teams              update   -       -     -     -      all    all     -
teams              delete   -       -     -     -      -      -       -
ticket_copies      select   -       3     2     all    all    all     all
ticket_copies      insert   -       -     -     1      1      1       -
ticket_copies      update   -       -     -     -      -      -       -
ticket_copies      delete   -       -     -     all    all    all     -
ticket_figures     select   -       -     -     all    all    all     all
ticket_figures     insert   -       -     -     -      -      -       -
ticket_figures     update   -       -     -     -      -      -       -
ticket_figures     delete   -       -     -     -      -      -       -
ticket_links       select   -       -     -     all    all    all     all
ticket_links       insert   -       -     -     1      1      1       -
ticket_links       update   -       -     -     -      -      -       -
ticket_links       delete   -       -     -     all    all    all     -
ticket_mailboxes   select   -       -     -     all    all    all     all
ticket_mailboxes   insert   -       -     -     -      -      1       -
ticket_mailboxes   update   -       -     -     -      -      all     -
ticket_mailboxes   delete   -       -     -     -      -      -       -
ticket_presence    select   -       -     -     all    all    all     -
ticket_presence    insert   -       -     -     1      1      -       -
ticket_presence    update   -       -     -     1      1      -       -
ticket_presence    delete   -       -     -     1      1      -       -
ticket_reads       select   -       -     -     1      1      all     -
ticket_reads       insert   -       -     -     1      1      -       -
ticket_reads       update   -       -     -     1      1      -       -
ticket_reads       delete   -       -     -     1      1      -       -
ticket_tags        select   -       -     -     all    all    all     all
ticket_tags        insert   -       -     -     1      1      1       -
ticket_tags        update   -       -     -     -      -      -       -
ticket_tags        delete   -       -     -     all    all    all     -
tickets            select   -       3     2     all    all    all     all
tickets            insert   -       1     1     1      1      1       -
tickets            update   -       3     2     all    all    all     -
tickets            delete   -       -     -     -      -      -       -
users              select   -       1     1     all    all    all     all
users              insert   -       -     -     1      1      1       -
users              update   -       1     1     5      all    all     -
users              delete   -       -     -     -      -      -       -
"""

INSERTS = {
    "api_tokens": "(user_id, name, token_hash, hint) values (%(me)s, 'new', sha256('new'), 'dbt_')",
    "attachments": "(ticket_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)"
    " values (%(ticket)s, 'new', 'text/plain', 1, repeat('c', 64), 'new', %(me)s)",
    "comments": "(ticket_id, author_id, content) values (%(ticket)s, %(me)s, 'new')",
    "draft_files": "(draft_id, file_name, media_type, size, sha256, storage_key)"
    " select max(id), 'new', 'new', 1, repeat('c', 64), 'new' from drafts",
    "drafts": "(user_id, ticket_id, send_at) values (%(me)s, %(ticket)s, now())",
    "figure_marks": "(day) values ('2026-01-01')",
    "figure_progress": "(id) values (1)",
    "idempotency_keys": "(user_id, key, fingerprint) values (%(me)s, 'new', sha256('new'))",
    "imported_rows": "(content_key, ticket_id) values (sha256('new'), %(ticket)s)",
    "inbound_arrivals": "(inbound_id, source) select max(id), 'new' from inbound_messages",
    "inbound_messages": "(raw, sha256, size, source) values ('new', repeat('c', 64), 3, 'new')",
    "login_sessions": "(user_id, token_hash) values (%(me)s, sha256('new'))",
    "letter_templates": "(kind, locale, subject, body) values ('reset', 'en', 'x', 'x')",
    "mailbox_folders": "(mailbox_id, name) select max(id), 'new' from mailboxes",
    "mailbox_tags": "(mailbox_id, tag_id) select max(m.id), min(t.id) from mailboxes m, tags t",
    "mailboxes": "(name, address) values ('new', 'new@example.test')",
    "notice_choices": "(user_id, kind, by_mail) values (%(me)s, 'mentioned', true)",
    "ticket_copies": "(ticket_id, email, name) values (%(ticket)s, 'new@example.test', '')",
    "ticket_links": "(ticket_id, other_id) select max(id), min(id) + 1 from tickets",
    "ticket_mailboxes": "(ticket_id, mailbox_id) select max(t.id), max(m.id) from tickets t, mailboxes m",
    "mentions": "(comment_id, ticket_id, user_id)"
    " select id, ticket_id, %(admin)s from comments where is_internal limit 1",
    "organizations": "(name) values ('new')",
    "outbound_messages": "(kind, user_id, ticket_id) values ('received', %(me)s, %(ticket)s)",
    "people": "(full_name) values ('new')",
    "saved_views": "(name, owner_id) values ('new', %(me)s)",
    "sign_in_links": "(purpose, email, token_hash, expires_at) values ('reset', 'new@x', sha256('new'), now())",
    "tags": "(name) values ('new')",
    "team_members": "(team_id, user_id) select 1, %(admin)s",
    "teams": "(name) values ('new')",
    "ticket_figures": "(dimension, day, value) values ('status', '2026-01-01', 'new')",
    "ticket_presence": "(ticket_id, user_id, doing) values (%(ticket)s, %(me)s, 'typing')",
    "ticket_reads": "(user_id, ticket_id, version, seen_at) values (%(me)s, %(ticket)s, 1, now())",
    "ticket_tags": "(ticket_id, tag_id) values (%(ticket)s, 2)",
    "tickets": "(title, creator_id) values ('new', %(me)s)",
    "users": "(email) values ('new@example.test')",
}
UPDATES = {
    "api_tokens": "name = name",
    "inbound_messages": "reason = reason",
    "notice_choices": "by_mail = by_mail",
    "outbound_messages": "reason = reason",
    "mailboxes": "name = name",
    "people": "full_name = full_name",
    "saved_views": "name = name",
    "ticket_mailboxes": "mailbox_id = mailbox_id",
    "tickets": "status = status",
    "users": "full_name = full_name",
}
RELATIONS = """
select n.nspname, c.relname, c.relispartition,
       (select quote_ident(a.attname) from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attidentity = '' and a.attgenerated = ''
         order by a.attnum limit 1)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname in ('public', 'jobs') and c.relkind in ('r', 'p', 'v', 'm', 'f')
 order by 1, 2
"""


def relations(world: World) -> dict[str, tuple[bool, str]]:
    """Map each relation that is there to whether it is a partition, and to a column of it."""
    found = world.rows("superuser", RELATIONS)
    return {name if schema == "public" else f"{schema}.{name}": (part, column) for schema, name, part, column in found}


def statement(command: str, relation: str, column: str) -> str:
    change = UPDATES.get(relation, f"{column} = {column}")
    return {
        "select": f"select count(*) from {relation}",
        "insert": f"insert into {relation} {INSERTS.get(relation, 'default values')}",
        "update": f"update {relation} set {change}",
        "delete": f"delete from {relation}",
    }[command]


def outcome(world: World, who: str, command: str, relation: str, column: str) -> str:
    values = {"me": world.ids.get(who, world.ids["agent"]), "admin": world.ids["admin"], "ticket": mine(world, who)}
    try:
        cursor = world.run(who, statement(command, relation, column), values)
    except psycopg.errors.InsufficientPrivilege:
        return "-"
    except psycopg.errors.ForeignKeyViolation:
        return "fk"
    count = cursor.fetchall()[0][0] if command == "select" else cursor.rowcount
    total = world.rows("superuser", statement("select", relation, column))[0][0]
    return "all" if command != "insert" and count == total else str(count)


def mine(world: World, who: str) -> int:
    return world.ids[f"ticket {who}" if who in {"anna", "bert"} else "ticket bill"]


def table(world: World, found: dict[str, tuple[bool, str]]) -> str:
    """Render what happens in the form of the expectation."""
    lines = [f"{'relation':18} {'command':8} {'nobody':7} anna  bert  {'agent':6} admin  {'system':7} readonly"]
    for relation, (_, column) in sorted(found.items()):
        for command in ("select", "insert", "update", "delete"):
            cells = [outcome(world, who, command, relation, column) for who in WHO]
            widths = (7, 5, 5, 6, 6, 7, 0)
            line = " ".join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))
            lines.append(f"{relation:18} {command:8} {line}")
    return "\n".join(lines)


def test_every_role_may_do_to_every_relation_exactly_what_is_written_here(world: World) -> None:
    found = relations(world).items()
    whole = {name: relation for name, relation in found if not relation[0] and not name.startswith("jobs.")}
    assert table(world, whole).splitlines() == EXPECTED.strip().splitlines()


def test_no_table_of_the_models_is_missing_from_the_matrix() -> None:
    assert set(domain_tables()) <= {line.split()[0] for line in EXPECTED.strip().splitlines()}


def test_partitions_are_reached_through_their_table_alone(world: World) -> None:
    """Row policies of the table do not hold for who names the partition."""
    parts = {name: column for name, (is_part, column) in relations(world).items() if is_part}
    assert parts
    for name, column in parts.items():
        for who in WHO:
            for command in ("select", "insert", "update", "delete"):
                assert outcome(world, who, command, name, column) == "-", (who, command, name)


def test_the_job_queue_is_for_the_system_alone(world: World) -> None:
    """Its tables are the library's and have no row security; the others add jobs by calling `deskbell_add_job`."""
    queue = {name: column for name, (_, column) in relations(world).items() if name.startswith("jobs.")}
    for name, column in queue.items():
        for who in set(WHO) - {"system"}:
            for command in ("select", "insert", "update", "delete"):
                assert outcome(world, who, command, name, column) == "-", (who, command, name)
        assert outcome(world, "system", "select", name, column) == "all"
