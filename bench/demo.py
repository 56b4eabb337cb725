"""How fast a desk is filled with made-up tickets: audit, search documents, row security and constraints on."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, seconds
from bench.server import measured_database
from deskbell.cli.demo_load import Loading
from deskbell.curation.demo.language import Language
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.settings import DatabaseSettings

TICKETS = 50_000
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


def run(template: Address) -> Iterator[Figure]:
    """Yield tickets a second, from an empty database to the last commit."""
    with (
        measured_database(template, "bench_demo") as (_, application),
        closing(Database(application, DatabaseSettings())) as database,
        TemporaryDirectory(prefix="deskbell-bench-") as folder,
    ):
        loading = Loading(database, LocalStorage(Path(folder)), TICKETS, 1, UNTIL)
        total = seconds(lambda: loading.run(report=lambda _: None, check=lambda: None))
    assert loading.loaded["tickets"] == TICKETS
    details = {"seconds": total, "decks_seconds": seconds(lambda: Language(1)), **dict(loading.loaded)}
    yield Figure(f"demo of {TICKETS:,} tickets", TICKETS / total, "tickets/s", at_least=5000, details=details)
