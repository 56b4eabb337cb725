"""How fast a mailbox's backlog is written down, and in how much memory: from a real IMAP server, Debian's Dovecot."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import gettempdir

from bench.figures import Figure, seconds
from bench.server import measured_database
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.clock import SystemClock
from deskbell.kernel.database import Database
from deskbell.kernel.keyring import KeyRing
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.resources import Resources
from deskbell.kernel.settings import DatabaseSettings
from deskbell.kernel.vault import Vault
from deskbell.mail.mailboxes.actions import Wanted, create_mailbox
from deskbell.mail.sources.fetching import Fetcher
from deskbell.mail.sources.imap import connect
from deskbell.mail.sources.servers import accounts, imap_server
from deskbell.wiring import HANDLERS
from tests.mail import imap_server as dovecot

MESSAGES = 10_000
USUAL = 4_000
"""Bytes of a message."""
LARGE = 50_000_000
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
FETCH = Actor.system(Channel.MAIL, act="bench")


def run(template: Address) -> Iterator[Figure]:
    """Yield the speed and the memory of fetching a backlog, and the memory of fetching one large message."""
    with dovecot.imap_server() as server, measured_database(template, "bench_fetching") as (_, application):
        server.deliver("many", *(dovecot.message(number, body="word " * (USUAL // 5)) for number in range(MESSAGES)))
        server.deliver("large", dovecot.message(-1, body="QUJD\r\n" * (LARGE // 6)))
        many, large = (_fetched(application, name, server.port) for name in ("many", "large"))
    assert (many["messages"], large["messages"]) == (MESSAGES, 1)
    details = {"seconds": many["seconds"], "peak_megabytes": many["peak"], "before": many["before"]}
    rate = MESSAGES / many["seconds"]
    yield Figure(f"fetching {MESSAGES:,} waiting messages", rate, "messages/s", at_least=300, details=details)
    yield Figure("memory of that", many["peak"] - many["before"], "MB", at_most=100)
    yield Figure(f"memory of one of {LARGE // 10**6} MB", large["peak"] - large["before"], "MB", at_most=300)


def _fetched(application: Address, user: str, port: int) -> dict[str, float]:
    """Fetch in a process of its own, whose memory tells."""
    command = [sys.executable, "-m", "bench.fetching", application.dsn, user, str(port)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _main(dsn: str, user: str, port: str) -> None:
    ring = KeyRing.configured(b"of no value")
    storage = LocalStorage(Path(gettempdir()), ring)
    vault = Vault(ring)
    resources = Resources(
        SystemClock(), storage, ticket_prefix="DB-", attachment_bytes=1, mail_bytes=LARGE * 2, vault=vault
    )
    with closing(Database(Address.parse(dsn), DatabaseSettings(), handlers=HANDLERS, resources=resources)) as database:
        facts = {"address": f"{user}@example.test", "imap_host": "127.0.0.1", "imap_port": int(port), "imap_user": user}
        with database.transaction(FETCH) as session:
            wanted = Wanted({**facts, "imap_security": "none"}, {"imap_password": dovecot.PASSWORD})
            made = create_mailbox(session, wanted)
            account = next(each for each in accounts(session) if each.mailbox_id == made.id)
        fetcher = Fetcher(account, *account.folders[0], partial(database.transaction, FETCH))
        with closing(connect(imap_server(account))) as connection:
            counted: list[int] = []
            _CLEAR.write_text("5")
            before = _megabytes("VmRSS")
            took = seconds(lambda: counted.append(fetcher.fetch_new(connection)))
    print(json.dumps({"messages": sum(counted), "seconds": took, "before": before, "peak": _megabytes("VmHWM")}))


def _megabytes(name: str) -> float:
    """Return how much memory this process has (VmRSS) or, since it was cleared, had (VmHWM): see proc(5)."""
    [line] = [line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    _main(*sys.argv[1:])
