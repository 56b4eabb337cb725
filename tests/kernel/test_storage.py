"""Attachments on the disk: kept whole or not at all, under their content; and what media type they are."""

import errno
import hashlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deskbell.kernel.errors import InvalidError, NotFoundError, TooLargeError, UnavailableError
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.storage import INLINE_SAFE, Storage, sniff

MB = 1024 * 1024
NOBODY = "ab/cd/" + "abcd" + "0" * 60


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "attachments"


@pytest.fixture
def storage(root: Path) -> LocalStorage:
    return LocalStorage(root)


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_what_was_put_comes_back_under_its_content(storage: LocalStorage, root: Path) -> None:
    through: Storage = storage
    blob = through.put(io.BytesIO(b"hello"), max_bytes=5)
    assert blob.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert (blob.key, blob.size, blob.head) == (f"2c/f2/{blob.sha256}", 5, b"hello")
    assert _files(root) == [blob.key]
    with through.open(blob.key) as file:
        assert file.read() == b"hello"
    assert through.exists(blob.key)


def test_equal_content_is_kept_once_and_mends_a_damaged_file(storage: LocalStorage, root: Path) -> None:
    key = storage.put([b"a", b"", b"b"], max_bytes=9).key
    (root / key).write_bytes(b"damaged")
    assert storage.put(io.BytesIO(b"ab"), max_bytes=9).key == key
    assert _files(root) == [key]
    assert (root / key).read_bytes() == b"ab"


def test_an_empty_file_is_a_file(storage: LocalStorage) -> None:
    blob = storage.put([], max_bytes=1)
    assert blob.size == 0
    assert storage.exists(blob.key)


def test_what_is_too_large_is_refused_while_it_streams_and_leaves_nothing(storage: LocalStorage, root: Path) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(1000)

    with pytest.raises(TooLargeError, match="larger than 1 MB") as refused:
        storage.put(endless(), max_bytes=MB)
    assert refused.value.field == "file"
    assert _files(root) == []


def test_a_large_file_without_line_ends_takes_little_memory(storage: LocalStorage, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(30 * MB)
    tracemalloc.start()
    try:
        with large.open("rb") as file:
            assert storage.put(file, max_bytes=30 * MB).size == 30 * MB
        assert tracemalloc.get_traced_memory()[1] < 3 * MB
    finally:
        tracemalloc.stop()


def test_a_client_that_goes_away_leaves_nothing(storage: LocalStorage, root: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        storage.put(broken(), max_bytes=9)
    assert _files(root) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from deskbell.kernel.local_storage import LocalStorage
def stream():
    yield bytes(300_000)
    os.kill(os.getpid(), signal.SIGKILL)
LocalStorage(Path(sys.argv[1])).put(stream(), max_bytes=10**9)
"""


def test_a_killed_process_leaves_only_what_a_sweep_removes(storage: LocalStorage, root: Path) -> None:
    kept = storage.put([b"kept"], max_bytes=9).key
    ended = subprocess.run([sys.executable, "-c", KILLED, str(root)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [name.split("/")[0] for name in _files(root) if name != kept] == ["incoming"]
    now = datetime.now(UTC)
    assert storage.sweep(older_than=now - timedelta(hours=1)) == 0  # it may still be written to
    assert storage.sweep(older_than=now + timedelta(seconds=1)) == 1
    assert _files(root) == [kept]


def test_a_sweep_of_a_storage_that_was_never_used_finds_nothing(storage: LocalStorage) -> None:
    assert storage.sweep(older_than=datetime.now(UTC)) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, the disk that is always full")
def test_a_full_disk_is_said_to_be_full(storage: LocalStorage, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_: (full, str(root / "x")))
    with pytest.raises(UnavailableError, match="disk for attachments is full, nothing was kept") as refused:
        storage.put([b"a"], max_bytes=9)
    assert isinstance(refused.value.__cause__, OSError)
    assert refused.value.__cause__.errno == errno.ENOSPC
    assert str(root) not in refused.value.message
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(full)


def test_a_storage_that_does_not_work_says_so_without_saying_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="Not a directory") as refused:
        LocalStorage(tmp_path / "file" / "attachments").put([b"a"], max_bytes=9)
    assert str(tmp_path) not in refused.value.message


def test_what_was_deleted_is_gone_and_may_be_deleted_again(storage: LocalStorage) -> None:
    key = storage.put([b"a"], max_bytes=9).key
    storage.delete(key)
    storage.delete(key)
    assert not storage.exists(key)
    with pytest.raises(NotFoundError, match="Restore it from a backup"):
        storage.open(key)


@pytest.mark.parametrize(
    "key",
    ["", "../../etc/passwd", "/etc/passwd", "incoming/x", NOBODY.upper(), NOBODY + "\n", "ff" + NOBODY[2:], "ab/cd/.."],
)
def test_only_keys_are_looked_up(storage: LocalStorage, key: str) -> None:
    assert not storage.exists(NOBODY)
    for act in (storage.open, storage.exists, storage.delete):
        with pytest.raises(InvalidError, match="not the key"):
            act(key)


PNG, GIF, JPEG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"GIF89a\1\0\1\0", b"\xff\xd8\xff\xe0\0\x10JFIF\0"


@pytest.mark.parametrize(
    ("head", "name", "media_type"),
    [
        (PNG, "picture.html", "image/png"),
        (JPEG, "x", "image/jpeg"),
        (GIF, "", "image/gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "x", "image/webp"),
        (b"%PDF-1.7\n1 0 obj <a >", "x.txt", "application/pdf"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0\0", "x", "application/pdf"),
        (b"hello", "picture.png", "text/plain"),
        (b"caf\xe9", "latin.txt", "text/plain"),
        (b"", "x.png", "text/plain"),
        (b"\0\1\2\3", "picture.png", "application/octet-stream"),
        (b"a,b\n1,2\n", "x.CSV", "text/csv"),
        (b"From: a@b.example\nSubject: x\n\n<html>", "x", "message/rfc822"),
        (b"PK\3\4" + bytes(30), "x.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ],
)
def test_the_content_says_what_a_file_is(head: bytes, name: str, media_type: str) -> None:
    assert sniff(head, name) == media_type


@pytest.mark.parametrize(
    ("head", "name", "media_type"),
    [
        (b"<!DOCTYPE html><p>", "x.txt", "text/html"),
        (b"\xef\xbb\xbf  <SCRIPT>alert(1)</SCRIPT>", "x.png", "text/html"),
        (b"hello <iframe src=x>", "x.txt", "text/html"),
        ("<html>".encode("utf-16"), "x.txt", "text/html"),
        (b"GIF89a<script>alert(1)</script>", "x.gif", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "x.png", "image/svg+xml"),
        (b"<?xml version='1.0'?>\n<svg onload='alert(1)'>", "x", "image/svg+xml"),
        (b"<?xml version='1.0'?><a:b/>", "x.txt", "application/xml"),
        (b"alert(1)", "x.js", "text/javascript"),
        (b"alert(1)", "x.html", "text/html"),
    ],
)
def test_what_could_run_in_a_browser_is_called_so_and_is_not_shown_inline(
    head: bytes, name: str, media_type: str
) -> None:
    assert sniff(head, name) == media_type
    assert media_type not in INLINE_SAFE
