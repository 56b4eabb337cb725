"""The master key, what is derived from it, signatures and tokens."""

import multiprocessing
import stat
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.kernel.crypto import KEY_FILE, derive, hash_token, hkdf, load_master_key, new_token, sign, unsign
from deskbell.kernel.errors import InvalidError, SetupError

KEY = bytes(range(32))


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    data_dir = tmp_path / "not" / "there"
    key = load_master_key(data_dir)
    assert len(key) == 32
    assert load_master_key(data_dir) == key
    assert stat.S_IMODE((data_dir / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in data_dir.iterdir()] == [KEY_FILE]


def _load(data_dir: Path, start: Event, keys: "multiprocessing.Queue[bytes]") -> None:
    start.wait()
    keys.put(load_master_key(data_dir))


def test_processes_that_start_at_once_use_the_same_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, keys = context.Event(), context.Queue()
    processes = [context.Process(target=_load, args=(tmp_path, start, keys)) for _ in range(4)]
    for process in processes:
        process.start()
    start.set()
    found = {keys.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    assert found == {load_master_key(tmp_path)}
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_that_was_made_meanwhile_is_used_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = load_master_key(tmp_path)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # as seen by a process that looked a moment too early
    assert load_master_key(tmp_path) == ours
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    key = load_master_key(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    assert load_master_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 50])
def test_a_damaged_key_file_is_not_replaced_in_silence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(SetupError, match="Restore it from a backup"):
        load_master_key(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_a_key_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(SetupError, match=rf"{KEY_FILE} cannot be used: Is a directory"):
        load_master_key(tmp_path)


def test_a_data_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="Not a directory"):
        load_master_key(tmp_path / "file" / "data")


def test_a_configured_key_is_used_and_no_file_is_made(tmp_path: Path) -> None:
    assert load_master_key(tmp_path, "k" * 32) == b"k" * 32
    assert not list(tmp_path.iterdir())
    with pytest.raises(SetupError, match="DESKBELL_SECRET_KEY holds no key of 32 bytes"):
        load_master_key(tmp_path, "too short")


@pytest.mark.parametrize(
    ("key", "salt", "info", "length", "output"),
    [  # RFC 5869, test cases 1 to 3
        (
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            bytes(range(0x50)).hex(),
            bytes(range(0x60, 0xB0)).hex(),
            bytes(range(0xB0, 0x100)).hex(),
            82,
            (
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ),
        ),
        (
            "0b" * 22,
            "",
            "",
            42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)
def test_derivation_follows_rfc_5869(key: str, salt: str, info: str, length: int, output: str) -> None:
    derived = hkdf(bytes.fromhex(key), salt=bytes.fromhex(salt), info=bytes.fromhex(info), length=length)
    assert derived.hex() == output


def test_each_purpose_has_its_own_secret_that_stays_the_same() -> None:
    assert derive(KEY, "cookies") == derive(KEY, "cookies")
    assert len({derive(KEY, "cookies"), derive(KEY, "database"), derive(bytes(32), "cookies")}) == 3
    assert len(derive(KEY, "cookies")) == 43
    assert derive(KEY, "cookies").replace("-", "").replace("_", "").isalnum()


@given(st.binary(max_size=200))
def test_what_was_signed_comes_back(payload: bytes) -> None:
    assert unsign(KEY, "link", sign(KEY, "link", payload)) == payload


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_signed_text_with_any_character_changed_is_refused(payload: bytes, data: st.DataObject) -> None:
    signed = sign(KEY, "link", payload)
    at = data.draw(st.integers(0, len(signed) - 1))
    other = data.draw(st.characters().filter(lambda c: c != signed[at]))
    with pytest.raises(InvalidError):
        unsign(KEY, "link", signed[:at] + other + signed[at + 1 :])


@given(st.text(st.characters()))
def test_a_text_that_nobody_signed_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="altered, cut short, or not made by this server"):
        unsign(KEY, "link", text)


def test_a_signature_holds_for_one_purpose_and_one_key() -> None:
    signed = sign(KEY, "link", b"42")
    for key, purpose in ((KEY, "cookie"), (bytes(32), "link")):
        with pytest.raises(InvalidError):
            unsign(key, purpose, signed)


def test_tokens_are_unguessable_and_only_their_hash_is_kept() -> None:
    token = new_token("dbt")
    assert token.startswith("dbt_")
    assert len(token) == len("dbt_") + 43
    assert token != new_token("dbt")
    assert len(hash_token(token)) == 32
    assert hash_token(token) == hash_token(token) != hash_token(token + "x")
    hash_token("\ud800")  # whatever a client sends is merely the wrong token
