"""A real IMAP server for tests: Dovecot, as an ordinary process on free ports, with messages as files (Maildir).

Between it and who is tested there may be a `Line`, which can be cut, slowed down and counted.
"""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from deskbell.kernel.embedded.account import account_for
from deskbell.testing.servers import run_folder
from tests.tls_server import Authority, authority

PASSWORD = "in-for-a-penny"
NAME = "localhost"
"""What the server's certificate says it is; as 127.0.0.1 it is another one."""
_PROGRAM = Path(os.environ.get("DESKBELL_TEST_DOVECOT") or "/usr/sbin/dovecot")
_SERVERS = count()
_SETTINGS = """
protocols = imap
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_max_userip_connections = {connections}
mail_fsync = never
maildir_very_dirty_syncs = no
imap_idle_notify_interval = 2 mins
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
  }}
}}
service stats {{
  chroot =
}}
"""
_TOKENS = """
introspection_url = http://127.0.0.1:{port}/introspect
introspection_mode = auth
active_attribute = active
active_value = true
username_attribute = email
"""


@dataclass
class ImapServer:
    """`port` takes plain text and STARTTLS, `tls_port` TLS alone. Everybody exists, and has the same password."""

    folder: Path
    uid: int
    gid: int
    port: int
    tls_port: int
    ours: Authority
    process: "subprocess.Popen[bytes] | None" = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def authority(self) -> str:
        return self.ours.file.read_text()

    def deliver(self, user: str, *messages: bytes, folder: str = "INBOX") -> list[Path]:
        """Put messages into a folder; they are numbered in this order."""
        place = self.maildir(user, folder)
        paths = []
        for raw in messages:
            number = next(self._numbers)
            file = place / "tmp" / f"{1_700_000_000 + number}.M{number}.test"
            file.write_bytes(raw)
            os.chown(file, self.uid, self.gid)
            paths.append(file.rename(place / "new" / file.name))
        return paths

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        """The files of a folder, which is made where there is none."""
        place = self.folder / "mail" / user / ("" if folder == "INBOX" else f".{folder}")
        if not (place / "cur").exists():
            for each in (place.parent, place, *(place / name for name in ("cur", "new", "tmp"))):
                each.mkdir(exist_ok=True, parents=True)
                os.chown(each, self.uid, self.gid)
        return place

    def remove_folder(self, user: str, folder: str) -> None:
        shutil.rmtree(self.maildir(user, folder))

    def renumber(self, user: str, folder: str = "INBOX", validity: int = 4_294_967_290) -> None:
        """Give the folder another UIDVALIDITY: what lies there has new UIDs."""
        place = self.maildir(user, folder)
        for old in place.glob("dovecot*"):
            old.unlink()
        (place / "dovecot-uidlist").write_text(f"3 V{validity} N1 G{uuid4().hex}\n")
        os.chown(place / "dovecot-uidlist", self.uid, self.gid)

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """The flags of each message that somebody has looked at in the folder: `S` says that it was read."""
        return [file.name.partition(":2,")[2] for file in (self.maildir(user, folder) / "cur").iterdir()]

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        command = [_PROGRAM, "-F", "-c", self.folder / "dovecot.conf"]
        is_root = os.geteuid() == 0
        who = {"user": self.uid, "group": self.gid, "extra_groups": [self.gid]} if is_root else {}
        self.process = subprocess.Popen(command, cwd=self.folder, start_new_session=True, **who)  # type: ignore[call-overload]
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as line:
                if line.recv(4) == b"* OK":
                    return
            time.sleep(0.02)
        raise AssertionError("Dovecot does not start: " + self.log())

    def stop(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)
            self.process = None


@contextmanager
def imap_server(*, connections: int = 100, tokens_port: int = 1, further: str = "") -> Iterator[ImapServer]:
    """Start one, with further lines of settings; skip the test where this machine has none."""
    if not _PROGRAM.is_file():
        pytest.skip(f"no Dovecot at {_PROGRAM}: tools/dovecot.sh installs it")
    version = subprocess.run([_PROGRAM, "--version"], check=True, capture_output=True, text=True).stdout
    if not version.startswith("2.3."):
        pytest.skip(f"Dovecot {version.split()[0]} has other settings than 2.3, which these tests know")
    with run_folder(f"imap-{os.getpid()}-{next(_SERVERS)}") as folder:
        account = account_for(folder / "mail")
        for each in (folder, folder / "run", folder / "state", folder / "mail"):
            each.mkdir(exist_ok=True)
            os.chown(each, account.uid, account.gid)
            each.chmod(0o755)
        ours = authority(folder, "the test's own")
        certificate, key = ours.sign(NAME, folder)
        account.give(key)
        ports = _free_ports(2)
        (folder / "dovecot.conf").write_text(
            _SETTINGS.format(
                folder=folder,
                user=account.name,
                group=_group(account.gid),
                uid=account.uid,
                gid=account.gid,
                connections=connections,
                certificate=certificate,
                key=key,
                password=PASSWORD,
                port=ports[0],
                tls_port=ports[1],
            )
            + further
        )
        (folder / "oauth2.conf").write_text(_TOKENS.format(port=tokens_port))
        (folder / "log").touch()
        account.give(folder / "log")
        server = ImapServer(folder, account.uid, account.gid, ports[0], ports[1], ours)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _group(number: int) -> str:
    import grp  # noqa: PLC0415 - not on every system

    return grp.getgrgid(number).gr_name


def _free_ports(number: int) -> list[int]:
    with_sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in with_sockets]
    for each in with_sockets:
        each.close()
    return ports


def message(number: int, *, body: str = "", sender: str = "cleo@example.test") -> bytes:
    """A small message that no other one is equal to."""
    lines = (
        f"From: Cleo <{sender}>",
        "To: help@example.test",
        f"Subject: Request number {number}",
        f"Message-ID: <{number}.{os.getpid()}@example.test>",
        "Date: Mon, 2 Nov 2026 10:00:00 +0000",
        "",
        body or f"Hello, this is request {number}.",
        "",
    )
    return "\r\n".join(lines).encode()


def messages(numbers: Iterable[int]) -> list[bytes]:
    return [message(number) for number in numbers]


@dataclass
class Line:
    """A line to a server that somebody may cut. `passed` counts the bytes that came from the server."""

    target: int
    cut_after: int | None = None
    """Bytes from the server after which each connection is cut, None for never."""
    is_silent: bool = False
    """Whether nothing passes, without anybody being told."""
    passed: int = 0
    connections: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _ends: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        self._run(self._accept)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def cut(self) -> None:
        """Cut all that are open."""
        for end in [*self._ends]:
            _end(end)

    def close(self) -> None:
        self.is_silent = False
        _end(self._listener)
        self._threads[0].join(30)
        self.cut()
        for thread in self._threads:
            thread.join(30)
        for each in (self._listener, *self._ends):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                far = socket.create_connection(("127.0.0.1", self.target), 10)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                self._run(partial(self._pump, source, sink, is_from_server=source is far))

    def _pump(self, source: socket.socket, sink: socket.socket, *, is_from_server: bool) -> None:
        left = self.cut_after
        with suppress(OSError):
            while piece := source.recv(65536):
                while self.is_silent:
                    time.sleep(0.01)
                if is_from_server:
                    if left is not None:
                        piece, left = piece[:left], left - len(piece[:left])
                    self.passed += len(piece)
                sink.sendall(piece)
                if left == 0:
                    break
        _end(source)
        _end(sink)


def _end(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to(port: int, *, cut_after: int | None = None) -> Iterator[Line]:
    line = Line(port, cut_after)
    line.start()
    try:
        yield line
    finally:
        line.close()
