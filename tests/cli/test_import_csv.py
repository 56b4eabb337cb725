"""`deskbell import csv`: good rows become tickets, bad ones are named, and running it again changes nothing."""

import signal
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import Result, Terminal

LATE = "My card has not arrived.,card_arrival\n"
GOOD = f"text,category\n{LATE}How do I top up?,top_up\n{LATE}"
BAD = 'text,category\nHello there,a\n,b\nfine,d\nx,y,z\n"never closed,c\n'
ASK = ("--map", "text=message,category=tag", "--requester", "kim@example.test")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "questions.csv"


def tickets(terminal: Terminal, query: str = "") -> list[str]:
    found = terminal.ok("ticket", "list", query, "--limit", "200", "--json").json["tickets"]
    return sorted(ticket["title"] for ticket in found)


def imported(terminal: Terminal, file: Path, content: str, *options: str, ask: tuple[str, ...] = ASK) -> Result:
    file.write_text(content, encoding="utf-8")
    return terminal.run("import", "csv", file, *ask, *options)


def test_each_row_becomes_a_tagged_ticket(terminal: Terminal, file: Path) -> None:
    result = imported(terminal, file, GOOD)
    assert (result.code, result.err) == (0, "")
    assert "3 tickets added, 0 rows known already, 0 bad rows" in result.out
    assert tickets(terminal, "tag:card_arrival") == ["My card has not arrived."] * 2


def test_a_second_run_adds_nothing_and_says_so(terminal: Terminal, file: Path) -> None:
    imported(terminal, file, GOOD)
    again = imported(terminal, file, GOOD)
    assert again.code == 0
    assert "0 tickets added, 3 rows known already" in again.out
    assert "Nothing new" in again.out
    assert len(tickets(terminal)) == 3


def test_force_new_adds_everything_again(terminal: Terminal, file: Path) -> None:
    imported(terminal, file, GOOD)
    assert "3 tickets added" in imported(terminal, file, GOOD, "--force-new").out


def test_bad_rows_are_named_and_the_good_ones_kept(terminal: Terminal, file: Path) -> None:
    result = imported(terminal, file, BAD)
    assert result.code == 1
    assert [line.split(": ")[0] for line in result.err.splitlines()] == [f"{file}:3", f"{file}:5", f"{file}:6"]
    assert f"{file}:3: column “text”: the message is empty." in result.err
    assert tickets(terminal) == ["Hello there", "fine"]


def test_strict_keeps_nothing(terminal: Terminal, file: Path) -> None:
    result = imported(terminal, file, BAD, "--strict")
    assert (result.code, len(result.err.splitlines())) == (1, 3)
    assert "Nothing was kept" in result.out
    assert tickets(terminal) == []


def test_strict_keeps_nothing_when_only_the_database_finds_the_row_bad(terminal: Terminal, file: Path) -> None:
    ask = ("--map", "text=message,who=assignee", "--requester", "kim@example.test")
    content = "text,who\nFirst,\nSecond,nobody@example.test\n"
    result = imported(terminal, file, content, "--strict", "--batch-size", "1", ask=ask)
    assert result.code == 1
    assert "the assignee nobody@example.test is not an active agent" in result.err
    assert tickets(terminal) == []


def test_strict_keeps_everything_when_all_is_well(terminal: Terminal, file: Path) -> None:
    assert imported(terminal, file, GOOD, "--strict").code == 0
    assert len(tickets(terminal)) == 3


def test_a_dry_run_changes_nothing_and_uses_up_no_number(terminal: Terminal, file: Path) -> None:
    result = imported(terminal, file, GOOD, "--dry-run")
    assert result.code == 0
    assert "3 tickets would be added" in result.out
    assert tickets(terminal) == []
    imported(terminal, file, GOOD)
    first = terminal.ok("ticket", "list", "--json").json["tickets"][-1]["number"]
    assert first == "DB-1001"


def test_json_is_one_document_on_standard_output(terminal: Terminal, file: Path) -> None:
    result = imported(terminal, file, BAD, "--json")
    assert result.code == 1
    assert (result.json["added"], result.json["known"]) == (2, 0)
    assert [row["line"] for row in result.json["bad_rows"]] == [3, 5, 6]


def test_the_wrong_encoding_is_named_with_the_one_to_try(terminal: Terminal, file: Path) -> None:
    file.write_bytes("text\ncafé\nplain\n".encode("cp1252"))
    result = terminal.run("import", "csv", file, "--map", "text=message", "--requester", "kim@example.test")
    assert result.code == 1
    assert f"{file}:2: column “text”: the byte 0xE9 is not utf-8; try --encoding cp1252." in result.err
    ask = ("--map", "text=message", "--requester", "kim@example.test", "--encoding", "cp1252")
    assert "1 ticket added, 1 row known" in terminal.ok("import", "csv", file, *ask).out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--map text=message,category=tag"),
        (("--map", "text=message"), "--requester"),
        (("--map", "category=tag", "--requester", "kim@example.test"), "which column holds the message"),
        (("--map", "txt=message", "--requester", "kim@example.test"), "Did you mean “text”?"),
        (("--map", "text=mesage", "--requester", "kim@example.test"), "Did you mean “message”?"),
        (("--map", "text=message", "--requester", "kim"), "not an e-mail address"),
        (("--map", "text=message", "--requester", "kim@example.test", "--encoding", "utf-88"), "no encoding “utf-88”"),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_one_line(
    bystander: Terminal, file: Path, options: tuple[str, ...], said: str
) -> None:
    result = imported(bystander, file, GOOD, ask=options)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1


def test_a_file_that_is_not_there_is_said_so(bystander: Terminal, tmp_path: Path) -> None:
    result = bystander.run("import", "csv", tmp_path / "nope.csv", *ASK)
    assert result.code == 2
    assert "nope.csv cannot be read: No such file or directory" in result.err


def test_all_batches_of_an_import_are_one_operation(terminal: Terminal, file: Path) -> None:
    imported(terminal, file, GOOD, "--batch-size", "1")
    numbers = [ticket["number"] for ticket in terminal.ok("ticket", "list", "--json").json["tickets"]]
    histories = [terminal.ok("audit", "show", number, "--json").json["changes"] for number in numbers]
    assert len({history[0]["operation_id"] for history in histories}) == 1
    assert {history[0]["act"] for history in histories} == {"deskbell import csv questions.csv"}


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_an_import_that_was_stopped_goes_on_when_it_is_run_again(
    terminal: Terminal, tmp_path: Path, stop: signal.Signals, code: int
) -> None:
    whole = "text\n" + "".join(f"question {number}\n" for number in range(40_000))
    file = tmp_path / "many.csv"
    file.write_text(whole, encoding="utf-8")
    ask = ("--map", "text=message", "--requester", "kim@example.test")
    process = terminal.start("import", "csv", file, *ask, "--batch-size", "100")
    before = 0
    while not 0 < before < 40_000:
        before = count(terminal)
    process.send_signal(stop)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, out + err
    if stop is signal.SIGINT:
        assert "Run the same command again to go on." in err
    kept = count(terminal)
    assert 0 < kept < 40_000
    file.write_text("".join(whole.splitlines(keepends=True)[: kept + 101]), encoding="utf-8")
    again = terminal.ok("import", "csv", file, *ask)
    assert f"100 tickets added, {kept:,} rows known already" in again.out


def count(terminal: Terminal) -> int:
    with psycopg.connect(terminal.address.dsn) as connection:
        row = connection.execute("select count(*) from tickets").fetchone()
        assert row
        return int(row[0])
