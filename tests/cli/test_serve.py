"""`deskbell serve`: from nothing to a page, and to a clean end. As a process of its own, with its own database."""

import json
import re
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from deskbell.cli import app
from deskbell.kernel.embedded.postmaster import running, shut_down
from deskbell.kernel.embedded.waiting import deadline_in
from tests.cli.conftest import PROGRAM, Terminal, start_program

READY = re.compile(r"Deskbell is ready: (http://\S+)")
PATIENT = (*PROGRAM[:2], f"from deskbell.cli import serving; serving.GRACE = 3600; {PROGRAM[2]}")
"""Gives requests in flight an hour, so that who waits for them when it should not is found out."""


@pytest.fixture
def data_dir(clean_environment: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data directory in which nothing is, and no server in the end."""
    with tempfile.TemporaryDirectory(prefix="deskbell-test-") as folder:
        clean_environment.setenv("DESKBELL_DATA_DIR", str(Path(folder) / "desk"))
        yield Path(folder) / "desk"
        shut_down(Path(folder) / "desk/postgres", deadline_in(10))


def serve(*options: str, program: Sequence[str] = PROGRAM) -> tuple[subprocess.Popen[str], str, str]:
    """Start it on a free port; return the process, its address, and what it said until it was ready."""
    process = start_program("serve", "--port", "0", *options, program=program)
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if found := READY.match(line):
            return process, found[1], said
    _, err = process.communicate(timeout=60)
    pytest.fail(f"it did not start: {said}{err}")


def stop(process: subprocess.Popen[str], by: signal.Signals) -> str:
    """Send a signal; return what it said from then on."""
    process.send_signal(by)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (0, False), out + err
    return out


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - our own address
        return str(answer.read().decode())


def log_in(url: str, email: str, password: str) -> int:
    """Return the status that the API answers."""
    body = json.dumps({"email": email, "password": password}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/v1/session", body, headers)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


def test_from_nothing_to_a_page_and_to_a_clean_end(data_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    process, url, said = serve()
    shown = dict(re.findall(r"^    (e-mail|password|address) +(\S+)$", said, re.MULTILINE))
    assert shown["address"] == url
    assert json.loads(get(f"{url}/healthz")) == {"status": "ok"}
    assert log_in(url, shown["e-mail"], shown["password"]) in {200, 201}
    assert log_in(url, shown["e-mail"], "not the password") == 401
    assert stop(process, signal.SIGINT).endswith("Stopped.\n")
    assert running(data_dir / "postgres") is None
    assert shown["password"] not in "".join(path.read_text(errors="replace") for path in data_dir.glob("*.log"))

    assert app.run(["ticket", "list", "--json"]) == 0
    assert len(json.loads(capfd.readouterr().out)["tickets"]) >= 10, "an empty desk gets a demo"

    again, url, said = serve("--no-worker")
    assert "password" not in said
    assert log_in(url, shown["e-mail"], shown["password"]) in {200, 201}
    stop(again, signal.SIGTERM)
    assert running(data_dir / "postgres") is None


def test_told_so_it_begins_without_a_demo(terminal: Terminal) -> None:
    process, _, _ = serve("--no-demo", "--admin-email", "pat@example.test")
    stop(process, signal.SIGTERM)
    assert [user["email"] for user in terminal.ok("user", "list", "--json").json["users"]] == ["pat@example.test"]
    process, _, said = serve()  # somebody is here already: this is no empty desk to show around in
    stop(process, signal.SIGTERM)
    assert "password" not in said
    assert terminal.ok("ticket", "list").out == ""


def test_the_worker_runs_alone_and_stops_when_told(terminal: Terminal) -> None:
    process = terminal.start("worker", "--concurrency", "1")
    assert process.stdout
    assert process.stdout.readline() == "The worker runs; Ctrl-C stops it.\n"
    assert process.stderr
    assert "worker_started" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out.endswith("Stopped.\n")) == (0, True)


def test_where_nobody_reads_any_more_it_stops_without_a_word(terminal: Terminal) -> None:
    process, url, _ = serve("--no-demo")
    terminal.processes.append(process)
    assert process.stdout
    process.stdout.close()
    assert json.loads(get(f"{url}/healthz")) == {"status": "ok"}
    process.send_signal(signal.SIGINT)
    assert process.stderr
    assert (process.stderr.read(), process.wait(timeout=60)) == ("", 0)


@contextmanager
def a_request_under_way(terminal: Terminal) -> Iterator[tuple[subprocess.Popen[str], Future[int], psycopg.Connection]]:
    """Serve, and yield while somebody logs in and waits for a lock that the connection holds."""
    terminal.ok(
        "user", "create", "sam@example.test", "--role", "admin", "--password-stdin", stdin="correct horse battery\n"
    )
    process, url, _ = serve("--no-demo", program=PATIENT)
    terminal.processes.append(process)
    with ThreadPoolExecutor(1) as pool, psycopg.connect(terminal.address.dsn) as holder:
        holder.execute("lock table login_sessions in access exclusive mode")
        answer = pool.submit(log_in, url, "sam@example.test", "correct horse battery")
        waiting = "select count(*) from pg_locks where not granted"
        with psycopg.connect(terminal.address.dsn, autocommit=True) as watcher:
            while watcher.execute(waiting).fetchone() == (0,):
                pass
        yield process, answer, holder


def told_to_stop(process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C and wait until it says that it heard."""
    process.send_signal(signal.SIGINT)
    assert process.stdout
    assert process.stdout.readline().startswith("Stopping;")


def test_what_is_in_flight_is_answered_before_it_stops(terminal: Terminal) -> None:
    with a_request_under_way(terminal) as (process, answer, holder):
        told_to_stop(process)
        holder.rollback()
        assert answer.result(60) == 201
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "Stopped.\n", "")


def test_a_second_ctrl_c_does_not_wait(terminal: Terminal) -> None:
    with a_request_under_way(terminal) as (process, answer, _):
        told_to_stop(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, "Traceback" in err) == (0, "Stopped.\n", False), err
        assert isinstance(answer.exception(60), OSError) or answer.result() >= 500
