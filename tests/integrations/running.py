"""An example application, served by a real server in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

EXAMPLES = Path(__file__).parents[2] / "examples"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:([1-9]\d*)")


@dataclass
class Server:
    """What it says is kept, to be shown where a test fails."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    url: str = ""
    _spoke: Event = field(default_factory=Event)

    def listen(self) -> None:
        """Read what it says until it ends."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line)
            if not self.url and (found := _ADDRESS.search(line)):
                self.url = found[0]
                self._spoke.set()
        self._spoke.set()

    def wait(self) -> None:
        """Wait until it says where it is."""
        assert self._spoke.wait(120), self.said
        assert self.url, "".join(self.said)

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.terminate()
        return self.process.wait(60)


def environment(further: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without settings of whoever runs the tests."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("DESKBELL_")}
    return {**mine, "PYTHONUNBUFFERED": "1", "SHOP_SECRET_KEY": "for tests alone", **further}


@contextmanager
def serving(folder: str, arguments: list[str], variables: Mapping[str, str]) -> Iterator[Server]:
    """Run `python ...` in the folder of an example until the block ends."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=EXAMPLES / folder,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        server = Server(process)
        reader = Thread(target=server.listen, daemon=True)
        reader.start()
        try:
            server.wait()
            yield server
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            reader.join()
