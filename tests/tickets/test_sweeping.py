"""Files that no attachment has go, and no other ones; attachments whose file is not what it was are found."""

import os
import threading
from datetime import timedelta

import pytest
from sqlalchemy import Column
from sqlalchemy.exc import IntegrityError

from deskbell.accounts.models import Role
from deskbell.composing.actions import add_file
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.orm import Base
from deskbell.kernel.resources import resources_of
from deskbell.kernel.storage import SHELVES, Piece, Storage
from deskbell.testing.factories import Factory, actor
from deskbell.tickets.files import StoredFile, add_attachment
from deskbell.tickets.models import Attachment, Ticket
from deskbell.tickets.sweeping import GRACE, fault_of, stored, sweep_attachments

SYSTEM = Actor.system()


@pytest.fixture
def storage(fresh_database: Database) -> LocalStorage:
    with fresh_database.transaction(SYSTEM) as session:
        found = resources_of(session).storage
    assert isinstance(found, LocalStorage)
    return found


@pytest.fixture
def factory(fresh_database: Database) -> Factory:
    return Factory(fresh_database)


def pieces(storage: Storage) -> list[Piece]:
    return [piece for number in range(SHELVES) for piece in storage.shelf(number)]


def grow_old(storage: LocalStorage, by: timedelta = 2 * GRACE) -> None:
    for piece in pieces(storage):
        moment = (piece.modified - by).timestamp()
        os.utime(storage._root / piece.path, (moment, moment))


def sweep(database: Database) -> int:
    with database.transaction(SYSTEM) as session:
        return sweep_attachments(session)


def test_what_no_attachment_has_goes_when_it_is_old(
    fresh_database: Database, factory: Factory, storage: LocalStorage
) -> None:
    kept = factory.attachment(factory.ticket(), b"kept")
    storage.put([b"refused"], max_bytes=9)
    assert sweep(fresh_database) == 0  # its row may only be late
    grow_old(storage)
    young = storage.put([b"young"], max_bytes=9).key
    assert sweep(fresh_database) == 1
    assert {piece.key for piece in pieces(storage)} == {kept.storage_key, young}


def test_what_a_draft_is_going_to_attach_stays(
    fresh_database: Database, factory: Factory, storage: LocalStorage
) -> None:
    agent, ticket = factory.user(Role.AGENT), factory.ticket()
    kept = storage.put([b"begun"], max_bytes=9)
    with fresh_database.transaction(actor(agent)) as session:
        add_file(session, ticket.ticket_number, StoredFile(kept, "a.txt", "text/plain"))
    grow_old(storage)
    assert sweep(fresh_database) == 0
    assert [piece.key for piece in pieces(storage)] == [kept.key]


def test_encrypted_files_are_swept_and_kept_alike(
    fresh_database: Database, factory: Factory, storage: LocalStorage
) -> None:
    kept = [factory.attachment(factory.ticket(), b"kept") for _ in range(2)]
    storage.put([b"refused"], max_bytes=9)
    for piece in pieces(storage):
        assert storage.settle(piece, sealed=True)
    grow_old(storage)
    assert sweep(fresh_database) == 1
    assert [(piece.key, piece.sealed) for piece in pieces(storage)] == [(kept[0].storage_key, True)]


def test_what_an_open_transaction_has_just_stored_again_is_not_swept(
    fresh_database: Database, factory: Factory, storage: LocalStorage
) -> None:
    """The file lay there for days, of a refused upload; its row is not committed when the sweep looks for it."""
    ticket, bytes_ = factory.ticket(), b"the same bytes"
    storage.put([bytes_], max_bytes=99)
    grow_old(storage)
    with fresh_database.transaction(SYSTEM) as session:
        blob = storage.put([bytes_], max_bytes=99)
        file = StoredFile(blob, "a.txt", "text/plain")
        add_attachment(
            session, session.get_one(Ticket, ticket.id), file, comment=None, uploaded_by_id=ticket.creator_id
        )
        thread = threading.Thread(target=sweep, args=(fresh_database,))
        thread.start()
        thread.join()
    with storage.open(blob.key) as content:
        assert content.read() == bytes_


def test_what_cannot_say_what_it_holds_is_left_alone(
    fresh_database: Database, factory: Factory, storage: LocalStorage
) -> None:
    factory.attachment(factory.ticket(), b"kept")
    [piece] = pieces(storage)
    storage.settle(piece, sealed=True)
    [piece] = pieces(storage)
    path = storage._root / piece.path
    path.write_bytes(b"damaged" + path.read_bytes()[7:])
    grow_old(storage)
    assert sweep(fresh_database) == 0
    assert path.exists()


def test_no_other_table_names_files_of_the_storage() -> None:
    """The sweep asks these tables: another one's files would be removed."""
    columns = (column for table in Base.metadata.sorted_tables for column in table.columns)
    found = {str(column) for column in columns if _names_a_file(column)}
    assert found == {"attachments.storage_key", "draft_files.storage_key"}


def _names_a_file(column: Column[object]) -> bool:
    return any(word in column.name for word in ("storage", "blob", "file_key"))


def test_a_sweep_looks_at_all_shelves(fresh_database: Database, storage: LocalStorage) -> None:
    for number in range(600):
        storage.put([b"%d" % number], max_bytes=9)
    grow_old(storage)
    assert sweep(fresh_database) == 600


def test_the_check_finds_what_is_missing_altered_or_another(
    fresh_database: Database, factory: Factory, storage: LocalStorage
) -> None:
    for content in (b"right", b"missing", b"altered"):
        factory.attachment(factory.ticket(), content)
    factory.attachment(factory.ticket(), b"right")
    with fresh_database.transaction(SYSTEM) as session:
        rows = {row.sha256: row for row in stored(session)}
        starts = ["", *sorted(row.key for row in rows.values())]
        by_page = [row.key for key in starts for row in stored(session, key, at_most=1)]
    assert len(rows) == len(by_page) == 3
    right, missing, altered = (storage.put([content], max_bytes=9) for content in (b"right", b"missing", b"altered"))
    storage.delete(missing.key)
    (storage._root / altered.key).write_bytes(b"Altered")
    assert fault_of(storage, rows[right.sha256], read=True) is None
    assert [fault_of(storage, rows[missing.sha256], read=read) for read in (True, False)] == ["missing", "missing"]
    assert fault_of(storage, rows[altered.sha256], read=True) == "the content is not what was stored"
    assert fault_of(storage, rows[altered.sha256], read=False) is None


def test_a_file_cannot_hang_on_the_comment_of_another_ticket(fresh_database: Database, factory: Factory) -> None:
    """It would be shown with the one ticket to whoever may see it, though it belongs to a note of the other."""
    ticket, other = factory.ticket(), factory.ticket()
    comment = factory.comment(other, factory.user(), is_internal=False)
    attachment = factory.attachment(ticket)
    names = ("file_name", "media_type", "size", "sha256", "storage_key", "uploaded_by_id")
    row = Attachment(ticket_id=ticket.id, comment_id=comment.id, **{name: getattr(attachment, name) for name in names})
    with fresh_database.transaction(SYSTEM) as session:
        session.add(row)
        with pytest.raises(IntegrityError, match="fk_attachments_comment_id"):
            session.flush()
        session.rollback()
