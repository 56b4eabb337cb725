"""`deskbell db health`, `deskbell db slow` and `deskbell jobs`."""

import psycopg

from tests.cli.conftest import Terminal

FAILED = (
    "insert into jobs.procrastinate_jobs (queue_name, task_name, status, attempts) values ('q', 'a.job', 'failed', 9)"
)


def execute(terminal: Terminal, *statements: str) -> None:
    with psycopg.connect(terminal.address.dsn, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_health_shows_the_state(bystander: Terminal) -> None:
    said = bystander.ok("db", "health").out
    for word in (
        "PostgreSQL 1",
        "Connections",
        "Jobs",
        "Partitions   audit_logs: made until",
        "attachments:",
        "Unused",
    ):
        assert word in said
    state = bystander.ok("db", "health", "--json").json
    assert {"server", "tables", "indexes", "queue", "disks"} <= state.keys()


def test_slow_shows_statements_without_values(terminal: Terminal) -> None:
    terminal.ok("db", "health")
    said = terminal.ok("db", "slow", "--sort", "calls").out
    assert "ms on average" in said
    statements = terminal.ok("db", "slow", "--limit", "100", "--json").json["statements"]
    assert any("deskbell_server()" in one["statement"] for one in statements)


def test_counting_begins_anew_when_that_is_meant(terminal: Terminal) -> None:
    terminal.ok("db", "health")
    refused = terminal.run("db", "slow", "--reset")
    assert (refused.code, "Say --yes" in refused.err) == (2, True)
    assert "anew" in terminal.ok("db", "slow", "--reset", "--yes").out
    statements = terminal.ok("db", "slow", "--limit", "100", "--json").json["statements"]
    assert not any("deskbell_server()" in one["statement"] for one in statements)


def test_without_the_extension_it_says_what_to_do(terminal: Terminal) -> None:
    execute(terminal, "drop extension pg_stat_statements")
    result = terminal.ok("db", "slow")
    assert "create extension pg_stat_statements" in " ".join(result.err.split())
    assert terminal.run("db", "slow", "--reset", "--yes").code == 1


def test_jobs_are_listed_and_tried_again(terminal: Terminal) -> None:
    assert "No job is failed" in terminal.ok("jobs", "list", "--state", "failed").err
    execute(terminal, FAILED)
    [job] = terminal.ok("jobs", "list", "--state", "failed", "--json").json["jobs"]
    assert (job["job"], job["attempts"]) == ("a.job", 9)
    assert "a.job" in terminal.ok("jobs", "list").out
    assert "runs again" in terminal.ok("jobs", "retry", str(job["id"])).out
    again = terminal.run("jobs", "retry", str(job["id"]))
    assert (again.code, "waits for its first try" in again.err) == (1, True)
    assert terminal.run("jobs", "retry", "4711").code == 1


def test_an_agent_is_refused(terminal: Terminal) -> None:
    terminal.ok("user", "create", "sam@example.org", "--role", "agent", "--generate-password")
    for command in (("db", "health"), ("db", "slow"), ("jobs", "list"), ("jobs", "retry", "1")):
        result = terminal.run(*command, "--as", "sam@example.org")
        assert (result.code, "may not" in result.err) == (1, True)
