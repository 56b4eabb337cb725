"""One embedded server and its sharing: who comes first makes and starts it, who leaves last stops it."""

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from deskbell.kernel.embedded import cluster, postmaster
from deskbell.kernel.embedded.access import let_pass, let_read
from deskbell.kernel.embedded.account import Account, account_for
from deskbell.kernel.embedded.faults import from_postgres, meaningful_line, told_plainly
from deskbell.kernel.embedded.locks import Lease, turn
from deskbell.kernel.embedded.log import LogKeeper, open_log, shorten, size, written_since
from deskbell.kernel.embedded.parameters import write_parameters
from deskbell.kernel.embedded.postmaster import Postmaster
from deskbell.kernel.embedded.programs import Programs, find_programs
from deskbell.kernel.embedded.sockets import socket_dir
from deskbell.kernel.embedded.waiting import deadline_in, ticks
from deskbell.kernel.errors import DeskbellError, SetupError

logger = logging.getLogger(__name__)

_ORPHANS = "pre-existing shared memory block"  # backends of a killed server that have not noticed yet
_NO_OPTIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Server:
    """A running server: connect to `socket_dir` and `port` as `superuser` with its password. `data_dir` is Deskbell's."""

    socket_dir: Path
    port: int
    superuser: str
    major_version: int
    data_dir: Path
    log_file: Path


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
        self._data_dir = data_dir.expanduser().resolve()
        self._password = superuser_password
        self._bin_dir = bin_dir.expanduser() if bin_dir else None
        self._timeout = start_timeout
        self._options = dict(options)
        self._cluster = self._data_dir / "postgres"
        self._log_file = self._data_dir / "postgres.log"
        self._lease = Lease(self._data_dir / "postgres.lease")
        self._keeper: LogKeeper | None = None
        self._mutex = threading.Lock()

    def start(self) -> Server:
        """Make the data, start the server or join a running one, as needed; hold a share in it until `stop`."""
        with self._mutex, told_plainly(self._data_dir):
            deadline = deadline_in(self._timeout)
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with turn(self._data_dir / "postgres.lock", deadline):
                server = self._started(deadline)
                if not self._lease.held:
                    self._lease.take()
                    self._keeper = LogKeeper(self._log_file)
            return server

    def stop(self) -> None:
        """Give the share back, and stop the server if nobody else holds one. What goes wrong meanwhile is only logged."""
        with self._mutex:
            if self._lease.held and self._keeper:
                self._keeper.stop()
            try:
                if self._lease.held:
                    self._leave(deadline_in(self._timeout))
            except (DeskbellError, OSError) as error:
                logger.warning("The embedded PostgreSQL was left running: %s", error)
            finally:
                self._lease.give_back()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _leave(self, deadline: float) -> None:
        with turn(self._data_dir / "postgres.lock", deadline):
            self._lease.give_back()
            if self._lease.is_free():
                postmaster.shut_down(self._cluster, deadline)

    def _started(self, deadline: float) -> Server:
        programs = find_programs(self._bin_dir)
        account = account_for(self._cluster)
        if cluster.exists(self._cluster):
            cluster.check(self._cluster, programs)
        found = postmaster.running(self._cluster)
        if found and found.state == "stopping":
            postmaster.await_gone(found.pid, self._cluster, deadline)
            found = None
        if found is None:
            found = self._launched(account, programs, deadline)
        elif found.state != "ready":
            found = self._ready(found.pid, size(self._log_file), deadline)
        return Server(
            found.socket_dir, found.port, cluster.SUPERUSER, programs.major_version, self._data_dir, self._log_file
        )

    def _launched(self, account: Account, programs: Programs, deadline: float) -> Postmaster:
        let_pass(account, self._data_dir)
        let_pass(account, programs.bin_dir)
        for tree in programs.trees:
            let_read(account, tree)
        place = socket_dir(self._data_dir, account)
        self._prepare(account, programs, place)
        shorten(self._log_file)
        for _ in ticks(deadline, pause=0.05):
            postmaster.clear_stale(self._cluster, place)
            before = size(self._log_file)
            pid = self._launch(account, programs)
            ready = self._wait(pid, deadline)
            if ready:
                return ready
            if _ORPHANS not in written_since(self._log_file, before):
                break
        raise from_postgres("Starting the database", written_since(self._log_file, before), self._data_dir)
