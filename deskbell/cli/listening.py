"""The port that the web server listens on, taken before anything else is done."""

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deskbell.kernel.errors import SetupError

BACKLOG = 2048
_LISTENING = "0A"  # state of a socket in /proc/net/tcp, see proc(5)


def listen(host: str, port: int) -> socket.socket:
    """Listen, so that nobody else can take the port and early visitors wait. Raises SetupError that says who has it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SetupError(
            f"{host} is no address of this machine. Choose another with --host, like 127.0.0.1."
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SetupError(_in_words(error, host, port)) from error
    return listener


def url_of(host: str, listener: socket.socket) -> str:
    """Return the address for a browser on this machine."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1"
        elif address.version == 6:  # noqa: PLR2004 - the version of the Internet Protocol
            host = f"[{host}]"
    return f"http://{host}:{listener.getsockname()[1]}"


def _in_words(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        who = _listener_on(port)
        by = f" by {who}" if who else ""
        return f"Port {port} on {host} is in use{by}. Stop that program, or choose another port: --port {_next(port)}."
    if error.errno == errno.EACCES:
        return f"Port {port} needs privileges that this user does not have. Choose one above 1023, like --port 8000."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Choose another with --host, like 127.0.0.1."
    return f"Cannot listen on {host}, port {port}: {error.strerror}."


def _next(port: int) -> int:
    return port + 1 if port < 65535 else 8000  # noqa: PLR2004 - the last port


def _listener_on(port: int) -> str:
    """Name the process that listens on a port, where the system tells: `deskbell (process 4711)`."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        with suppress(OSError):
            if str(descriptor.readlink()) in inodes:
                process = descriptor.parents[1]
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                    yield columns[9]
