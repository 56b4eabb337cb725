"""Watching one folder of a mailbox, in a thread of its own: fetch, wait for more, connect again when that fails."""

import random
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError
from deskbell.kernel.text import one_line
from deskbell.mail.mailboxes.oauth import TOKENS
from deskbell.mail.sources import folders
from deskbell.mail.sources.errors import Stage
from deskbell.mail.sources.fetching import Fetcher
from deskbell.mail.sources.imap import DEFAULT_PATIENCE, Connection, Patience, connect
from deskbell.mail.sources.servers import Account, imap_server, keep_refresh

ACTOR: Final = Actor.system(Channel.MAIL, act="fetch mail")
_LONGEST_WORDS: Final = 500
_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("deskbell.mail")


@dataclass(frozen=True, slots=True)
class FetchPace:
    """How often what is done about mailboxes, in seconds.

    Every `look` it is looked which mailboxes there are. A folder is asked every `poll`, also where the server tells of
    new mail at once: in between a line that went dead would not be noticed. `first_wait` is how long a server that
    fails is left alone, after each further failure twice as long, up to `longest_wait`; one that let nobody in, for
    `refused_wait` at least, as it may lock the account. `grace` is for who stops.
    """

    poll: float = 60
    look: float = 20
    first_wait: float = 1
    longest_wait: float = 300
    refused_wait: float = 30
    grace: float = 5
    patience: Patience = DEFAULT_PATIENCE


DEFAULT_PACE: Final = FetchPace()


class FolderWatch(threading.Thread):
    """Fetches one folder until it is stopped, whatever its server does."""

    def __init__(self, database: Database, account: Account, folder_id: int, name: str, pace: FetchPace) -> None:
        """Nothing happens before `start`."""
        super().__init__(name=f"deskbell-folder-{folder_id}", daemon=True)  # a server that is silent holds up nobody
        self._transaction = partial(database.transaction, ACTOR)
        self._account, self._folder_id, self._pace = account, folder_id, pace
        self._stopping = threading.Event()
        self._fetcher = Fetcher(account, folder_id, name, self._transaction, self._stopping.is_set)
        self._connection: Connection | None = None
        self._rounds = 0
        self._noted: object = None

    def stop(self) -> None:
        """Ask it to end; a batch that is being written down is finished, or rolled back."""
        self._stopping.set()
        if (connection := self._connection) is not None:
            connection.cut()

    def run(self) -> None:
        """Fetch, and after each failure wait longer."""
        failures = 0
        while not self._stopping.is_set():
            self._rounds = 0
            try:
                self._watch()
            except Exception as error:  # noqa: BLE001 - noted, and tried again
                if self._stopping.is_set():
                    return
                failures = 1 if self._rounds else failures + 1
                self._note(error)
                self._stopping.wait(self._wait_after(error, failures))

    def _watch(self) -> None:
        with closing(self._connect()) as connection:
            self._connection = connection
            try:
                can_idle = connection.can_idle
                while not self._stopping.is_set():
                    self._fetcher.fetch_new(connection)
                    self._rounds += 1
                    self._noted = None
                    self._rest(connection.wait if can_idle else self._stopping.wait)
            finally:
                self._connection = None

    def _connect(self) -> Connection:
        server = imap_server(self._account)
        connection = connect(server, patience=self._pace.patience)
        try:
            if server.grant is not None and (refresh := TOKENS.get(server.grant).refresh) != server.grant.refresh:
                with self._transaction() as session:
                    keep_refresh(session, self._account, refresh)
        except BaseException:
            connection.close()
            raise
        return connection

    def _rest(self, wait: Callable[[float], object]) -> None:
        if not self._stopping.is_set():
            wait(self._pace.poll)

    def _wait_after(self, error: Exception, failures: int) -> float:
        """Return how long to leave the server alone; by chance up to half as long, so that not all come at once."""
        wait = min(self._pace.first_wait * 2.0 ** min(failures - 1, 20), self._pace.longest_wait)
        if getattr(error, "stage", None) in {Stage.LOG_IN, Stage.TOKEN}:
            wait = max(wait, self._pace.refused_wait)
        return wait * (1 - random.random() / 2)  # noqa: S311 - spreads load, guards nothing

    def _note(self, error: Exception) -> None:
        """Write down what is wrong. That a connection which had worked has ended is no news: servers do that."""
        if self._rounds:
            return
        words = one_line(error.message if isinstance(error, DeskbellError) else repr(error), _LONGEST_WORDS)
        kind = (type(error), getattr(error, "stage", None))
        if kind != self._noted:
            _log.warning("folder_not_fetched", mailbox=self._account.mailbox_id, folder=self._folder_id, reason=words)
        self._noted = kind
        with suppress(Exception), self._transaction() as session:  # the database itself may be what is away
            folders.note_problem(session, [self._folder_id], words)
