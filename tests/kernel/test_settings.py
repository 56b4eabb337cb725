"""What is set wrongly is refused when it is read, not at the first log-in."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from deskbell.kernel.settings import Settings, WebSettings


@pytest.mark.parametrize("value", ["nonsense", "10", "0/minute", "10/minute;100/fortnight"])
def test_a_rate_that_cannot_be_read_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DESKBELL_WEB_LOGIN_RATE", value)
    with pytest.raises(ValidationError, match="a rate such as 10/minute"):
        Settings()


@pytest.mark.parametrize("value", ["10/minute", "5 per 2 hours"])
def test_a_rate_is_kept_as_it_was_written(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DESKBELL_WEB_LOGIN_RATE", value)
    assert WebSettings().login_rate == value


def test_a_tilde_is_the_home_folder_not_a_folder_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/kim")
    monkeypatch.setenv("DESKBELL_DATA_DIR", "~/desk")
    monkeypatch.setenv("DESKBELL_POSTGRES_BIN_DIR", "~/pg/bin")
    monkeypatch.setenv("DESKBELL_STORAGE_PATH", "~/files")
    settings = Settings()
    assert settings.data_dir == Path("/home/kim/desk")
    assert settings.postgres.bin_dir == Path("/home/kim/pg/bin")
    assert settings.attachments_dir == Path("/home/kim/files")


def test_a_rate_is_a_rate_or_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_WEB_SEARCH_RATE", "off")
    assert WebSettings().search_rate == "off"
    for name, value in (("SEARCH", "often"), ("SEARCH", "0/second"), ("LOGIN", "off")):
        monkeypatch.setenv(f"DESKBELL_WEB_{name}_RATE", value)
        with pytest.raises(ValidationError, match="a rate such as 10/minute"):
            WebSettings()
        monkeypatch.delenv(f"DESKBELL_WEB_{name}_RATE")
