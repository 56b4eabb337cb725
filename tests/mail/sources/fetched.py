"""A desk whose mailboxes lie on a real IMAP server: what tests of fetching begin with, and how they count."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import count
from time import monotonic
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.mail.mailboxes.actions import Wanted, create_mailbox
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.sources.fetching import Fetcher
from deskbell.mail.sources.imap import Patience, connect
from deskbell.mail.sources.servers import Account, accounts, imap_server
from deskbell.worker.watching import FetchPace
from tests.mail.imap_server import PASSWORD, ImapServer

SYSTEM: Final = Actor.system(Channel.MAIL, act="test fetching")
BRISK: Final = FetchPace(
    poll=0.2, look=0.2, first_wait=0.05, longest_wait=0.2, refused_wait=0.05, grace=10, patience=Patience(10, 10)
)
_USERS = count(1)


@dataclass(frozen=True)
class FetchedDesk:
    """`admin` is the superuser's way in."""

    admin: Address
    database: Database
    server: ImapServer

    def mailbox(self, *folders: str, password: str = PASSWORD, **facts: Any) -> Mailbox:
        """Add a mailbox that nobody has had before, on the server unless told otherwise."""
        given = {
            "address": f"help{next(_USERS)}@example.test",
            "imap_host": "127.0.0.1",
            "imap_port": self.server.port,
            "imap_security": "none",
            "imap_folders": list(folders or ("INBOX",)),
            **facts,
        }
        with self.database.transaction(SYSTEM) as session:
            made = create_mailbox(session, Wanted(given, {"imap_password": password}))
        for folder in folders or ("INBOX",):
            self.server.maildir(made.address, folder)
        return made

    def account(self, mailbox: Mailbox) -> Account:
        with self.database.transaction(SYSTEM) as session:
            return next(each for each in accounts(session) if each.mailbox_id == mailbox.id)

    def fetcher(self, mailbox: Mailbox, number: int = 0) -> Fetcher:
        account = self.account(mailbox)
        return Fetcher(account, *account.folders[number], partial(self.database.transaction, SYSTEM))

    def fetch(self, mailbox: Mailbox, number: int = 0, *, fetcher: Fetcher | None = None) -> int:
        """Fetch a folder once; return how many messages were new."""
        fetcher = fetcher or self.fetcher(mailbox, number)
        with closing(connect(imap_server(fetcher.account), patience=BRISK.patience)) as connection:
            return fetcher.fetch_new(connection)

    def query(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        """Look, as the superuser."""
        with psycopg.connect(self.admin.dsn, row_factory=dict_row) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def ledger(self, mailbox: Mailbox) -> list[bytes]:
        """Every message of the mailbox, as often as it is in the ledger."""
        rows = self.query(
            "select raw from inbound_messages m where exists"
            " (select from inbound_arrivals a where a.inbound_id = m.id and a.mailbox_id = %s) order by id",
            mailbox.id,
        )
        return [bytes(row["raw"]) for row in rows]

    def folder(self, mailbox: Mailbox) -> dict[str, Any]:
        [row] = self.query("select * from mailbox_folders where mailbox_id = %s order by id limit 1", mailbox.id)
        return row

    def jobs(self) -> int:
        """How many messages are to be filed."""
        [row] = self.query("select count(*) from jobs.procrastinate_jobs where task_name = 'mail.file_message'")
        return int(row["count"])

    def change(self, mailbox: Mailbox, **facts: object) -> None:
        """Change a mailbox, past all rules."""
        with self.database.transaction(SYSTEM) as session:
            found = session.get_one(Mailbox, mailbox.id)
            for name, value in facts.items():
                setattr(found, name, value)

    def cut_off(self) -> None:
        """Cut all of the application's connections to the database."""
        self.query(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where usename = 'deskbell_app' and datname = current_database()"
        )

    def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        """Wait until something is so; fail when it does not come."""
        end, pause = monotonic() + seconds, threading.Event()
        while not condition():
            assert monotonic() < end, "it did not come"
            pause.wait(0.02)
