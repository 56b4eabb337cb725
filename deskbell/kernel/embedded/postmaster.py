"""The server's process: is it there, in which state, start it, ask it to stop.

A process number alone proves nothing (it may have been given to another program since), so nothing is signalled before
its command line was seen to be that of this cluster's server.
"""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deskbell.kernel.clock import SystemClock
from deskbell.kernel.embedded.account import Account
from deskbell.kernel.embedded.parameters import PORT
from deskbell.kernel.embedded.programs import Programs
from deskbell.kernel.embedded.waiting import ticks
from deskbell.kernel.errors import SetupError

_PROC = Path("/proc")
_PID_FILE = "postmaster.pid"
_WRITTEN_WITHIN = 1.0  # seconds between making a lock file and writing it, at the most
# Run in the background of a shell that ends at once, the server is nobody's child: nobody need wait for it.
_IN_BACKGROUND = '"$@" </dev/null >&2 & echo $!'


@dataclass(frozen=True)
class Postmaster:
    """What postmaster.pid says (PostgreSQL's src/include/utils/pidfile.h); `state` is starting, ready or stopping."""

    pid: int
    socket_dir: Path
    port: int
    state: str

    def is_ready(self, cluster: Path) -> bool:
        """Whether the server takes connections, and this is not what one that was killed had written.

        In a container the next server may well get the same number; by the time it listens, it has written anew.
        """
        return self.state == "ready" and self.answers() and recorded(cluster) == self

    def answers(self) -> bool:
        """Whether a process listens on the socket; its folder is private, so it can be no other server."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            try:
                client.connect(os.fspath(self.socket_dir / f".s.PGSQL.{self.port}"))
            except (BlockingIOError, TimeoutError):  # it listens, but is busy
                return True
            except OSError:
                return False
            return True


def recorded(cluster: Path) -> Postmaster | None:
    """What postmaster.pid says, true or stale; None when there is none or it is not complete."""
    try:
        lines = (cluster / _PID_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    sockets, _, _, state = (lines[4:8] + [""] * 4)[:4]  # these are added one by one while it starts
    return Postmaster(pid, Path(sockets), port, state.strip() or "starting")


def running(cluster: Path) -> Postmaster | None:
    """The server of this cluster, whoever started it, in whatever state."""
    found = recorded(cluster)
    return found if found and (_is_server(found.pid, cluster) or found.answers()) else None


def clear_stale(cluster: Path, socket_dir: Path) -> None:
    """Remove the lock files of a server that is gone if PostgreSQL would stumble over them.

    It does over one whose number is another process's by now, or still that of a zombie, and over an empty one. Any
    other is left to PostgreSQL, which looks for orphaned backends first; so is one that may just be being written.
    """
    for file in (cluster / _PID_FILE, socket_dir / f".s.PGSQL.{PORT}.lock"):
        with suppress(FileNotFoundError):
            owner = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip().lstrip("-")
            if owner.isdecimal():
                stale = _is_taken(int(owner)) and not _is_server(int(owner), cluster)
            else:
                stale = SystemClock().now().timestamp() - file.stat().st_mtime > _WRITTEN_WITHIN
            if stale:
                file.unlink()


def launch(cluster: Path, account: Account, programs: Programs, log: int) -> int:
    """Start the server in a session of its own, its outputs going to the descriptor `log`; its process number."""
    shell = ["/bin/sh", "-c", _IN_BACKGROUND, "sh"]
    _, said = account.run([*shell, programs.postgres, "-D", cluster], timeout=30, stderr=log)
    if not said.strip().isdecimal():
        raise SetupError("The system has no room for another process: end some programs, then start again.")
    return int(said)


def is_alive(pid: int) -> bool:
    """Whether the process exists and has not ended."""
    with suppress(OSError, IndexError):
        # "pid (name) state …"; a zombie has ended, though nobody has waited for it yet
        return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in {"Z", "X"}
    return _is_taken(pid)


def _is_taken(pid: int) -> bool:
    """Whether the number is that of a process, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def shut_down(cluster: Path, deadline: float) -> None:
    """Stop the server in fast mode and wait until it is gone; SetupError if it still runs at the deadline."""
    found = running(cluster)
    if found is None:
        return
    if not _is_server(found.pid, cluster):
        raise SetupError(f"The server of {cluster} runs where Deskbell cannot reach it (another container?).")
    interrupt(found.pid)  # even if it is stopping: a service manager's SIGTERM makes it wait for all clients
    await_gone(found.pid, cluster, deadline)


def interrupt(pid: int) -> None:
    """Ask for a fast shutdown."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)


def reload(cluster: Path) -> None:
    """Have the server read its parameters and pg_hba.conf again, which it does a moment later."""
    found = running(cluster)
    if found and _is_server(found.pid, cluster):
        with suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGHUP)


def await_gone(pid: int, cluster: Path, deadline: float) -> None:
    """Wait until a server that is stopping has stopped."""
    for _ in ticks(deadline):
        if not _is_server(pid, cluster):
            return
    raise SetupError(f"The server of {cluster} (process {pid}) is still stopping. Try again in a moment.")


def _is_server(pid: int, cluster: Path) -> bool:
    """Whether this process is the postmaster of this cluster: its command line names it, or it works in it."""
    command = _command_line(pid)
    if not Path(command[0]).name.startswith(("postgres", "postmaster")):
        return False
    if os.fspath(cluster) in command:
        return True
    with suppress(OSError):  # in a container root may lack the right to look
        return (_PROC / str(pid) / "cwd").samefile(cluster)
    return False


def _command_line(pid: int) -> list[str]:
    if _PROC.joinpath("self", "cmdline").exists():
        with suppress(OSError):
            return os.fsdecode((_PROC / str(pid) / "cmdline").read_bytes()).split("\0")
        return [""]
    said = subprocess.run(  # noqa: S603 - a constant and a number
        ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], check=False, capture_output=True, text=True
    ).stdout.strip()
    program, _, cluster = said.partition(" -D ")
    return [program, cluster]
