"""Fetching a folder from a real server: every message is in the ledger exactly once, whatever happens on the way."""

from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest

from deskbell.kernel.errors import UnavailableError
from deskbell.mail.sources.errors import LostError, MailServerError, RefusedError
from deskbell.mail.sources.imap import Patience, connect
from deskbell.mail.sources.servers import imap_server as imap_server_of
from tests.mail.imap_server import line_to, message, messages
from tests.mail.sources.fetched import FetchedDesk

NUMBERS = count(1)


def some(number: int) -> list[bytes]:
    return [message(next(NUMBERS)) for _ in range(number)]


def test_what_is_new_is_written_down_once_filed_and_then_marked_as_seen(mail_desk: FetchedDesk) -> None:
    mailbox, first = mail_desk.mailbox(), some(5)
    mail_desk.server.deliver(mailbox.address, *first)
    assert mail_desk.fetch(mailbox) == 5
    assert (mail_desk.ledger(mailbox), mail_desk.server.flags(mailbox.address)) == (first, ["S"] * 5)
    later = some(2)
    mail_desk.server.deliver(mailbox.address, *later)
    assert (mail_desk.fetch(mailbox), mail_desk.fetch(mailbox)) == (2, 0)
    assert (mail_desk.ledger(mailbox), mail_desk.jobs()) == ([*first, *later], 7)
    folder = mail_desk.folder(mailbox)
    assert (folder["last_uid"], folder["problem"], folder["failing_since"]) == (7, "", None)
    assert folder["checked_at"] is not None
    places = mail_desk.query("select uid from inbound_arrivals where folder_id = %s order by uid", folder["id"])
    assert [row["uid"] for row in places] == [*range(1, 8)]


def test_several_folders_are_fetched_each_by_itself_whatever_their_names(mail_desk: FetchedDesk) -> None:
    mailbox, inbox, support = mail_desk.mailbox("INBOX", "Support"), some(2), some(3)
    mail_desk.server.deliver(mailbox.address, *inbox)
    mail_desk.server.deliver(mailbox.address, *support, folder="Support")
    assert (mail_desk.fetch(mailbox, 0), mail_desk.fetch(mailbox, 1)) == (2, 3)
    assert mail_desk.ledger(mailbox) == [*inbox, *support]


def test_a_folder_that_is_not_there_is_named_with_the_servers_words(mail_desk: FetchedDesk) -> None:
    mailbox = mail_desk.mailbox()
    mail_desk.change(mailbox, imap_folders=["Suport"])
    with pytest.raises(
        RefusedError, match=r"127\.0\.0\.1 does not open the folder Suport: Mailbox doesn't exist: Suport"
    ):
        mail_desk.fetch(mailbox)


def test_bytes_are_kept_as_they_come(mail_desk: FetchedDesk) -> None:
    odd = [
        b"Subject: \xff\xfe\x80 8 bit\r\n\r\n\xe4\xf6\xfc {12}\r\n) OK FETCH completed\r\n",
        b"no header at all\r\n",
        b"Subject: dots\r\n\r\n.\r\n..\r\n",
        b"Subject: long\r\n\r\n" + b"x" * 200_000 + b"\r\n",
        b"\r\n",
    ]
    mailbox = mail_desk.mailbox()
    mail_desk.server.deliver(mailbox.address, *odd)
    assert mail_desk.fetch(mailbox) == len(odd)
    assert mail_desk.ledger(mailbox) == odd


def test_cut_anywhere_nothing_is_lost_and_nothing_doubles(mail_desk: FetchedDesk) -> None:
    """Cut after each so many bytes of what the server says, from its greeting to its good-bye."""
    with line_to(mail_desk.server.port) as line:
        whole = mail_desk.mailbox(imap_port=line.port)
        mail_desk.server.deliver(whole.address, *some(4))
        mail_desk.fetch(whole)
    lost = 0
    for bytes_ in range(1, line.passed, max(line.passed // 24, 1)):
        sent = some(4)
        with line_to(mail_desk.server.port, cut_after=bytes_) as line:
            mailbox = mail_desk.mailbox(imap_port=line.port)
            mail_desk.server.deliver(mailbox.address, *sent)
            with pytest.raises(MailServerError) if bytes_ < 100 else suppress(MailServerError):
                mail_desk.fetch(mailbox)
        lost += mail_desk.ledger(mailbox) != sent
        mail_desk.change(mailbox, imap_port=mail_desk.server.port)
        mail_desk.fetch(mailbox)
        assert mail_desk.ledger(mailbox) == sent, bytes_
        assert mail_desk.folder(mailbox)["last_uid"] == 4
    assert lost > 10


def test_a_commit_that_fails_leaves_the_messages_on_the_server_unmarked(mail_desk: FetchedDesk) -> None:
    mail_desk.query(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;"
        "create constraint trigger refuse after insert on inbound_arrivals deferrable initially deferred"
        " for each row when (new.uid = 3) execute function refuse()"
    )
    mailbox, sent = mail_desk.mailbox(), some(4)
    mail_desk.server.deliver(mailbox.address, *sent)
    with pytest.raises(Exception, match="no"):
        mail_desk.fetch(mailbox)
    assert (
        mail_desk.ledger(mailbox),
        mail_desk.folder(mailbox)["last_uid"],
        mail_desk.server.flags(mailbox.address),
    ) == (
        [],
        0,
        [""] * 4,
    )
    mail_desk.query("drop trigger refuse on inbound_arrivals")
    assert (mail_desk.fetch(mailbox), mail_desk.ledger(mailbox), mail_desk.server.flags(mailbox.address)) == (
        4,
        sent,
        ["S"] * 4,
    )


def test_a_database_that_goes_away_halfway_costs_nothing(mail_desk: FetchedDesk) -> None:
    """The server ends the connection within the transaction that writes the third batch down."""
    mail_desk.query(
        "create function away() returns trigger language plpgsql security definer as"
        " $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;"
        "create trigger away before insert on inbound_arrivals for each row when (new.uid = 250)"
        " execute function away()"
    )
    mailbox, sent = mail_desk.mailbox(), messages(range(1000, 1450))
    mail_desk.server.deliver(mailbox.address, *sent)
    fetcher = mail_desk.fetcher(mailbox)
    with pytest.raises(UnavailableError):
        mail_desk.fetch(mailbox, fetcher=fetcher)
    mail_desk.query("drop trigger away on inbound_arrivals")
    assert len(mail_desk.ledger(mailbox)) == 200
    mail_desk.fetch(mailbox, fetcher=fetcher)
    assert (mail_desk.ledger(mailbox), mail_desk.jobs()) == (sent, 450)


def test_numbered_anew_a_folder_is_read_again_and_nothing_doubles(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), some(6)
    mail_desk.server.deliver(mailbox.address, *sent)
    mail_desk.fetch(mailbox)
    before = mail_desk.folder(mailbox)
    mail_desk.server.renumber(mailbox.address)
    later = some(1)
    mail_desk.server.deliver(mailbox.address, *later)
    assert mail_desk.fetch(mailbox) == 1
    after = mail_desk.folder(mailbox)
    assert mail_desk.ledger(mailbox) == [*sent, *later]
    assert (after["uid_validity"], after["last_uid"], after["problem"]) == (4_294_967_290, 7, "")
    assert before["uid_validity"] != after["uid_validity"]
    assert mail_desk.query("select count(*) from inbound_arrivals where folder_id = %s", after["id"])[0]["count"] == 13


def test_while_a_renumbered_folder_is_read_again_its_page_says_why(mail_desk: FetchedDesk) -> None:
    mailbox = mail_desk.mailbox()
    mail_desk.server.deliver(mailbox.address, *some(2))
    mail_desk.fetch(mailbox)
    mail_desk.server.renumber(mailbox.address)
    fetcher = mail_desk.fetcher(mailbox)
    fetcher.is_stopped = lambda: True
    mail_desk.fetch(mailbox, fetcher=fetcher)
    folder = mail_desk.folder(mailbox)
    assert "numbers what is in INBOX anew" in folder["problem"]
    assert folder["failing_since"] is not None


def test_a_server_that_went_back_to_a_backup_is_read_again(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), some(3)
    mail_desk.server.deliver(mailbox.address, *sent)
    mail_desk.fetch(mailbox)
    mail_desk.query("update mailbox_folders set last_uid = 50 where mailbox_id = %s", mailbox.id)
    later = some(2)
    mail_desk.server.deliver(mailbox.address, *later)
    assert mail_desk.fetch(mailbox) == 2
    assert (mail_desk.ledger(mailbox), mail_desk.folder(mailbox)["last_uid"]) == ([*sent, *later], 5)


def test_the_same_message_in_two_folders_is_one_message_with_two_arrivals(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox("INBOX", "Copies"), some(1)
    mail_desk.server.deliver(mailbox.address, *sent)
    mail_desk.server.deliver(mailbox.address, *sent, folder="Copies")
    assert (mail_desk.fetch(mailbox, 0), mail_desk.fetch(mailbox, 1)) == (1, 0)
    assert (mail_desk.ledger(mailbox), mail_desk.jobs()) == (sent, 1)
    assert mail_desk.query("select count(*) from inbound_arrivals")[0]["count"] == 2


def test_a_message_that_ends_every_connection_is_left_behind_and_the_others_come(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), some(5)
    paths = mail_desk.server.deliver(mailbox.address, *sent)
    paths[2].chmod(0)
    fetcher = mail_desk.fetcher(mailbox)
    for _ in range(10):
        with suppress(MailServerError):
            mail_desk.fetch(mailbox, fetcher=fetcher)
            break
    assert mail_desk.ledger(mailbox) == [*sent[:2], *sent[3:]]
    assert (mail_desk.folder(mailbox)["missing"], mail_desk.folder(mailbox)["last_uid"]) == ([3], 5)


def test_a_folder_that_may_only_be_read_is_fetched_all_the_same(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), some(2)
    mail_desk.server.deliver(mailbox.address, *sent)
    (mail_desk.server.maildir(mailbox.address) / "dovecot-acl").write_text("")
    assert mail_desk.fetch(mailbox) == 2
    assert mail_desk.ledger(mailbox) == sent


def test_two_who_fetch_the_same_folder_write_each_message_once(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), messages(range(2000, 2300))
    mail_desk.server.deliver(mailbox.address, *sent)
    one, other = mail_desk.fetcher(mailbox), mail_desk.fetcher(mailbox)
    other.transaction = replace(one).transaction
    turns = iter(range(100))
    one.is_stopped = lambda: bool(next(turns) == 1 and mail_desk.fetch(mailbox, fetcher=other) is None)
    mail_desk.fetch(mailbox, fetcher=one)
    assert (sorted(mail_desk.ledger(mailbox)), mail_desk.jobs()) == (sorted(sent), 300)
    assert mail_desk.folder(mailbox)["last_uid"] == 300


def test_a_silent_server_is_given_up(mail_desk: FetchedDesk) -> None:
    with line_to(mail_desk.server.port) as line:
        mailbox = mail_desk.mailbox(imap_port=line.port)
        line.is_silent = True
        with pytest.raises(LostError, match="does not answer: timed out"):
            connect(imap_server_of(mail_desk.account(mailbox)), patience=Patience(0.5, 0.5))
        line.is_silent = False


def test_a_thousand_waiting_messages_come_in_batches_after_other_mailboxes(mail_desk: FetchedDesk) -> None:
    mailbox, sent = mail_desk.mailbox(), messages(range(3000, 4000))
    mail_desk.server.deliver(mailbox.address, *sent)
    assert mail_desk.fetch(mailbox) == 1000
    assert mail_desk.ledger(mailbox) == sent
    rows = mail_desk.query(
        "select distinct priority from jobs.procrastinate_jobs where task_name = 'mail.file_message'"
    )
    assert [row["priority"] for row in rows] == [-1]
    moments = mail_desk.query("select count(distinct xmin::text) from inbound_messages")
    assert moments[0]["count"] == 10
