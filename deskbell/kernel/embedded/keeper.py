"""Looking after the server while it is used: a thread that does a few cheap things once a second."""

import logging
import threading
from collections.abc import Callable

from deskbell.kernel.errors import DeskbellError

logger = logging.getLogger(__name__)

_EVERY = 1.0  # seconds


class Keeper:
    """Does its chores once a second until it is stopped. A chore that fails is tried again, and complained of once."""

    def __init__(self, *chores: Callable[[], object]) -> None:
        """Begin at once."""
        self._chores = chores
        self._complaint = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="postgres-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a chore that has begun is finished first."""
        self._done.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._done.wait(_EVERY):
            try:
                for chore in self._chores:
                    chore()
            except (DeskbellError, OSError) as error:
                if str(error) != self._complaint:
                    logger.warning("The embedded PostgreSQL: %s", error)
                self._complaint = str(error)
            else:
                self._complaint = ""
