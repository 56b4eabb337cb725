"""An open desk: several installations and databases on one server, keys that change, a server that is killed."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from deskbell.kernel.address import Address
from deskbell.kernel.embedded import EmbeddedPostgres
from deskbell.kernel.embedded.postmaster import running
from deskbell.kernel.embedded.waiting import deadline_in, ticks
from deskbell.kernel.errors import SetupError, UnavailableError
from deskbell.kernel.roles import can_log_in
from deskbell.kernel.settings import DatabaseSettings, PostgresSettings, Settings
from deskbell.runtime import Desk, adopt, ensure_schema, open_desk
from deskbell.testing.factories import SYSTEM
from deskbell.testing.servers import FAST, SUPERUSER_PASSWORD

OURS, THEIRS = "ours, of thirty-two bytes or more", "theirs, of thirty-two bytes or more"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user, too, can reach."""
    with tempfile.TemporaryDirectory(prefix="deskbell-test-") as name:
        yield Path(name)


@pytest.fixture
def shared(folder: Path) -> Iterator[Address]:
    """The superuser's way to a server that several installations may use, without any database."""
    server = EmbeddedPostgres(
        folder / "server", superuser_password=SUPERUSER_PASSWORD, bin_dir=PostgresSettings().bin_dir, options=FAST
    )
    with server as at:
        yield Address(str(at.socket_dir), at.port, "desk", at.superuser, SUPERUSER_PASSWORD)


def settings(data_dir: Path, url: str | None = None, key: str | None = None) -> Settings:
    return Settings.model_validate(
        {"data_dir": data_dir, "secret_key": key, "database": DatabaseSettings.model_validate({"url": url})}
    )


def works(desk: Desk) -> bool:
    """Whether the schema is there and the application gets in."""
    ensure_schema(desk, upgrade=False)
    with desk.database.transaction(SYSTEM) as session:
        return bool(session.execute(text("select count(*) = 0 from tickets")).scalar_one())


def test_another_installations_key_does_not_take_the_roles_away(shared: Address, folder: Path) -> None:
    ours, theirs = settings(folder / "a", shared.dsn, OURS), settings(folder / "b", shared.dsn, THEIRS)
    with open_desk(ours) as desk:
        assert works(desk)
    with pytest.raises(SetupError, match="another DESKBELL_SECRET_KEY"), open_desk(theirs):
        pass
    with open_desk(ours) as desk:
        assert works(desk)
    assert adopt(theirs).database == "desk"
    with open_desk(theirs) as desk:
        assert works(desk)
    with pytest.raises(SetupError, match="another DESKBELL_SECRET_KEY"), open_desk(ours):
        pass


def test_a_second_empty_database_on_the_server_is_made_ready(shared: Address, folder: Path) -> None:
    with open_desk(settings(folder / "a", shared.dsn, OURS)) as desk:
        assert works(desk)
    with psycopg.connect(shared.to_database("postgres").dsn, autocommit=True) as connection:
        connection.execute("create database empty")
    for name in ("empty", "missing"):
        with open_desk(settings(folder / "a", shared.to_database(name).dsn, OURS)) as desk:
            assert works(desk)


def test_an_embedded_desk_whose_key_was_lost_is_opened_again_when_asked_to(folder: Path) -> None:
    """Not by itself: a command run without the key that the service has would lock the service out."""
    ours, theirs = settings(folder / "desk", key=OURS), settings(folder / "desk", key=THEIRS)
    with open_desk(ours) as serving:
        assert works(serving)
        with pytest.raises(SetupError, match=r"another DESKBELL_SECRET_KEY.*`deskbell db adopt`"), open_desk(theirs):
            pass
        assert works(serving)
    admin = adopt(theirs)
    with open_desk(theirs) as desk:
        assert works(desk)
        assert not can_log_in(admin.as_role(admin.user, "guessed")), "the door is closed again"
    with pytest.raises(SetupError, match="another DESKBELL_SECRET_KEY"), open_desk(ours):
        pass


def test_a_desk_survives_that_its_server_is_killed(folder: Path) -> None:
    with open_desk(settings(folder / "desk")) as desk:
        assert works(desk)
        cluster = folder / "desk" / "postgres"
        found = running(cluster)
        assert found
        os.kill(found.pid, signal.SIGKILL)
        assert any(answers(desk) and running(cluster) != found for _ in ticks(deadline_in(5)))
    assert running(cluster) is None


def answers(desk: Desk) -> bool:
    try:
        return works(desk)
    except UnavailableError:
        return False
