"""Access tokens for mailboxes: asked for once, kept while they are good, refused with the server's own words."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from deskbell.mail.mailboxes.oauth import Grant, TokenError, Tokens
from tests.mail.token_server import TokenServer, token_server


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with token_server() as running:
        yield running


def grant(server: TokenServer, **other: str) -> Grant:
    return replace(Grant(server.url, "the desk", "s3cret", "refresh-0"), **other)


def test_a_token_is_asked_for_once_and_kept_while_it_is_good(server: TokenServer) -> None:
    tokens = Tokens()
    assert [tokens.get(grant(server)).access for _ in range(3)] == ["access-1"] * 3
    assert server.asked == [
        {
            "grant_type": "refresh_token",
            "client_id": "the desk",
            "client_secret": "s3cret",
            "refresh_token": "refresh-0",
        }
    ]


def test_a_token_that_ends_soon_is_not_used_any_more(server: TokenServer) -> None:
    tokens, server.lifetime = Tokens(), 60
    first = tokens.get(grant(server))
    assert first.ends_at > 0
    tokens._held = {key: type(held)(held.access, held.refresh, 0) for key, held in tokens._held.items()}
    assert tokens.get(grant(server)).access == "access-2"


def test_a_token_that_was_refused_is_forgotten(server: TokenServer) -> None:
    tokens = Tokens()
    tokens.get(grant(server))
    tokens.forget(grant(server))
    assert tokens.get(grant(server)).access == "access-2"


def test_of_many_who_want_a_token_one_asks(server: TokenServer) -> None:
    tokens, got = Tokens(), []
    threads = [threading.Thread(target=lambda: got.append(tokens.get(grant(server)).access)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (got, len(server.asked)) == (["access-1"] * 8, 1)


def test_a_public_client_and_a_scope_are_told(server: TokenServer) -> None:
    Tokens().get(grant(server, secret="", scope="https://outlook.office.com/IMAP.AccessAsUser.All offline_access"))
    [asked] = server.asked
    assert "client_secret" not in asked
    assert asked["scope"] == "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"


def test_a_new_refresh_token_is_told_and_known_by_both_names(server: TokenServer) -> None:
    tokens, server.rotates = Tokens(), True
    assert tokens.get(grant(server)).refresh == "refresh-1"
    assert tokens.get(grant(server, refresh="refresh-1")).access == "access-1"
    assert len(server.asked) == 1


def test_a_refusal_says_what_the_server_said(server: TokenServer) -> None:
    with pytest.raises(TokenError, match="gave no access token: invalid_grant: Token has been expired or revoked"):
        Tokens().get(grant(server, refresh="stale"))


def test_secrets_are_sent_over_https_alone() -> None:
    with pytest.raises(TokenError, match="over https:// alone"):
        Tokens().get(Grant("http://login.example.test/token", "desk", "s3cret", "refresh"))


def test_nothing_of_a_grant_or_a_token_is_shown(server: TokenServer) -> None:
    shown = repr(grant(server)) + repr(Tokens().get(grant(server)))
    assert not any(secret in shown for secret in ("s3cret", "refresh-0", "access-1"))


def test_a_server_that_is_not_there_is_said_to_be() -> None:
    nowhere = Grant("http://127.0.0.1:1/token", "desk", "", "refresh")
    with pytest.raises(TokenError, match=r"127\.0\.0\.1 cannot be asked for a token"):
        Tokens().get(nowhere)
