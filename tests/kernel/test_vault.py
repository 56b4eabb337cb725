"""Secrets in the database: opened with their key in their place, and nowhere else."""

import pickle
from typing import Any, cast

import pytest
from sqlalchemy.dialects import postgresql

from deskbell.kernel.errors import SetupError, UnavailableError
from deskbell.kernel.keyring import KeyRing, MissingKeyError
from deskbell.kernel.rotation import secret_columns
from deskbell.kernel.vault import NO_VAULT, EncryptedText, Sealed, SecretError, Vault

PLACE = "mailboxes.password"
OLD, NEW = "o" * 32, "n" * 32


def vault(texts: str = "", master: bytes = b"m" * 32) -> Vault:
    return Vault(KeyRing.configured(master, texts))


def test_a_secret_comes_back_and_shows_nowhere() -> None:
    sealed = vault().seal("hünter2", PLACE, 7)
    assert vault().open(sealed, PLACE, 7) == "hünter2"
    assert "nter2" not in f"{sealed!r}{sealed.token}{pickle.dumps(sealed)!r}"
    assert vault().seal("hünter2", PLACE, 7) != sealed


@pytest.mark.parametrize(("place", "row"), [(PLACE, 8), ("mailboxes.token", 7), (PLACE, "7\x00"), ("mailboxes", 7)])
def test_copied_to_another_place_it_cannot_be_opened(place: str, row: int | str) -> None:
    sealed = vault().seal("hunter2", PLACE, 7)
    with pytest.raises(SecretError, match="altered"):
        vault().open(sealed, place, row)


def test_whatever_character_is_altered_it_cannot_be_opened() -> None:
    sealed = vault().seal("hunter2", PLACE, 7)
    for place, character in enumerate(sealed.token):
        for other in ("A" if character != "A" else "B", "", "=", "\n", "é"):
            altered = Sealed(sealed.token[:place] + other + sealed.token[place + 1 :])
            with pytest.raises(UnavailableError):
                pytest.fail(f"{place} {other!r} {vault().open(altered, PLACE, 7)}")


@pytest.mark.parametrize("token", ["", "v1", "v1..", "v2.a.b", "hunter2"])
def test_what_is_no_secret_is_refused(token: str) -> None:
    with pytest.raises(UnavailableError):
        vault().open(Sealed(token), PLACE, 7)


def test_the_newest_key_seals_and_each_opens() -> None:
    sealed = vault(OLD).seal("hunter2", PLACE, 7)
    both = vault(f" {NEW} ,{OLD},")
    renewed = both.renewed(sealed, PLACE, 7)
    assert renewed.key_name == both.ring.newest.name != sealed.key_name
    assert both.renewed(renewed, PLACE, 7) == renewed
    assert vault(NEW).open(renewed, PLACE, 7) == "hunter2"
    with pytest.raises(MissingKeyError, match="DESKBELL_ENCRYPTION_KEYS"):
        vault(NEW).open(sealed, PLACE, 7)


def test_another_master_key_reads_on_when_the_old_one_stands_in_the_list() -> None:
    """Whether the old one was configured, or made and kept in `secret.key`: what stood there is what is put there."""
    text = "bWFzdGVyIGtleSBtYXN0ZXIga2V5IG1hc3RlciBrZXk"
    made = Vault(KeyRing.configured(b"master key master key master key", is_text=False))
    for before in (made, vault(master=text.encode())):
        assert vault(text, b"another" * 5).open(before.seal("hunter2", PLACE, 7), PLACE, 7) == "hunter2"


def test_a_short_key_is_refused_without_being_shown() -> None:
    with pytest.raises(SetupError, match="Key 2 of DESKBELL_ENCRYPTION_KEYS") as raised:
        vault(f"{NEW},short")
    assert "short" not in raised.value.message.replace("shorter", "")


def test_keys_do_not_show() -> None:
    ring = KeyRing.configured(b"m" * 32, NEW)
    assert NEW not in repr(list(ring))
    assert repr(ring.newest) == f"Key(name='{ring.newest.name}')"


def test_without_keys_nothing_is_sealed() -> None:
    with pytest.raises(SetupError):
        NO_VAULT.seal("hunter2", PLACE, 7)


def test_a_column_of_secrets_takes_no_plain_text() -> None:
    column, dialect = EncryptedText(PLACE), postgresql.dialect()  # type: ignore[no-untyped-call]
    sealed = vault().seal("hunter2", PLACE, 7)
    assert column.process_result_value(column.process_bind_param(sealed, dialect), dialect) == sealed
    assert column.process_bind_param(None, dialect) is None
    with pytest.raises(TypeError, match=r"Vault\.seal"):
        column.process_bind_param(cast("Any", "hunter2"), dialect)


def test_each_column_of_secrets_knows_its_place_and_is_a_secret_of_the_audit_log() -> None:
    """With another's place its values could be swapped; not declared, they would stand in the history."""
    for column in secret_columns():
        assert cast("EncryptedText", column.type).place == str(column)
        assert column.info.get("audit") == "secret"
        assert [key.type.python_type for key in column.table.primary_key] == [int]
