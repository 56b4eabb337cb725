"""The made-up tickets are written by one thread and loaded by three: while PostgreSQL works, the next are written."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

from sqlalchemy import text

from deskbell.curation.demo.calendar import Calendar
from deskbell.curation.demo.language import Language
from deskbell.curation.demo.lives import Batch, World, batch_of
from deskbell.curation.demo.loading import load, reserve_numbers
from deskbell.curation.demo.people import settle, tag_names
from deskbell.curation.demo.samples import keep_files
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.storage import Storage

BATCH = 4000
_LOADERS = 2
"""What two cores do at once: a third measured no faster."""
_OPERATION = text("select nullif(current_setting('deskbell.operation', true), '')::bigint")


@dataclass
class Loading:
    """Tickets under way. `loaded` counts what is committed, by kind."""

    database: Database
    storage: Storage
    tickets: int
    seed: int
    until: datetime
    batch: int = BATCH
    loaded: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def run(self, *, report: Callable[[int], None], check: Callable[[], None]) -> World:
        """Load all; `report` hears how many tickets are there, `check` is called between batches and may raise to stop.

        Whatever is raised, each batch is there wholly or not at all when this returns.
        """
        actor = Actor.system(Channel.IMPORT, act="deskbell demo")
        with ThreadPoolExecutor(1, "demo") as aside:
            files = aside.submit(keep_files, self.storage)  # which waits for the disk
            language = Language(self.seed)
            with self.database.transaction(actor) as session:
                people = settle(session, language, self.seed, self.tickets)
                operation = session.scalar(_OPERATION)
        calendar = Calendar(int(self.until.timestamp()))
        world = World(self.seed, calendar, language, people, files.result(), tag_names(language))
        self._load_all(world, replace(actor, operation=operation), report, check)
        return world

    def _load_all(self, world: World, actor: Actor, report: Callable[[int], None], check: Callable[[], None]) -> None:
        waiting: set[Future[int | None]] = set()
        with ThreadPoolExecutor(_LOADERS, "demo") as loaders:
            try:
                for start, size in self.batches():
                    check()
                    batch, numbers = batch_of(world, start, size, self.tickets), self._numbers(actor, size)
                    loading = loaders.submit(self._load, actor, batch, numbers)
                    waiting.add(loading)
                    if actor.operation is None:  # everybody was there already: the first batch begins the operation
                        actor = replace(actor, operation=loading.result())
                    if len(waiting) > _LOADERS:
                        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        for loading in done:
                            loading.result()
                    report(self.loaded["tickets"])
            finally:
                wait(waiting)
            for future in waiting:
                future.result()
                report(self.loaded["tickets"])

    def batches(self) -> Iterator[tuple[int, int]]:
        """Yield where each batch begins, and its size.

        The first ones are small, so that PostgreSQL soon has something to do, and the last, so that all end together.
        """
        start, least = 0, max(1, self.batch // 8)
        while left := self.tickets - start:
            size = min(left, max(least, min(self.batch, start + least, left // 3)))
            yield start, size
            start += size

    def _numbers(self, actor: Actor, count: int) -> list[str]:
        with self.database.transaction(actor) as session:
            return reserve_numbers(session, count)

    def _load(self, actor: Actor, batch: Batch, numbers: list[str]) -> int | None:
        with self.database.transaction(actor) as session:
            load(session, batch, numbers)
            operation: int | None = session.scalar(_OPERATION)
        with self._lock:
            self.loaded += batch.counts
        return operation
