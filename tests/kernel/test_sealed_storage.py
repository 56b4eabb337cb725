"""Attachments on the disk, encrypted: found, mended, converted and swept as in plain, and unreadable without a key."""

import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deskbell.kernel.errors import NotFoundError, TooLargeError, UnavailableError
from deskbell.kernel.keyring import KeyRing, MissingKeyError
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.rotation import Aim, forget_unused_keys, settle_shelf
from deskbell.kernel.sealing import FRAME, DamagedError
from deskbell.kernel.storage import SHELVES, Piece, Storage

MB = 1024 * 1024
MASTER = b"m" * 32
OLD, NEW = "o" * 32, "n" * 32
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SOON = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "attachments"


def storage_of(root: Path, texts: str = "", *, seal: bool = True) -> LocalStorage:
    return LocalStorage(root, KeyRing.configured(MASTER, texts), seal=seal)


def pieces(storage: Storage) -> list[Piece]:
    return [piece for number in range(SHELVES) for piece in storage.shelf(number)]


def settle(storage: Storage, aim: Aim) -> tuple[int, list[str]]:
    batches = [settle_shelf(storage, number, aim, at_most=10**6) for number in range(SHELVES)]
    return sum(batch.changed for batch in batches), [path for batch in batches for path in batch.failed]


def read(storage: Storage, key: str) -> bytes:
    with storage.open(key) as file:
        return file.read()


def test_what_was_put_comes_back_and_the_disk_tells_nothing_of_it(root: Path) -> None:
    storage, content = storage_of(root), b"confidential " * 10_000
    blob = storage.put(io.BytesIO(content), max_bytes=MB)
    digest = hashlib.sha256(content).hexdigest()
    assert (blob.key, blob.sha256, blob.size) == (f"{digest[:2]}/{digest[2:4]}/{digest}", digest, len(content))
    assert read(storage, blob.key) == content
    assert storage.exists(blob.key)
    [path] = [path for path in (root / "sealed").rglob("*") if path.is_file()]
    assert b"confidential" not in path.read_bytes()
    assert digest not in str(path)
    assert path.stat().st_mode & 0o077 == 0


def test_equal_content_is_kept_once_and_mends_a_damaged_file(root: Path) -> None:
    storage = storage_of(root)
    key = storage.put([b"ab"], max_bytes=9).key
    [piece] = pieces(storage)
    (root / piece.path).write_bytes(b"damaged")
    with pytest.raises(DamagedError):
        storage.open(key)
    assert storage.put([b"a", b"b"], max_bytes=9).key == key
    assert len(pieces(storage)) == 1
    assert read(storage, key) == b"ab"


def test_a_file_under_the_name_of_another_one_is_not_taken_for_it(root: Path) -> None:
    storage = storage_of(root)
    keys = [storage.put([content], max_bytes=9).key for content in (b"mine", b"yours")]
    paths = {piece.key: root / piece.path for piece in pieces(storage)}
    shutil.copy(paths[keys[0]], paths[keys[1]])
    with pytest.raises(DamagedError):
        storage.open(keys[1])


def test_what_is_too_large_or_breaks_off_leaves_nothing(root: Path) -> None:
    storage = storage_of(root)
    with pytest.raises(TooLargeError):
        storage.put([bytes(MB)] * 3, max_bytes=2 * MB)
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_plain_files_stay_readable_and_are_encrypted_when_asked(root: Path) -> None:
    plain = storage_of(root, seal=False)
    keys = [plain.put([content], max_bytes=MB).key for content in (b"", b"one", bytes(3 * FRAME))]
    storage = storage_of(root)
    assert read(storage, keys[1]) == b"one"
    assert settle(storage, Aim.SEALED) == (3, [])
    assert settle(storage, Aim.SEALED) == (0, [])
    assert all(piece.sealed for piece in pieces(storage))
    assert [read(plain, key) for key in keys] == [b"", b"one", bytes(3 * FRAME)]  # turned off again, it reads on
    assert settle(plain, Aim.PLAIN) == (3, [])
    assert not any(piece.sealed for piece in pieces(storage))
    assert [read(storage, key) for key in keys] == [b"", b"one", bytes(3 * FRAME)]


def test_content_that_is_there_twice_is_there_once_after_all_was_encrypted(root: Path) -> None:
    keys = {storage_of(root, seal=seal).put([b"one"], max_bytes=9).key for seal in (False, True)}
    storage = storage_of(root)
    assert (len(keys), len(pieces(storage))) == (1, 2)
    settle(storage, Aim.SEALED)
    assert [piece.key for piece in pieces(storage)] == list(keys)
    storage.delete(*keys)
    assert pieces(storage) == []


def test_a_damaged_file_is_not_encrypted_as_if_it_were_right(root: Path) -> None:
    plain = storage_of(root, seal=False)
    key = plain.put([b"one"], max_bytes=9).key
    (root / key).write_bytes(b"another")
    assert settle(storage_of(root), Aim.SEALED) == (0, [key])
    assert [piece.sealed for piece in pieces(plain)] == [False]


def test_a_conversion_that_was_stopped_goes_on_where_it_was(root: Path) -> None:
    plain, storage = storage_of(root, seal=False), storage_of(root)
    for number in range(40):
        plain.put([b"%d" % number], max_bytes=9)
    for number in range(100):
        settle_shelf(storage, number, Aim.SEALED, at_most=1)
    done = sum(piece.sealed for piece in pieces(storage))
    assert 0 < done < 40
    assert settle(storage, Aim.SEALED)[0] == 40 - done


def test_another_key_renames_and_rewraps_and_the_old_one_is_no_longer_needed(root: Path) -> None:
    old, both, new = (storage_of(root, texts) for texts in (OLD, f"{NEW},{OLD}", NEW))
    keys = [old.put([content], max_bytes=MB).key for content in (b"one", bytes(3 * FRAME))]
    names = {piece.path for piece in pieces(old)}
    assert read(both, keys[0]) == b"one"
    assert settle(both, Aim.ROTATED) == (2, [])
    assert names.isdisjoint(piece.path for piece in pieces(both))
    newest = KeyRing.configured(MASTER, NEW).newest.name
    assert forget_unused_keys(both, newest) == set()
    assert new.keys() == {newest}
    assert [read(new, key) for key in keys] == [b"one", bytes(3 * FRAME)]
    with pytest.raises(MissingKeyError):
        old.open(keys[0])


def test_rotation_leaves_plain_files_alone(root: Path) -> None:
    storage_of(root, seal=False).put([b"one"], max_bytes=9)
    assert settle(storage_of(root, NEW), Aim.ROTATED) == (0, [])
    assert [piece.sealed for piece in pieces(storage_of(root))] == [False]


def test_a_crash_between_rewrapping_and_renaming_is_made_up_for(root: Path) -> None:
    """The file has the new key in front and the old key's name: whoever has only the new key would not find it."""
    old, both, new = (storage_of(root, texts) for texts in (OLD, f"{NEW},{OLD}", NEW))
    key = old.put([b"one"], max_bytes=9).key
    [before] = pieces(old)
    both.settle(before, sealed=True)
    [after] = pieces(both)
    (root / before.path).parent.mkdir(parents=True, exist_ok=True)
    (root / after.path).rename(root / before.path)
    assert settle(both, Aim.ROTATED) == (1, [])
    assert read(new, key) == b"one"


def test_without_its_key_an_attachment_is_not_lost_but_unavailable(root: Path) -> None:
    key = storage_of(root, OLD).put([b"one"], max_bytes=9).key
    for storage in (storage_of(root, NEW), LocalStorage(root)):
        with pytest.raises(MissingKeyError, match="Put that key back"):
            storage.open(key)
        [piece] = pieces(storage)
        assert (piece.key, piece.key_name) == ("", KeyRing.configured(MASTER, OLD).newest.name)
    assert settle(storage_of(root, NEW), Aim.ROTATED) == (0, [piece.path for piece in pieces(storage_of(root))])
    assert read(storage_of(root, OLD), key) == b"one"
    with pytest.raises(NotFoundError):
        storage_of(root, OLD).open("ab/cd/" + "abcd" + "0" * 60)


def test_readers_read_on_while_everything_changes_beneath_them(root: Path) -> None:
    rings = [f"{NEW},{OLD}", f"{OLD},{NEW}"]
    content = {storage_of(root, NEW).put([bytes([n]) * (FRAME + n)], max_bytes=MB).key: n for n in range(5)}
    over, seen = threading.Event(), list[int]()
    failures = list[BaseException]()

    def go_on_reading() -> None:
        storage, count = storage_of(root, rings[0]), 0
        try:
            while not over.is_set():
                for key, n in content.items():
                    assert read(storage, key) == bytes([n]) * (FRAME + n)
                    count += 1
        except BaseException as error:  # noqa: BLE001 - of another thread: told below
            failures.append(error)
        seen.append(count)

    threads = [threading.Thread(target=go_on_reading) for _ in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        storage = storage_of(root, rings[turn % 2])
        for aim in (Aim.ROTATED, Aim.PLAIN, Aim.SEALED):
            for piece in pieces(storage):
                storage.settle(piece, sealed=aim is not Aim.PLAIN)
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(count > 5 for count in seen)


ENDLESS = """
import sys
from pathlib import Path
from deskbell.kernel.keyring import KeyRing
from deskbell.kernel.local_storage import LocalStorage
def stream():
    yield bytes(1024 * 1024)
    print("begun", flush=True)
    while True:
        yield bytes(1024)
LocalStorage(Path(sys.argv[1]), KeyRing.configured(b"m" * 32), seal=True).put(stream(), max_bytes=10**9)
"""


def test_a_killed_process_leaves_only_what_a_sweep_removes(root: Path) -> None:
    program = subprocess.Popen([sys.executable, "-c", ENDLESS, str(root)], stdout=subprocess.PIPE, text=True)
    assert program.stdout
    with program.stdout:
        assert program.stdout.readline() == "begun\n"
        program.send_signal(signal.SIGKILL)
        program.wait()
    storage = storage_of(root)
    assert pieces(storage) == []
    assert storage.sweep(older_than=datetime.now(UTC) + timedelta(seconds=1)) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_full_disk_leaves_the_plain_file_where_it_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = storage_of(root, seal=False).put([b"one"], max_bytes=9).key
    storage = storage_of(root)
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_: (os.open("/dev/full", os.O_WRONLY), str(root / "incoming/x")))
    [piece] = pieces(storage)
    with pytest.raises(UnavailableError, match="disk for attachments is full"):
        storage.settle(piece, sealed=True)
    with pytest.raises(UnavailableError, match="disk for attachments is full"):
        settle_shelf(storage, int(key[:2], 16), Aim.SEALED)
    monkeypatch.undo()
    assert read(storage, key) == b"one"


def test_a_large_file_takes_little_memory(root: Path) -> None:
    storage = storage_of(root)
    tracemalloc.start()
    key = storage.put((bytes(256 * 1024) for _ in range(120)), max_bytes=40 * MB).key
    with storage.open(key) as file:
        while file.read(256 * 1024):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * MB


@pytest.mark.parametrize("seal", [False, True])
def test_what_was_put_again_meanwhile_is_not_discarded(root: Path, seal: bool) -> None:  # noqa: FBT001 - a parameter
    storage = storage_of(root, seal=seal)
    storage.put([b"one"], max_bytes=9)
    [piece] = pieces(storage)
    os.utime(root / piece.path, (0, 0))
    [piece] = pieces(storage)
    assert piece.modified < LONG_AGO
    storage.put([b"one"], max_bytes=9)  # by a transaction that has not ended yet
    assert not storage.discard(piece, LONG_AGO)
    assert storage.discard(piece, SOON)
    assert not storage.discard(piece, SOON)
    assert pieces(storage) == []
