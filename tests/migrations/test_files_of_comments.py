"""Migration 0009 on a desk whose attachments pair a ticket with another ticket's comment."""

import psycopg
import pytest

from deskbell.kernel.address import Address
from deskbell.migrations.runner import Migrator

DESK = """
insert into users (email, full_name, role) values ('sam@example.org', 'Sam', 'agent');
insert into tickets (title, creator_id) select t, id from users, unnest('{one,two}'::text[]) t;
insert into comments (content, ticket_id, author_id, is_internal)
  select 'secret', t.id, creator_id, true from tickets t where title = 'two';
insert into attachments (ticket_id, comment_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)
  select t.id, c.id, 'a.txt', 'text/plain', 1, repeat('0', 64), 'x', t.creator_id from tickets t, comments c;
insert into attachments (ticket_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)
  select t.id, 'b.txt', 'text/plain', 1, repeat('0', 64), 'x', t.creator_id from tickets t where title = 'one';
"""


def pairs(address: Address) -> list[tuple[object, ...]]:
    query = (
        "select file_name::text, title::text, comment_id from attachments a join tickets t on t.id = ticket_id"
        " order by a.id"
    )
    with psycopg.connect(address.dsn) as connection:
        return connection.execute(query).fetchall()


def fill(address: Address) -> None:
    with psycopg.connect(address.dsn) as connection:
        connection.execute("select set_config('deskbell.act', 'test', true)")
        connection.execute(DESK)


def test_a_file_of_another_tickets_note_goes_to_where_the_note_is(empty: Address) -> None:
    """Left where it was, it would have shown the file of a note to whoever sees the other ticket."""
    migrator = Migrator(empty)
    migrator.upgrade("0007")
    fill(empty)
    assert [pair[1] for pair in pairs(empty)] == ["one", "two", "one"]
    migrator.upgrade("0009")
    assert [pair[1] for pair in pairs(empty)] == ["two", "two", "one"]
    with psycopg.connect(empty.dsn) as connection, pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute("update attachments set ticket_id = (select id from tickets where title = 'one')")
    migrator.downgrade("0007")
    migrator.upgrade("0009")


def test_an_upgrade_that_was_interrupted_is_begun_again(empty: Address) -> None:
    migrator = Migrator(empty)
    migrator.upgrade("0007")
    fill(empty)
    with psycopg.connect(empty.dsn) as connection:
        connection.execute("create unique index uq_comments_id_ticket_id on comments (id, ticket_id)")
        connection.execute(
            "alter table attachments add constraint fk_attachments_comment_id_pair foreign key (comment_id, ticket_id)"
            " references comments (id, ticket_id) not valid"
        )
    migrator.upgrade("0009")
    assert [pair[1] for pair in pairs(empty)] == ["two", "two", "one"]
