"""A real IMAP server for all tests of a process, and desks whose mailboxes lie there."""

from collections.abc import Iterator

import pytest

from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from tests.mail.imap_server import ImapServer, imap_server
from tests.mail.sources.fetched import FetchedDesk


@pytest.fixture(scope="session")
def imap_machine() -> Iterator[ImapServer]:
    """The server."""
    with imap_server() as running:
        yield running


@pytest.fixture
def mail_desk(fresh_address: Address, fresh_database: Database, imap_machine: ImapServer) -> FetchedDesk:
    """A desk for one test."""
    return FetchedDesk(fresh_address, fresh_database, imap_machine)
