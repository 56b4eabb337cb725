"""`deskbell mail outbox` on a desk without a mail server: a link can be handed over by hand."""

import psycopg
import pytest

from tests.cli.conftest import Terminal

WAITING = """
insert into outbound_messages (kind, state, reason, recipient, subject, text, html)
values ('reset', 'queued', 'No mail server is configured', 'kim@example.test', '[DB-1] [bold]Hi',
        'https://desk/x?token=y', 'x'),
       ('answered', 'failed', '550 No such person', 'sam@example.test', 'Answer', 'words', 'words'),
       ('answered', 'sent', '250 OK', 'pat@example.test', 'Sent', '', '')
"""


@pytest.fixture
def filled(terminal: Terminal) -> Terminal:
    terminal.ok("db", "upgrade")
    with psycopg.connect(terminal.address.dsn) as connection:
        connection.execute(WAITING)
    return terminal


def test_messages_are_listed_with_what_the_server_said(filled: Terminal) -> None:
    told = filled.ok("mail", "outbox").out
    for part in ("kim@example.test", "550 No such person", "250 OK"):
        assert part in told
    assert "token=y" not in told
    assert "kim@" not in filled.ok("mail", "outbox", "--state", "failed").out


def test_a_link_can_be_handed_over_without_a_server(filled: Terminal) -> None:
    told = filled.ok("mail", "outbox", "--state", "queued", "--text").out
    assert "https://desk/x?token=y" in told
    assert "[DB-1] [bold]Hi" in told
    [message] = filled.ok("mail", "outbox", "--state", "queued", "--json").json["messages"]
    assert (message["recipient"], message["state"], "text" in message) == ("kim@example.test", "queued", False)


def test_what_waits_or_failed_is_tried_again(filled: Terminal) -> None:
    assert "2 messages" in filled.ok("mail", "outbox", "--retry").out
    assert "No message is failed" in filled.ok("mail", "outbox", "--state", "failed").err


def test_an_empty_outbox_says_so(terminal: Terminal) -> None:
    assert "empty" in terminal.ok("mail", "outbox").err
