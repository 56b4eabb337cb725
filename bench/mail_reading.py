"""Reading mail, without a desk: messages a second on one core, memory for 50 MB, and messages that were damaged."""

import os
import subprocess
import sys
from base64 import encodebytes
from binascii import b2a_uu
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

from bench.figures import Figure
from bench.mail_fuzzing import OWN_SAMPLES, REAL_SAMPLES, fuzz, samples
from deskbell.mail.parsing import parse

A_SECOND: Final = 150
"""Ordinary messages, on one core."""
MEGABYTES: Final = 300
"""Of memory in all for a message of 50 MB, in a process that does nothing else."""
SLOWEST: Final = 2
"""Seconds of the processor that any message may take."""
_SIZE: Final = 50 * 2**20
_SECONDS: Final = 3.0
_HTML: Final = b"Content-Type: text/html; charset=utf-8\n\n"
_TEXT: Final = b"Content-Type: text/plain; charset=utf-8\n\n"
_MIXED: Final = b"From: a@example.com\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nhello\n"
_FILE: Final = b"--x\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
_MEASURE: Final = """
import resource, sys
from deskbell.mail.parsing import parse
with open(sys.argv[1], "rb") as file:
    raw = file.read()
mail = parse(raw)
assert len(mail.text) + sum(len(each.content) for each in mail.attachments) > 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@dataclass(frozen=True, slots=True)
class Fuzzing:
    """How many messages are damaged, and what the damage follows from."""

    count: int
    seed: int


def run(fuzzing: Fuzzing) -> Iterator[Figure]:
    """Yield messages a second, megabytes at the most, and seconds of the slowest."""
    messages = samples(OWN_SAMPLES, REAL_SAMPLES)
    ordinary = [raw for raw in messages if len(raw) < 1_000_000]  # noqa: PLR2004 - bytes of a message without files
    note = "" if REAL_SAMPLES.is_dir() else "over our own samples only: the real ones are not beside the repository"
    yield _speed("reading ordinary messages", ordinary, note)
    yield _speed("reading messages with a file of 1 MB", [_with_file(raw) for raw in ordinary], note)
    for name, make in LARGE.items():
        yield _memory(name, make)
    yield _fuzzed(messages, fuzzing, note)


def _speed(name: str, messages: Sequence[bytes], note: str) -> Figure:
    for raw in messages:
        parse(raw)
    count, begun = 0, process_time()
    while (took := process_time() - begun) < _SECONDS:
        for raw in messages:
            parse(raw)
        count += len(messages)
    kilobytes = sum(map(len, messages)) / len(messages) / 1024
    details = {"messages": float(len(messages)), "mean_kB": kilobytes, "ms_each": took / count * 1000}
    return Figure(name, count / took, "a second", at_least=A_SECOND, details=details, note=note)


def _with_file(raw: bytes) -> bytes:
    file = encodebytes(bytes(range(256)) * (2**20 // 256))
    head = b"Content-Type: multipart/mixed; boundary=with-a-file\n\n--with-a-file\n"
    return head + raw + b"\n--with-a-file\n" + _FILE[4:] + file + b"--with-a-file--\n"


def _memory(name: str, make: Callable[[], bytes]) -> Figure:
    """Measure in a process of its own: the peak of this one, and of its children, is that of the largest so far."""
    with TemporaryDirectory(prefix="deskbell-bench-") as folder:
        path = Path(folder) / "message.eml"
        size = path.write_bytes(make())
        command = ["/bin/sh", "-c", '"$0" -c "$1" "$2"; exit $?', sys.executable, _MEASURE, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak = int(done.stdout) / 1024
    details = {"message_MB": size / 2**20}
    return Figure(f"memory for {name}", peak, "MB", at_most=MEGABYTES, details=details)


def _repeated(piece: bytes) -> bytes:
    return piece * (_SIZE // len(piece))


def _files(count: int) -> bytes:
    letters = encodebytes(b"abc" * (_SIZE * 74 // 100 // 3 // count))
    return _MIXED + (_FILE + letters) * count + b"--x--\n"


LARGE: Final[dict[str, Callable[[], bytes]]] = {
    "one attachment": lambda: _files(1),
    "990 attachments": lambda: _files(990),
    "plain text": lambda: _TEXT + _repeated(b"hello world, this is a line\n"),
    "plain text with emoji": lambda: _TEXT + _repeated("hello 😀, this is a line\n".encode()),
    "many small texts": lambda: _MIXED + _repeated(b"--x\n" + _TEXT + b"a line\n" * 8_000) + b"--x--\n",
    "HTML": lambda: _HTML + _repeated("<p>hello 😀, <b>this</b> is a line</p>\n".encode()),
    "an image within HTML": lambda: (
        _HTML + b'<img src="data:image/png;base64,' + _repeated(b"abcd" * 19 + b"\n") + b'">'
    ),
    "uuencoded text": lambda: b"\nhello\nbegin 644 a.bin\n" + _repeated(b2a_uu(b"abc" * 15)) + b"`\nend\n",
    "quoted-printable": lambda: b"Content-Transfer-Encoding: quoted-printable\n\n" + _repeated(b"hello=20world=3D\n"),
}


def _fuzzed(messages: Sequence[bytes], fuzzing: Fuzzing, note: str) -> Figure:
    done = fuzz(messages, fuzzing.count, fuzzing.seed, processes=os.cpu_count() or 1)
    assert not done.faults, "\n".join(islice(done.faults, 20))
    details = {"messages": float(done.count), "ms_each": done.total / done.count * 1000, "faults": 0.0}
    worst = f"the slowest is number {done.slowest_number} of seed {fuzzing.seed}"
    return Figure(
        "slowest damaged message",
        done.slowest,
        "s",
        at_most=SLOWEST,
        details=details,
        note="; ".join(filter(None, (worst, note))),
    )
