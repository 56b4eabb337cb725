"""A message of 50 MB is read within 300 MB of memory, in a process that does nothing else."""

import subprocess
import sys
from base64 import encodebytes
from collections.abc import Callable
from pathlib import Path

import pytest

SIZE = 50 * 2**20
MEASURE = """
import resource, sys
from deskbell.mail.parsing import parse
with open(sys.argv[1], "rb") as file:
    raw = file.read()
mail = parse(raw)
kept = max([len(each.content) for each in mail.attachments])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 if sys.platform != "darwin" else 1024), kept)
"""


def text(line: str) -> bytes:
    return line.encode() * (SIZE // len(line.encode()))


MESSAGES: dict[str, Callable[[], bytes]] = {
    "a file": lambda: (
        b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
        + encodebytes(b"abc" * (SIZE // 3 * 74 // 100))
    ),
    "text": lambda: b"Content-Type: text/plain; charset=utf-8\n\n" + text("grün 😀, a line of text\n"),
    "HTML": lambda: b"Content-Type: text/html; charset=utf-8\n\n" + text("<p>grün 😀, a <b>line</b> of text</p>\n"),
}


@pytest.mark.parametrize("made", MESSAGES.values(), ids=MESSAGES)
def test_fifty_megabytes_are_read_in_three_hundred(made: Callable[[], bytes], tmp_path: Path) -> None:
    path = tmp_path / "message.eml"
    size = path.write_bytes(made())
    # A shell between: what a process inherits of its parent's peak would count as its own.
    command = ["/bin/sh", "-c", '"$0" -c "$1" "$2"; exit $?', sys.executable, MEASURE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, kept = map(int, done.stdout.split())
    assert peak < 300 * 1024
    assert kept > 0.7 * size
