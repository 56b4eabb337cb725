"""Bringing what is kept to the keys and the state that the settings ask for: in batches, whenever they are run.

Nothing notes how far it came: what is still to be done shows from what is there, so that it can be stopped and begun
again at will.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog
from sqlalchemy import Column, bindparam, select, update
from sqlalchemy.orm import Session

from deskbell.kernel.jobs import add_job
from deskbell.kernel.keyring import MissingKeyError
from deskbell.kernel.orm import Base
from deskbell.kernel.resources import resources_of
from deskbell.kernel.sealing import DamagedError
from deskbell.kernel.storage import SHELVES, Storage
from deskbell.kernel.vault import EncryptedText, Sealed, SecretError

log = structlog.get_logger("deskbell.kernel")
SETTLE_STORAGE: Final = "kernel.settle_storage"
ROTATE_SECRETS: Final = "kernel.rotate_secrets"
_FILES: Final = 50
_SHELVES: Final = 16
_ROWS: Final = 500


class Aim(StrEnum):
    """What is to become of the attachments: all encrypted, none, or those that are under the newest key."""

    SEALED = "sealed"
    PLAIN = "plain"
    ROTATED = "rotated"


@dataclass(frozen=True, slots=True)
class Batch:
    """How many were changed; which could not be, as a key is missing or they are damaged; whether more may follow."""

    changed: int
    failed: tuple[str, ...]
    more: bool = False


def settle_shelf(storage: Storage, number: int, aim: Aim, *, at_most: int = _FILES) -> Batch:
    """Change `at_most` files of one shelf. Raises UnavailableError when the disk is full or does not work."""
    changed, failed = 0, list[str]()
    for piece in storage.shelf(number):
        if changed >= at_most:
            return Batch(changed, tuple(failed), more=True)
        if aim is Aim.ROTATED and not piece.sealed:
            continue
        try:
            changed += storage.settle(piece, sealed=aim is not Aim.PLAIN)
        except (DamagedError, MissingKeyError):
            failed.append(piece.path)
    return Batch(changed, tuple(failed))


def forget_unused_keys(storage: Storage, newest: str) -> set[str]:
    """Note which keys no attachment needs any more; return those that are still needed beside the newest."""
    if storage.keys() <= {newest}:
        return set()
    used = {piece.key_name for number in range(SHELVES) for piece in storage.shelf(number) if piece.sealed}
    for name in storage.keys() - used - {newest}:
        storage.forget_key(name)
    return used - {newest}


def secret_columns() -> list[Column[Sealed]]:
    """Return all columns of secrets, in an order that stays the same."""
    columns = (column for table in Base.metadata.sorted_tables for column in table.columns)
    return sorted((column for column in columns if isinstance(column.type, EncryptedText)), key=str)


def renew_secrets(session: Session, column: Column[Sealed], after: int = 0) -> tuple[Batch, int]:
    """Encrypt the next secrets of a column with the newest key; return that, and the last row that was looked at."""
    vault, table = resources_of(session).vault, column.table
    [row] = table.primary_key.columns
    statement = select(row, column).where(row > after, column.is_not(None)).order_by(row).limit(_ROWS)
    found = session.execute(statement.with_for_update()).all()
    changed, failed = list[dict[str, object]](), list[str]()
    for number, sealed in found:
        try:
            renewed = vault.renewed(sealed, str(column), number)
        except (MissingKeyError, SecretError):
            failed.append(f"{column} of row {number}")
            continue
        if renewed != sealed:
            changed.append({"of": number, "to": renewed})
    if changed:
        changing = update(table).where(row == bindparam("of")).values({column: bindparam("to", type_=column.type)})
        session.connection().execute(changing, changed)
    return Batch(len(changed), tuple(failed), more=len(found) == _ROWS), found[-1][0] if found else after


def settle_storage(session: Session, aim: str, shelf: int = 0) -> None:
    """Encrypt, decrypt or rewrap the next attachments on the disk, and add a job for those that follow."""
    resources, end, changed = resources_of(session), min(shelf + _SHELVES, SHELVES), 0
    while shelf < end and changed < _FILES:
        batch = settle_shelf(resources.storage, shelf, Aim(aim))
        changed += batch.changed
        if batch.failed:
            log.warning("attachments stay as they are: a key is missing, or they are damaged", files=batch.failed)
        shelf += not batch.more
    if shelf < SHELVES:
        add_job(session, SETTLE_STORAGE, aim=aim, shelf=shelf, priority=-10)
    elif aim == Aim.ROTATED:
        forget_unused_keys(resources.storage, resources.vault.ring.newest.name)


def rotate_secrets(session: Session, place: str = "", after: int = 0) -> None:
    """Encrypt the next secrets in the database with the newest key, and add a job for those that follow."""
    for column in _from(place):
        batch, last = renew_secrets(session, column, after if str(column) == place else 0)
        if batch.failed:
            log.warning("secrets stay as they are: a key is missing, or they were altered", places=batch.failed)
        if batch.more:
            add_job(session, ROTATE_SECRETS, place=str(column), after=last, priority=-10)
            return


def _from(place: str) -> Iterator[Column[Sealed]]:
    return (column for column in secret_columns() if str(column) >= place)
