"""Another key for what is encrypted in the database, and the jobs that go through it and through the storage."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import BigInteger, Column, Table, Text, cast, func, select, text
from sqlalchemy.orm import Session

from deskbell.kernel import rotation
from deskbell.kernel.actor import Actor
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.keyring import KeyRing
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.orm import Base
from deskbell.kernel.resources import RESOURCES_KEY, resources_of
from deskbell.kernel.rotation import Aim, Batch, renew_secrets, rotate_secrets, settle_storage
from deskbell.kernel.storage import SHELVES
from deskbell.kernel.vault import EncryptedText, Sealed, Vault

MASTER = b"m" * 32
OLD, NEW = "o" * 32, "n" * 32
PLACE = "strongboxes.password"
MANY = 1100
SYSTEM = Actor.system()


@pytest.fixture
def column(fresh_address: Address) -> Iterator[Column[Sealed]]:
    """A table of secrets, as slices will have them."""
    with psycopg.connect(fresh_address.dsn) as connection:
        connection.execute("create table strongboxes (id bigint primary key, password text)")
        connection.execute("grant select, insert, update on strongboxes to deskbell_system")
    table = Table(
        "strongboxes",
        Base.metadata,
        Column("id", BigInteger, primary_key=True),
        Column("password", EncryptedText(PLACE), info={"audit": "secret"}),
        info={"audit": "of a test alone"},
    )
    yield table.c.password
    Base.metadata.remove(table)


def give(session: Session, texts: str, root: Path | None = None) -> Vault:
    ring = KeyRing.configured(MASTER, texts)
    changes = {"storage": LocalStorage(root, ring, seal=True)} if root else {}
    session.info[RESOURCES_KEY] = dataclasses.replace(resources_of(session), vault=Vault(ring), **changes)  # type: ignore[arg-type]
    return Vault(ring)


def fill(database: Database, column: Column[Sealed], many: int) -> None:
    with database.transaction(SYSTEM) as session:
        vault = give(session, OLD)
        rows = [{"id": row, "password": vault.seal(f"secret {row}", PLACE, row)} for row in range(1, many)]
        session.execute(column.table.insert(), [*rows, {"id": many, "password": None}])


def test_all_secrets_go_over_to_the_new_key_batch_by_batch(fresh_database: Database, column: Column[Sealed]) -> None:
    fill(fresh_database, column, MANY)
    batches, after, more = list[int](), 0, True
    while more:
        with fresh_database.transaction(SYSTEM) as session:
            give(session, f"{NEW},{OLD}")
            batch, after = renew_secrets(session, column, after)
        batches.append(batch.changed)
        more = batch.more
    assert batches == [500, 500, 99]
    with fresh_database.transaction(SYSTEM) as session:
        vault = give(session, NEW)
        for row, sealed in session.execute(select(column.table.c.id, column).where(column.is_not(None))):
            assert vault.open(sealed, PLACE, row) == f"secret {row}"
        assert renew_secrets(session, column) == (Batch(0, (), more=True), 500)


def test_what_cannot_be_opened_stays_and_is_named(fresh_database: Database, column: Column[Sealed]) -> None:
    fill(fresh_database, column, 4)
    with fresh_database.transaction(SYSTEM) as session:
        copied = "update strongboxes a set password = b.password from strongboxes b where a.id = 2 and b.id = 1"
        session.execute(text(copied))
        give(session, f"{NEW},{OLD}")
        batch, _ = renew_secrets(session, column)
    assert batch == Batch(2, (f"{PLACE} of row 2",))


def test_the_job_adds_one_for_those_that_follow(
    fresh_database: Database, fresh_address: Address, column: Column[Sealed]
) -> None:
    fill(fresh_database, column, MANY)
    with fresh_database.transaction(SYSTEM) as session:
        give(session, f"{NEW},{OLD}")
        rotate_secrets(session)
    with psycopg.connect(fresh_address.dsn) as connection:
        query = "select args from jobs.procrastinate_jobs where task_name = %s"
        assert connection.execute(query, (rotation.ROTATE_SECRETS,)).fetchall() == [({"place": PLACE, "after": 500},)]
    with fresh_database.transaction(SYSTEM) as session:
        give(session, f"{NEW},{OLD}")
        rotate_secrets(session, place=PLACE, after=500)
        rotate_secrets(session, place=PLACE, after=1000)
        vault = give(session, NEW)
        count = session.scalar(select(func.count()).where(cast(column, Text).like(f"v1.{vault.ring.newest.name}.%")))
    assert count == MANY - 1


def test_files_are_settled_shelf_by_shelf_by_jobs(
    fresh_database: Database, fresh_address: Address, tmp_path: Path
) -> None:
    plain = LocalStorage(tmp_path / "files")
    keys = [plain.put([b"%d" % number], max_bytes=9).key for number in range(60)]
    arguments: dict[str, object] = {"aim": Aim.SEALED.value}
    runs = 0
    while arguments:
        with fresh_database.transaction(SYSTEM) as session:
            give(session, NEW, tmp_path / "files")
            settle_storage(session, **arguments)  # type: ignore[arg-type]
        with psycopg.connect(fresh_address.dsn) as connection:
            row = connection.execute(
                "delete from jobs.procrastinate_jobs where task_name = %s returning args", (rotation.SETTLE_STORAGE,)
            ).fetchone()
        arguments = dict(row[0]) if row else {}
        runs += 1
    assert SHELVES // 16 <= runs <= SHELVES // 16 + 2
    assert not any((tmp_path / "files" / key).exists() for key in keys)
