"""A load generator: `python -m bench.load` sends requests on kept-alive connections, each when the last is answered.

It reads what to send from its standard input and writes what it found to its standard output, as JSON. It looks at as
little of an answer as it can: status and length.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from itertools import cycle
from time import perf_counter, process_time
from typing import cast

import uvloop

_GOOD = (b"200", b"201")


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `requests`, as they go over the wire, in turn, to a port of this machine."""

    port: int
    requests: list[str]
    seconds: float
    connections: int


@dataclass(frozen=True, slots=True)
class Found:
    """Answers a second, percentiles of what they took, and how busy this process was, of 1."""

    per_second: float
    p50_ms: float
    p95_ms: float
    busy: float
    refused: int
    refusal: str


@dataclass(slots=True)
class _Run:
    requests: "cycle[bytes]"
    times: list[float] = field(default_factory=list)
    refused: int = 0
    refusal: bytes = b""
    is_over: bool = False


class _Connection(asyncio.Protocol):
    """One connection. What is left of an answer is known once its head has come."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._head, self._left, self._began = b"", -1, 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        if self._left >= 0:
            self._left -= len(data)
        else:
            self._head += data
            self._read_head()
        if self._left == 0:
            self._run.times.append(perf_counter() - self._began)
            self._head, self._left = b"", -1
            self._send()

    def _send(self) -> None:
        if self._run.is_over:
            self._transport.close()
            return
        self._began = perf_counter()
        self._transport.write(next(self._run.requests))

    def _read_head(self) -> None:
        end = self._head.find(b"\r\n\r\n")
        if end >= 0:
            length = self._head[:end].lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._left = int(length) - (len(self._head) - end - 4)
            if self._head[9:12] not in _GOOD:
                self._run.refused += 1
                self._run.refusal = self._head


async def _generate(load: Load) -> Found:
    run = _Run(cycle([request.encode() for request in load.requests]))
    loop = asyncio.get_running_loop()
    for _ in range(load.connections):
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", load.port)
    began, busy = perf_counter(), process_time()
    await asyncio.sleep(load.seconds)
    took, busy = perf_counter() - began, process_time() - busy
    run.is_over = True
    times = sorted(run.times)
    p50, p95 = (times[int(len(times) * part)] * 1000 if times else 0.0 for part in (0.5, 0.95))
    return Found(len(times) / took, p50, p95, busy / took, run.refused, run.refusal[:500].decode(errors="replace"))


def main() -> None:
    """Generate the load that standard input asks for."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_generate(Load(**json.load(sys.stdin))))
    json.dump(asdict(found), sys.stdout)


if __name__ == "__main__":
    main()
