"""The sharing of one embedded server: who comes first makes and starts it, who leaves last stops it."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType

from deskbell.kernel.embedded import cluster
from deskbell.kernel.embedded.account import account_for
from deskbell.kernel.embedded.faults import told_plainly
from deskbell.kernel.embedded.keeper import Keeper
from deskbell.kernel.embedded.locks import Lease, turn
from deskbell.kernel.embedded.log import shorten
from deskbell.kernel.embedded.parameters import write_access
from deskbell.kernel.embedded.postmaster import reload, running, shut_down
from deskbell.kernel.embedded.server import Server, Site, running_server
from deskbell.kernel.embedded.waiting import deadline_in
from deskbell.kernel.errors import DeskbellError

logger = logging.getLogger(__name__)

_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


class EmbeddedPostgres:
    """The PostgreSQL that lives in `data_dir`/postgres. Several processes, and several of these, may share it.

    `bin_dir` names other programs than the wheel's, `start_timeout` is in seconds, `options` are server parameters
    (they count for whoever starts the server; the password counts when the data are first made).
    Whatever a person has to put right becomes a SetupError.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        superuser_password: str,
        bin_dir: Path | None = None,
        start_timeout: float = 60,
        options: Mapping[str, str] = _NO_OPTIONS,
    ) -> None:
        """Nothing is touched before `start`."""
        folder = data_dir.expanduser().resolve()
        self._site = Site(folder, superuser_password, bin_dir and bin_dir.expanduser(), start_timeout, dict(options))
        self._lease = Lease(self._site.lease_file)
        self._keeper: Keeper | None = None
        self._mutex = threading.Lock()

    def start(self) -> Server:
        """Make the data, start the server or join a running one, as needed; hold a share in it until `stop`."""
        site = self._site
        with self._mutex, told_plainly(site.data_dir):
            deadline = deadline_in(site.timeout)
            site.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with turn(site.turn_file, deadline):
                server = running_server(site, deadline)
                if not self._lease.held:
                    self._lease.take()
                    self._keeper = Keeper(self.ensure_running, partial(shorten, site.log_file))
            return server

    def ensure_running(self) -> bool:
        """Start the server again if it is gone, killed perhaps, while a share is held; whether that was done.

        This is done once a second between `start` and `stop`. Data that were removed are not made anew.
        """
        site = self._site
        if not self._is_missing():
            return False
        deadline = deadline_in(site.timeout)
        with told_plainly(site.data_dir), turn(site.turn_file, deadline):
            if not self._is_missing():  # somebody was faster
                return False
            running_server(site, deadline)
        logger.warning("The embedded PostgreSQL had ended unasked and was started again; %s says more.", site.log_file)
        return True

    @contextmanager
    def without_password(self) -> Iterator[None]:
        """For as long as the block runs, ask nobody for a password: to set another one where the old one is lost.

        Only this user and root reach the socket at all. The server heeds it a moment later.
        """
        site = self._site
        with told_plainly(site.data_dir), turn(site.turn_file, deadline_in(site.timeout)):
            account = account_for(site.cluster)
            try:
                write_access(site.cluster, account, "trust")
                reload(site.cluster)
                yield
            finally:
                write_access(site.cluster, account)
                reload(site.cluster)

    def stop(self) -> None:
        """Give the share back, and stop the server if nobody else holds one. What goes wrong is only logged."""
        with self._mutex:
            if not self._lease.held:
                return
            try:
                self._leave()
            except (DeskbellError, OSError) as error:
                logger.warning("The embedded PostgreSQL was left as it is: %s", error)
            finally:
                self._lease.give_back()

    def __enter__(self) -> Server:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _is_missing(self) -> bool:
        place = self._site.cluster
        return self._lease.held and running(place) is None and cluster.has_data(place)

    def _leave(self) -> None:
        if self._keeper:
            self._keeper.stop()
        deadline = deadline_in(self._site.timeout)
        with turn(self._site.turn_file, deadline):
            self._lease.give_back()
            if self._lease.is_free():
                shut_down(self._site.cluster, deadline)
