"""How fast an import is: rows of a CSV file per second, beside the floor of the same rows in one plain INSERT."""

import io
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from sqlalchemy import text

from bench.figures import Figure, seconds
from bench.server import measured_database
from deskbell.curation.csv_reader import read_rows
from deskbell.curation.imports import batches, import_batch, keyed
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.settings import DatabaseSettings

ROWS = 10_000
ASKING = "customer@example.test"
IMPORT = Actor.system(Channel.IMPORT, act="bench")
FLOOR = text(
    "insert into tickets (title, description, creator_id) select left(m, 100), m, (select min(id) from users)"
    " from unnest(cast(:messages as text[])) m"
)


def run(template: Address) -> Iterator[Figure]:
    """Yield the speed of a first and of a second import, and of the one INSERT that does the same without questions."""
    file = _file()
    with (
        measured_database(template, "bench_importing") as (_, application),
        closing(Database(application, DatabaseSettings())) as database,
    ):
        first, second = (seconds(lambda: _import(database, file)) for _ in range(2))
        floor = seconds(lambda: _insert(database, file))
    details = {"seconds": first, "floor_seconds": floor, "times_the_floor": first / floor}
    yield Figure(f"import of {ROWS:,} rows", ROWS / first, "rows/s", at_least=500, details=details)
    yield Figure("the same import again", ROWS / second, "rows/s", details={"seconds": second})


def _file() -> bytes:
    """Messages of 4 to 40 words with one of 77 categories, as a bank's customers write them."""
    chance = random.Random(20261122)
    words = [f"word{number}" for number in range(2000)]
    lines = (
        f"{' '.join(chance.choices(words, k=chance.randint(4, 40)))},tag_{chance.randrange(77)}" for _ in range(ROWS)
    )
    return ("text,category\n" + "\n".join(lines)).encode()


def _import(database: Database, file: bytes) -> None:
    actor, now = IMPORT, None
    rows = read_rows(io.BytesIO(file), {"text": "message", "category": "tag"})
    for batch in batches(keyed(rows, ASKING, force_new=False)):
        with database.transaction(actor) as session:
            now = now or session.scalar(text("select clock_timestamp()"))
            outcome = import_batch(session, batch, requester=ASKING, now=now)
        actor = replace(actor, operation=outcome.operation)


def _insert(database: Database, file: bytes) -> None:
    messages = [line.partition(",")[0] for line in file.decode().splitlines()[1:]]
    with database.transaction(IMPORT) as session:
        session.execute(FLOOR, {"messages": messages})
