"""From a folder to a server that answers: the order in which everything else in this package is done."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deskbell.kernel.embedded import cluster, postmaster
from deskbell.kernel.embedded.access import let_pass, let_read
from deskbell.kernel.embedded.account import Account, account_for
from deskbell.kernel.embedded.faults import from_postgres, last_line
from deskbell.kernel.embedded.log import open_log, shorten, size, written_since
from deskbell.kernel.embedded.parameters import is_durable, write_parameters
from deskbell.kernel.embedded.postmaster import Postmaster
from deskbell.kernel.embedded.programs import Programs, find_programs
from deskbell.kernel.embedded.sockets import socket_dir
from deskbell.kernel.embedded.waiting import ticks
from deskbell.kernel.errors import SetupError

# Backends of a killed server that have not noticed yet; a server that was launched a moment ago by a killed process.
_PASSING = re.compile(r'pre-existing shared memory block|lock file ".*" (already exists|is empty)')


@dataclass(frozen=True)
class Server:
    """A running server: connect to `socket_dir` and `port` as `superuser` by password. `data_dir` is Deskbell's."""

    socket_dir: Path
    port: int
    superuser: str
    major_version: int
    data_dir: Path
    log_file: Path


@dataclass(frozen=True)
class Site:
    """What was asked for, and where everything lies. `timeout` is in seconds."""

    data_dir: Path
    password: str = field(repr=False)
    bin_dir: Path | None
    timeout: float
    options: Mapping[str, str]

    @property
    def cluster(self) -> Path:
        """PostgreSQL's folder of data."""
        return self.data_dir / "postgres"

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return self.data_dir / "postgres.log"

    @property
    def turn_file(self) -> Path:
        """Locked while somebody decides about starting and stopping."""
        return self.data_dir / "postgres.lock"

    @property
    def lease_file(self) -> Path:
        """Locked by everybody who uses the server."""
        return self.data_dir / "postgres.lease"


def running_server(site: Site, deadline: float) -> Server:
    """The server of this site, made and started as needed. Only while holding the turn."""
    programs = find_programs(site.bin_dir)
    account = account_for(site.cluster)
    if cluster.exists(site.cluster):
        cluster.check(site.cluster, programs)
    found = postmaster.running(site.cluster)
    if found and found.state == "stopping":
        postmaster.await_gone(found.pid, site.cluster, deadline)
        found = None
    if found is None:
        found = _started(site, account, programs, deadline)
    elif found.state != "ready":  # whoever started it was killed over it
        found = _ready(site, found.pid, size(site.log_file), deadline)
    return Server(found.socket_dir, found.port, cluster.SUPERUSER, programs.major_version, site.data_dir, site.log_file)


def _started(site: Site, account: Account, programs: Programs, deadline: float) -> Postmaster:
    for folder in (site.data_dir, programs.bin_dir):
        let_pass(account, folder)
    for tree in programs.trees:
        let_read(account, tree)
    sockets = socket_dir(site.data_dir, account)
    _prepare_cluster(site, account, programs, sockets)
    shorten(site.log_file)
    while True:
        postmaster.clear_stale(site.cluster, sockets)
        before = size(site.log_file)
        try:
            return _launched(site, account, programs, deadline)
        except SetupError:
            if time.monotonic() > deadline or not _PASSING.search(written_since(site.log_file, before)):
                raise
        time.sleep(0.05)
        if found := postmaster.running(site.cluster):
            return _ready(site, found.pid, before, deadline)


def _prepare_cluster(site: Site, account: Account, programs: Programs, sockets: Path) -> None:
    cluster.sweep(site.data_dir)
    new = None
    if not cluster.exists(site.cluster):
        durable = is_durable(site.options)
        new = cluster.create(
            site.cluster, account, programs=programs, password=site.password, durable=durable, timeout=site.timeout
        )
    write_parameters(new or site.cluster, account, programs=programs, socket_dir=sockets, options=site.options)
    if new:
        cluster.settle(new, site.cluster)


def _launched(site: Site, account: Account, programs: Programs, deadline: float) -> Postmaster:
    before = size(site.log_file)
    with open_log(site.log_file, account) as log:
        pid = postmaster.launch(site.cluster, account, programs, log.fileno())
    try:
        return _ready(site, pid, before, deadline)
    except KeyboardInterrupt:
        postmaster.interrupt(pid)
        raise


def _ready(site: Site, pid: int, log_start: int, deadline: float) -> Postmaster:
    """Wait until the server takes connections, which after a crash includes recovery."""
    for _ in ticks(deadline):
        found = postmaster.recorded(site.cluster)
        if found and found.pid == pid and found.is_ready(site.cluster):
            return found
        if not postmaster.is_alive(pid):
            raise from_postgres("Starting the database", written_since(site.log_file, log_start), site.data_dir)
    last = last_line(written_since(site.log_file, 0)) or "it has said nothing yet"
    raise SetupError(
        f"The database was not ready after {site.timeout:g} seconds: {last} ({site.log_file}). It goes on starting: "
        "try again in a while, or allow more with DESKBELL_POSTGRES_START_TIMEOUT."
    )
