"""`deskbell statistics` asks a replica that the settings name, and `deskbell db status` tells how far behind it is."""

import pytest

from deskbell.kernel.address import Address
from deskbell.testing.servers import environment
from tests.cli.conftest import Terminal
from tests.replication import Standby


@pytest.fixture
def replicated_terminal(
    replicated: tuple[Address, Standby],
    clean_environment: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    capfd: pytest.CaptureFixture[str],
) -> Terminal:
    """A terminal on a database with a standby, by settings alone."""
    primary, standby = replicated
    data_dir = tmp_path_factory.mktemp("desk")
    for name, value in environment(primary, data_dir).items():
        clean_environment.setenv(name, value)
    clean_environment.setenv("DESKBELL_REPLICA_URL", standby.address.as_role("whoever", "").dsn)
    clean_environment.setenv("DESKBELL_REPLICA_MAX_LAG", "10")
    return Terminal(primary, data_dir, clean_environment, capfd)


def test_status_tells_of_each_replica(replicated_terminal: Terminal, replicated: tuple[Address, Standby]) -> None:
    replicated[1].catch_up()
    [replica] = replicated_terminal.ok("db", "status", "--json").json["replicas"]
    assert (replica["is_standby"], replica["problem"]) == (True, None)
    assert ": up to date, at " in replicated_terminal.ok("db", "status").out or replica["lag_bytes"]
    replicated_terminal.monkeypatch.setenv("DESKBELL_REPLICA_URL", "postgresql:///deskbell?host=/nowhere")
    assert "/nowhere:5432/deskbell: does not answer" in replicated_terminal.ok("db", "status").out


def test_statistics_are_asked_of_the_replica_and_count_what_was_just_written(replicated_terminal: Terminal) -> None:
    before = replicated_terminal.ok("statistics", "--json").json["total"]
    replicated_terminal.ok("ticket", "open", "--requester", "kim@example.test", "-m", "My card has not arrived.")
    result = replicated_terminal.ok("--explain", "statistics", "--json")
    assert result.json["total"] == before + 1
    assert "pg_is_in_recovery" in result.err  # only a replica is asked that


def test_a_url_that_cannot_be_read_names_its_setting(replicated_terminal: Terminal) -> None:
    replicated_terminal.monkeypatch.setenv("DESKBELL_REPLICA_URL", "mysql://x")
    result = replicated_terminal.run("statistics")
    assert (result.code, "DESKBELL_REPLICA_URL must begin with postgresql://" in result.err) == (2, True)
