"""The test of a mailbox's connections says which step fails, and why, in the server's own words."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from deskbell.mail.mailboxes.models import Security
from deskbell.mail.mailboxes.oauth import Grant
from deskbell.mail.sources.checking import Step, check_mailbox
from deskbell.mail.sources.servers import Server, kept_servers
from tests.mail.imap_server import NAME, PASSWORD, ImapServer, imap_server, line_to
from tests.mail.sources.fetched import SYSTEM, FetchedDesk
from tests.mail.token_server import token_server
from tests.tls_server import authority

pytestmark = pytest.mark.anyio

USER = "help@example.test"


def good(machine: ImapServer) -> Server:
    return Server(NAME, machine.tls_port, Security.TLS, USER, PASSWORD, authority=machine.authority)


def stages(steps: list[Step]) -> list[str]:
    return [f"{step.stage.value}{'' if step.is_ok else ' failed'}" for step in steps]


async def tried(server: Server, *folders: str, patience: float = 15) -> list[Step]:
    return await check_mailbox(imap=server, folders=folders or ("INBOX",), patience=patience)


async def test_a_mailbox_that_can_be_fetched_passes_every_step(imap_machine: ImapServer) -> None:
    imap_machine.maildir(USER)
    steps = await tried(good(imap_machine))
    assert stages(steps) == ["resolve", "connect", "tls", "log_in", "capabilities", "folder"]
    words = [step.words for step in steps]
    assert f"for {NAME}, signed by the test's own, good until 20" in words[2]
    assert words[3:5] == [f"{USER} is let in.", "The server tells of new mail at once (IDLE)."]
    assert words[5] == "INBOX holds 0 messages."


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.NONE])
async def test_the_other_ways_to_connect_are_tried_as_they_are(imap_machine: ImapServer, security: Security) -> None:
    steps = await tried(replace(good(imap_machine), port=imap_machine.port, security=security))
    assert [step.is_ok for step in steps] == [True] * 6
    assert ("Nothing is encrypted" in steps[2].words) == (security is Security.NONE)


async def test_a_name_that_nobody_has_is_said(imap_machine: ImapServer) -> None:
    [step] = await tried(replace(good(imap_machine), host="imap.nowhere.invalid"))
    assert (step.stage.value, step.is_ok) == ("resolve", False)
    assert step.words.startswith("There is no server imap.nowhere.invalid: ")


async def test_a_port_that_nobody_listens_to_is_said(imap_machine: ImapServer) -> None:
    steps = await tried(replace(good(imap_machine), host="127.0.0.1", port=1))
    assert stages(steps) == ["resolve", "connect failed"]
    assert steps[1].words == "127.0.0.1:1 does not answer: Connection refused."


async def test_a_silent_server_is_said_to_be(imap_machine: ImapServer) -> None:
    with line_to(imap_machine.port) as line:
        line.is_silent = True
        server = replace(good(imap_machine), host="127.0.0.1", port=line.port, security=Security.NONE)
        steps = await tried(server, patience=0.5)
        line.is_silent = False
    assert (stages(steps)[-1], steps[-1].words) == ("connect failed", f"{server} does not answer: timed out.")


@pytest.mark.parametrize("is_tls", [True, False])
async def test_an_unknown_authority_is_named(imap_machine: ImapServer, is_tls: bool) -> None:  # noqa: FBT001 - a parameter
    server = replace(good(imap_machine), authority="")
    if not is_tls:
        server = replace(server, port=imap_machine.port, security=Security.STARTTLS)
    steps = await tried(server)
    assert stages(steps) == ["resolve", "connect", "tls failed"]
    assert f"The certificate of {server} is not trusted: unable to get local issuer certificate." in steps[2].words
    assert f"It shows one for {NAME}, signed by the test's own, good until 20" in steps[2].words


async def test_a_certificate_for_another_name_is_named(imap_machine: ImapServer) -> None:
    steps = await tried(replace(good(imap_machine), host="127.0.0.1"))
    assert stages(steps) == ["resolve", "connect", "tls failed"]
    assert "certificate is not valid for '127.0.0.1'. It shows one for localhost" in steps[2].words


async def test_tls_where_there_is_none_is_said(imap_machine: ImapServer) -> None:
    steps = await tried(replace(good(imap_machine), port=imap_machine.port))
    assert (stages(steps)[-1], "cannot be spoken to by TLS" in steps[-1].words) == ("tls failed", True)


async def test_an_authority_that_is_no_certificate_is_said(imap_machine: ImapServer) -> None:
    steps = await tried(replace(good(imap_machine), authority="not a certificate"))
    assert stages(steps)[-1] == "tls failed"


async def test_a_wrong_password_is_told_in_the_servers_words(imap_machine: ImapServer) -> None:
    steps = await tried(replace(good(imap_machine), password="wrong"))
    assert stages(steps)[-1] == "log_in failed"
    assert steps[-1].words.endswith("[AUTHENTICATIONFAILED] Authentication failed.")


@pytest.mark.parametrize(
    ("user", "password"), [("zoë@example.test", "wrong"), (USER, "müßig"), ("a b", "c"), ('"', '"\\')]
)
async def test_names_and_passwords_are_sent_as_they_are(imap_machine: ImapServer, user: str, password: str) -> None:
    steps = await tried(replace(good(imap_machine), user=user, password=password))
    assert stages(steps)[-1] == "log_in failed"
    assert "Authentication failed" in steps[-1].words


async def test_a_folder_that_is_not_there_keeps_nobody_from_the_next(imap_machine: ImapServer) -> None:
    imap_machine.maildir(USER, "Support")
    steps = await tried(good(imap_machine), "INBOX", "Suport", "Support")
    assert [(step.about, step.is_ok) for step in steps[5:]] == [("INBOX", True), ("Suport", False), ("Support", True)]
    assert "Mailbox doesn't exist: Suport" in steps[6].words


async def test_a_token_lets_in_and_one_that_is_refused_is_said() -> None:
    with token_server(email=USER) as tokens, imap_server(tokens_port=tokens.port) as machine:
        bearer = replace(good(machine), password="", grant=Grant(tokens.url, "desk", "s", "refresh-0"))
        machine.maildir(USER)
        steps = await tried(bearer)
        assert stages(steps)[3:] == ["token", "log_in", "capabilities", "folder"], [step.words for step in steps]
        tokens.revoked = {"access-2"}
        steps = await tried(bearer)
        assert stages(steps)[3:] == ["token", "log_in failed"]
        tokens.refuses = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."}
        steps = await tried(bearer)
        assert stages(steps)[3:] == ["token failed"]
        assert "invalid_client: AADSTS7000215: Invalid client secret" in steps[3].words


class Postman:
    """Takes mail from everybody but one."""

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.7.1 Sender rejected: not yours"
        envelope.mail_from = address
        return "250 OK"


def let_in(_server: SMTP, _session: Session, _envelope: Envelope, _kind: str, given: Any) -> AuthResult:
    is_known = isinstance(given, LoginPassword) and given.password == PASSWORD.encode()
    return AuthResult(success=is_known, handled=False)


@pytest.fixture
def postmaster(tmp_path: Path) -> Iterator[Server]:
    """An SMTP server with STARTTLS."""
    ours = authority(tmp_path, "the test's own")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ours.sign(NAME, tmp_path))
    options: Any = {"tls_context": context, "auth_required": True, "authenticator": let_in}
    with line_to(1) as free:
        port = free.port
    controller = Controller(Postman(), hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield Server(NAME, port, Security.STARTTLS, USER, PASSWORD, authority=ours.file.read_text())
    finally:
        controller.stop()


async def test_a_server_that_takes_our_mail_passes_every_step(postmaster: Server) -> None:
    steps = await check_mailbox(smtp=postmaster, sender=USER)
    assert stages(steps) == ["resolve", "connect", "tls", "log_in", "sender"], [step.words for step in steps]
    assert {step.service for step in steps} == {"smtp"}
    assert f"for {NAME}, signed by the test's own" in steps[2].words


async def test_a_server_that_does_not_says_why(postmaster: Server) -> None:
    steps = await check_mailbox(smtp=postmaster, sender="nobody@example.test")
    assert steps[-1].words == f"{NAME} takes nothing from this sender: 550 5.7.1 Sender rejected: not yours."
    steps = await check_mailbox(smtp=replace(postmaster, password="wrong"), sender=USER)
    assert (stages(steps)[-1], "535 5.7.8" in steps[-1].words) == ("log_in failed", True)
    steps = await check_mailbox(smtp=replace(postmaster, authority=""), sender=USER)
    assert stages(steps) == ["resolve", "connect", "tls failed"]
    assert "unable to get local issuer certificate. It shows one for localhost, signed by the test's" in steps[2].words
    steps = await check_mailbox(smtp=replace(postmaster, security=Security.TLS), sender=USER)
    assert stages(steps)[-1] == "tls failed"


async def test_a_mailbox_is_tried_as_it_is_kept(mail_desk: FetchedDesk) -> None:
    mailbox = mail_desk.mailbox("INBOX", "Support")
    with mail_desk.database.transaction(SYSTEM) as session:
        kept = kept_servers(session, mailbox.id)
    assert (kept.folders, kept.smtp, kept.sender) == (("INBOX", "Support"), None, mailbox.address)
    steps = await check_mailbox(imap=kept.imap, folders=kept.folders)
    assert all(step.is_ok for step in steps)
    assert PASSWORD not in repr(kept)
