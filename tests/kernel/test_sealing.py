"""The format of encrypted files: what comes out is what went in, or nothing at all."""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.kernel.errors import UnavailableError
from deskbell.kernel.keyring import KeyRing, MissingKeyError
from deskbell.kernel.sealing import FRAME, DamagedError, SealedReader, SealedWriter, name_of, open_header, rewrap

OLD = "o" * 32
NEW = "n" * 32
RING = KeyRing.configured(b"m" * 32)
HEADER = 1024
TAG = 16


def seal(path: Path, content: bytes, ring: KeyRing = RING, *, pieces: int = 100_000) -> Path:
    with path.open("wb") as file:
        writer = SealedWriter(file, ring.newest)
        for start in range(0, len(content), pieces):
            writer.write(content[start : start + pieces])
        writer.finish(hashlib.sha256(content).digest())
    return path


def unseal(path: Path, ring: KeyRing = RING) -> bytes:
    with io.BufferedReader(SealedReader(path.open("rb"), ring), FRAME) as file:
        return file.read()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


NEAR_A_BORDER = st.builds(lambda frames, off: max(0, frames * FRAME + off), st.integers(0, 3), st.integers(-2, 2))


@given(size=NEAR_A_BORDER, pieces=st.sampled_from([1000, FRAME - 1, FRAME, FRAME + 1, 4 * FRAME]))
def test_every_size_around_the_border_of_a_frame_comes_back(size: int, pieces: int) -> None:
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    with tempfile.TemporaryDirectory() as folder:
        path = seal(Path(folder) / "file", content, pieces=pieces)
        assert path.stat().st_size == HEADER + size + TAG * max(1, -(-size // FRAME))
        assert unseal(path) == content


@given(size=NEAR_A_BORDER, data=st.data())
def test_any_part_can_be_read_by_itself(size: int, data: st.DataObject) -> None:
    content = os.urandom(size)
    start = data.draw(st.integers(0, size + 2))
    length = data.draw(st.integers(0, 2 * FRAME))
    with tempfile.TemporaryDirectory() as folder:
        path = seal(Path(folder) / "file", content)
        with io.BufferedReader(SealedReader(path.open("rb"), RING), FRAME) as file:
            file.seek(start)
            assert file.read(length) == content[start : start + length]
            assert file.seek(0, os.SEEK_END) == size


def test_nothing_of_the_content_is_seen_in_the_file_and_equal_contents_look_different(path: Path) -> None:
    content = b"a secret " * 20_000
    first = seal(path, content).read_bytes()
    second = seal(path, content).read_bytes()
    assert b"secret" not in first
    assert first[HEADER:] != second[HEADER:]
    assert hashlib.sha256(content).digest() not in first


def test_whatever_byte_is_altered_no_altered_content_is_read(path: Path) -> None:
    """The unused parts of the header may hold anything; everything else is found out."""
    content = os.urandom(2 * FRAME + 100)
    whole = seal(path, content).read_bytes()
    frames = [HEADER + number * (FRAME + TAG) + place for number in range(3) for place in (0, 50, 115)]
    tags = [HEADER + FRAME + 3, HEADER + 2 * (FRAME + TAG) - 1, len(whole) - 1]
    for place in (*range(115), *frames, *tags):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(UnavailableError):
            unseal(path)
    for place in (115, 511, 512, 600, 1023):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert unseal(path) == content


def cut(whole: bytes) -> Iterator[bytes]:
    frames = [whole[start : start + FRAME + TAG] for start in range(HEADER, len(whole), FRAME + TAG)]
    header, (first, second, third) = whole[:HEADER], frames
    yield from (b"", whole[:100], header, header + first, header + first + second, whole[:-1], whole + b"x")
    yield from (header + second + first + third, header + first + third, header + first + first + third)
    yield from (whole + third, header + third, header + first + second[:TAG])


def test_frames_that_are_missing_added_or_in_another_order_are_found_out(path: Path) -> None:
    whole = seal(path, os.urandom(2 * FRAME + 100)).read_bytes()
    for number, other in enumerate(cut(whole)):
        path.write_bytes(other)
        with pytest.raises(DamagedError):
            pytest.fail(f"{number}: {len(unseal(path))} bytes")


def test_no_byte_of_a_bad_frame_is_given_out(path: Path) -> None:
    content = os.urandom(3 * FRAME)
    whole = bytearray(seal(path, content).read_bytes())
    whole[HEADER + FRAME + TAG + 40_000] ^= 1  # late in the second frame
    path.write_bytes(whole)
    with SealedReader(path.open("rb"), RING) as file:
        assert b"".join(file.read(1024) for _ in range(FRAME // 1024)) == content[:FRAME]
        with pytest.raises(DamagedError):
            file.read(1)


def test_a_frame_of_another_file_does_not_fit(path: Path, tmp_path: Path) -> None:
    whole = seal(path, os.urandom(2 * FRAME)).read_bytes()
    other = seal(tmp_path / "other", os.urandom(2 * FRAME)).read_bytes()
    path.write_bytes(whole[: HEADER + FRAME + TAG] + other[HEADER + FRAME + TAG :])
    with pytest.raises(DamagedError):
        unseal(path)


def test_a_key_that_is_not_at_hand_is_named(path: Path) -> None:
    seal(path, b"a")
    with pytest.raises(MissingKeyError, match=RING.newest.name):
        unseal(path, KeyRing.configured(b"another key, of more than 32 bytes"))


def test_a_new_key_is_put_in_front_and_the_content_is_left_alone(path: Path) -> None:
    old, both, new = (KeyRing.configured(b"x" * 32, texts) for texts in (OLD, f"{NEW},{OLD}", NEW))
    before = seal(path, b"content" * 20_000, old).read_bytes()
    with path.open("r+b") as file:
        assert rewrap(file, both)
        assert not rewrap(file, both)
    assert path.read_bytes()[HEADER:] == before[HEADER:]
    assert unseal(path, new) == b"content" * 20_000
    with pytest.raises(MissingKeyError):
        unseal(path, old)
    with path.open("r+b") as file:
        assert rewrap(file, KeyRing.configured(b"y" * 32, f"{OLD},{NEW}"))  # and into the first place again
    assert unseal(path, old) == b"content" * 20_000


def test_a_crash_between_the_two_headers_leaves_a_file_that_is_read_and_mended(path: Path) -> None:
    old, both = KeyRing.configured(b"x" * 32, OLD), KeyRing.configured(b"x" * 32, f"{NEW},{OLD}")
    seal(path, b"content", old)
    first = path.read_bytes()[:512]
    with path.open("r+b") as file:
        rewrap(file, both)
    whole = path.read_bytes()
    for torn in (first, bytes(60) + first[60:], first[:60] + bytes(452)):  # before the old one was erased, or halfway
        path.write_bytes(torn + whole[512:])
        assert unseal(path, both) == b"content"
        with path.open("r+b") as file:
            rewrap(file, both)
            assert open_header(file, both).key_name == both.newest.name
        assert OLD not in {key.name for key in both}
        assert bytes.fromhex(old.newest.name) not in path.read_bytes()
    half = whole[512 : 512 + 60] + bytes(452)
    path.write_bytes(first + half + whole[HEADER:])  # the new one was not written to its end
    assert unseal(path, both) == b"content"


def test_names_tell_only_who_has_the_key() -> None:
    digest = hashlib.sha256(b"a known file").hexdigest()
    names = {name_of(key, digest) for key in KeyRing.configured(b"x" * 32, f"{NEW},{OLD}")}
    assert len(names) == 3
    assert digest not in names
