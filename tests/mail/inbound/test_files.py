"""Messages found in files, folders, mbox and Maildir."""

import mailbox
import os
from pathlib import Path

import pytest

from deskbell.mail.inbound.files import FoundMessage, Skipped, read_messages
from deskbell.mail.parsing import parse

RAW = b"From: a@example.com\nSubject: one\n\nhello\n"
ENVELOPE = b"From a@example.com Mon May  3 10:00:00 2027\n"


def found(*paths: Path) -> list[tuple[str, bytes]]:
    return [(each.source, each.raw) for each in read_messages(paths) if isinstance(each, FoundMessage)]


def skipped(*paths: Path) -> dict[str, str]:
    return {Path(each.source).name: each.reason for each in read_messages(paths) if isinstance(each, Skipped)}


def test_a_single_file_is_read_untouched(tmp_path: Path) -> None:
    file = tmp_path / "a.eml"
    file.write_bytes(RAW.replace(b"\n", b"\r\n"))
    assert found(file) == [(str(file), RAW.replace(b"\n", b"\r\n"))]


def test_a_folder_is_read_with_all_below_it_by_name(tmp_path: Path) -> None:
    for name in ("b.eml", "a.eml", "sub/c.eml", "noext"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(RAW)
    assert [Path(source).name for source, _ in found(tmp_path)] == ["a.eml", "b.eml", "noext", "c.eml"]


def test_files_that_are_no_messages_are_skipped_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "x_reply_text").write_bytes(b"Hello\n\nSent from my iPhone")
    (tmp_path / "table.csv").write_bytes(b"text,category\nFrom: here,x\n")
    (tmp_path / "empty").write_bytes(b"")
    assert set(skipped(tmp_path)) == {"x_reply_text", "table.csv", "empty"}
    assert "header fields" in skipped(tmp_path)["table.csv"]
    assert found(tmp_path) == []


def test_an_empty_eml_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "a.EML").write_bytes(b"")
    assert found(tmp_path) == [(str(tmp_path / "a.EML"), b"")]


def test_an_mbox_is_split_at_its_envelopes_only(tmp_path: Path) -> None:
    file = tmp_path / "all.mbox"
    second = (
        b"From: b@example.com\nSubject: two\n\nFrom here on\n\nFrom what I read in 2027 it rains.\nFrom me 10:00 2027\n"
    )
    file.write_bytes(ENVELOPE + RAW + b"\n" + ENVELOPE + second)
    assert found(file) == [(f"{file}:1", RAW), (f"{file}:2", second)]


def test_an_mbox_written_by_the_standard_library_is_read(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    for number in range(3):
        box.add(RAW.replace(b"one", b"%d" % number))
    box.close()
    assert [parse(raw).subject for _, raw in found(tmp_path / "box")] == ["0", "1", "2"]


def test_a_maildir_is_read_without_what_is_still_being_delivered(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    box.add(RAW)
    box.close()
    (tmp_path / "box" / "cur" / "1.x:2,S").write_bytes(b"no header at all")
    (tmp_path / "box" / "tmp" / "2.x").write_bytes(RAW)
    assert [raw for _, raw in found(tmp_path)] == [b"no header at all", RAW]


def test_a_file_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    assert skipped(tmp_path / "nowhere") == {"nowhere": "does not exist"}
    (tmp_path / "a.eml").write_bytes(RAW)
    assert skipped(tmp_path / "a.eml" / "b.eml") == {"b.eml": "could not be read: Not a directory"}
    assert next(read_messages(["a\0b"])).source == "ab"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(RAW)
    (tmp_path / "a.eml").chmod(0)
    assert skipped(tmp_path) == {"a.eml": "could not be read: Permission denied"}


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.eml").write_bytes(RAW)
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "dead").symlink_to(tmp_path / "nothing")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    assert len(found(tmp_path)) == 1
    assert set(skipped(tmp_path)) == {"loop", "dead", "self"}


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert skipped(tmp_path) == {"pipe": "is neither a file nor a folder"}


def test_messages_are_read_one_at_a_time(tmp_path: Path) -> None:
    for name in ("a.eml", "b.eml"):
        (tmp_path / name).write_bytes(RAW)
    messages = read_messages([tmp_path])
    assert next(messages).source.endswith("a.eml")
    (tmp_path / "b.eml").unlink()
    assert isinstance(next(messages), Skipped)
