"""Fetching what is new in a folder: each batch is committed to the ledger before the server hears of it.

Wherever it is cut off, nothing is lost and nothing doubles: how far it is, is part of the batch's transaction.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy.orm import Session

from deskbell.kernel.text import human_bytes
from deskbell.mail.sources import folders
from deskbell.mail.sources.errors import LostError, MailServerError, RefusedError
from deskbell.mail.sources.imap import Connection, Opened
from deskbell.mail.sources.servers import Account

Transaction = Callable[[], AbstractContextManager[Session]]

MESSAGES_AT_ONCE: Final = 100
BYTES_AT_ONCE: Final = 4 * 1024 * 1024
"""A batch is at most so large, or one message."""
LARGEST: Final = 500_000_000
"""Bytes: PostgreSQL would take twice as much, but pg_dump writes two characters for each, a gigabyte at most."""
_SIZES_AT_ONCE: Final = 200
_TRIES: Final = 4
"""So often a message is asked for that the server does not give, by itself, before the others go on without it."""
_PASSING: Final = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[OVERQUOTA]", "[CONTACTADMIN]")
"""Refusals that are about the server, not about this message (RFC 9051, 7.1)."""
_BACKLOG: Final = 200
"""From so many waiting messages on they are filed after what comes to other mailboxes."""

_TOO_LARGE: Final = "It is larger than the ledger takes: {}."
_EMPTY: Final = "The server says that it is there, and gives no content."

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.mail")


@dataclass
class Fetcher:
    """Fetches one folder, over one connection after the other. `is_stopped` is asked between batches.

    A message that the server does not give, or that ends the connection whenever it is asked for, holds up the others
    a few times; then they go on without it, and it is missing.
    """

    account: Account
    folder_id: int
    name: str
    transaction: Transaction
    is_stopped: Callable[[], bool] = lambda: False
    _numbers: int = 0
    _singly_to: int = 0
    _failures: Counter[int] = field(default_factory=Counter)

    def fetch_new(self, connection: Connection) -> int:
        """Write down what is new in the folder; return how many messages the ledger did not have.

        Raises MailServerError with what the server says, RenumberedError, and what the database raises.
        """
        opened, new = connection.open_folder(self.name), 0
        with self.transaction() as session:
            last = folders.begin(session, self.folder_id, opened)
        if self._numbers != opened.uid_validity:
            self._numbers, self._singly_to = opened.uid_validity, 0
            self._failures.clear()
        if opened.uid_next != last + 1:
            for uids in connection.uids(opened, last):
                for some in self._parted(uids):
                    if self.is_stopped():
                        return new
                    new += self._fetch(connection, opened, some, -1 if len(uids) >= _BACKLOG else 0)
        with self.transaction() as session:
            folders.note_success(session, self.folder_id)
        return new

    def _parted(self, uids: Sequence[int]) -> Iterator[Sequence[int]]:
        """Part them as they are asked for: by and by where something went wrong the last time."""
        singly = bisect_right(uids, self._singly_to)
        yield from ([uid] for uid in uids[:singly])
        yield from (uids[first : first + _SIZES_AT_ONCE] for first in range(singly, len(uids), _SIZES_AT_ONCE))

    def _fetch(self, connection: Connection, opened: Opened, uids: Sequence[int], priority: int) -> int:
        """Fetch and write down some messages; return how many were new."""
        new = 0
        try:
            for batch in batches(connection, uids):
                messages, lacking = fetch(connection, batch)
                new += self._write_down(connection, opened, messages, lacking, up_to=max(batch), priority=priority)
                if self.is_stopped():
                    break
        except MailServerError as error:
            self._singly_to = uids[-1]
            if len(uids) == 1:
                self._failures[uids[0]] += 1
            if len(uids) > 1 or not self._is_hopeless(uids[0], error):
                raise
            self._write_down(connection, opened, {}, {uids[0]: error.message}, up_to=uids[0], priority=priority)
            if isinstance(error, LostError):
                raise
        return new

    def _write_down(
        self,
        connection: Connection,
        opened: Opened,
        messages: Mapping[int, bytes],
        lacking: Mapping[int, str],
        *,
        up_to: int,
        priority: int,
    ) -> int:
        for uid, reason in lacking.items():
            _log.warning("message_not_fetched", folder=self.folder_id, uid=uid, reason=reason)
        with self.transaction() as session:
            where = (self.account, self.folder_id, opened.uid_validity, messages)
            new = folders.write_down(session, *where, up_to=up_to, without=lacking, priority=priority)
        if opened.is_writable and messages:
            with suppress(RefusedError):  # a mark for people; what was fetched is in the ledger
                connection.mark_seen(list(messages))
        return new

    def _is_hopeless(self, uid: int, error: MailServerError) -> bool:
        is_about_server = any(code in error.message for code in _PASSING)
        return self._failures[uid] >= _TRIES and not is_about_server


def batches(connection: Connection, uids: Sequence[int]) -> Iterator[dict[int, int]]:
    """Part UIDs, ascending, into batches by their number and the sizes (bytes) that the server tells: UID to size."""
    batch: dict[int, int] = {}
    for first in range(0, len(uids), _SIZES_AT_ONCE):
        some = uids[first : first + _SIZES_AT_ONCE]
        sizes = connection.sizes(some)
        for uid in some:
            size = sizes.get(uid, 0)
            if batch and (len(batch) >= MESSAGES_AT_ONCE or sum(batch.values()) + size > BYTES_AT_ONCE):
                yield batch
                batch = {}
            batch[uid] = size
    if batch:
        yield batch


def fetch(connection: Connection, batch: Mapping[int, int]) -> tuple[dict[int, bytes], dict[int, str]]:
    """Return the messages of a batch, and of those that are there and cannot be had why not.

    What was removed from the server meanwhile is in neither. Raises RefusedError, LostError.
    """
    lacking = {uid: _TOO_LARGE.format(human_bytes(size)) for uid, size in batch.items() if size > LARGEST}
    wanted = [uid for uid in batch if uid not in lacking]
    messages = connection.fetch(wanted) if wanted else {}
    left = [uid for uid in wanted if uid not in messages]
    return messages, lacking | dict.fromkeys(connection.sizes(left) if left else {}, _EMPTY)
