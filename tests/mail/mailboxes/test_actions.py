"""Adding and changing mailboxes: what is refused and where, and that secrets stay secret."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select, text
from sqlalchemy.orm import undefer

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.actions import Wanted, change_mailbox, create_mailbox, set_mailbox_active
from deskbell.mail.mailboxes.errors import AddressTakenError
from deskbell.mail.mailboxes.models import Mailbox, MailboxTag, Security
from deskbell.mail.mailboxes.rules import port_of
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.models import Tag

FETCHED = {"address": "help@example.org", "imap_host": "imap.example.org", "imap_user": "help"}


@pytest.fixture
def admin(factory: Factory) -> Actor:
    return actor(factory.user(Role.ADMIN))


def make(database: Database, who: Actor, secrets: dict[str, str | None] | None = None, **facts: Any) -> Mailbox:
    with database.transaction(who) as session:
        return create_mailbox(session, Wanted(facts, secrets or {}))


def secret(database: Database, mailbox_id: int, name: str) -> str | None:
    """What the system finds, which alone may read it."""
    with database.transaction(SYSTEM) as session:
        one = session.get_one(Mailbox, mailbox_id, options=[undefer(getattr(Mailbox, name))], populate_existing=True)
        sealed = getattr(one, name)
        return sealed and resources_of(session).vault.open(sealed, f"mailboxes.{name}", mailbox_id)


def pem(key: Any) -> str:
    written: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return written.decode()


def test_a_mailbox_begins_with_what_is_usual(database: Database, admin: Actor) -> None:
    made = make(database, admin, address=" Help@Example.org ")
    assert (made.name, made.address, made.is_active) == ("Help@Example.org", "Help@Example.org", True)
    assert (made.imap_host, made.imap_folders, made.kept, made.acknowledges) == ("", ["INBOX"], [], True)


def test_its_password_is_sealed_and_the_log_has_no_word_of_it(database: Database, admin: Actor) -> None:
    made = make(database, admin, {"imap_password": "swordfish"}, **FETCHED)
    assert made.kept == ["imap_password"]
    assert secret(database, made.id, "imap_password") == "swordfish"
    with database.transaction(SYSTEM) as session:
        log = session.execute(text("select changes::text from audit_logs where table_name = 'mailboxes'")).scalars()
        assert [("[secret]" in each, "swordfish" in each) for each in log if each] == [(True, False)]
        assert "swordfish" not in session.execute(text("select m::text from mailboxes m")).scalar_one()


def test_an_empty_secret_stays_and_one_is_removed_only_when_asked(database: Database, admin: Actor) -> None:
    made = make(database, admin, {"imap_password": "swordfish", "smtp_password": "other"}, **FETCHED)
    with database.transaction(admin) as session:
        changed = change_mailbox(
            session, made.id, Wanted({"name": "Help"}, {"imap_password": "", "smtp_password": None})
        )
        assert changed.kept == ["imap_password"]
    assert secret(database, made.id, "imap_password") == "swordfish"
    assert secret(database, made.id, "smtp_password") is None


def test_a_kept_password_is_not_told_to_another_server(database: Database, admin: Actor) -> None:
    """Else whoever may change the host would read the password."""
    made = make(database, admin, {"imap_password": "swordfish"}, **FETCHED)
    with database.transaction(admin) as session:
        with pytest.raises(InvalidError, match="The server is another one") as refused:
            change_mailbox(session, made.id, Wanted({"imap_host": "imap.evil.example"}))
        assert refused.value.field == "imap_password"
        change_mailbox(session, made.id, Wanted({"imap_host": "IMAP.example.org."}))
        change_mailbox(session, made.id, Wanted({"imap_host": "new.example.org"}, {"imap_password": "new"}))
    assert secret(database, made.id, "imap_password") == "new"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"address": "nobody"}, "address"),
        ({"address": "help+tag@example.org"}, "address"),
        ({"name": "x" * 101}, "name"),
        ({"priority": "enormous"}, "priority"),
        ({"imap_host": "https://imap.example.org"}, "imap_host"),
        ({"imap_host": "imap.example.org:993"}, "imap_host"),
        ({"imap_host": "imap.example.org", "imap_user": "help"}, "imap_password"),
        ({"imap_host": "imap.example.org", "imap_user": "help", "login": "oauth2"}, "oauth_token_url"),
        ({"imap_user": "he\nlp"}, "imap_user"),
        ({"imap_port": "70000"}, "imap_port"),
        ({"smtp_port": "²"}, "smtp_port"),
        ({"imap_folders": ["x" * 300]}, "imap_folders"),
        ({"smtp_user": "help"}, "smtp_password"),
        ({"oauth_token_url": "http://login.example.org/token"}, "oauth_token_url"),
        ({"authority": "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----"}, "authority"),
        ({"dkim_domain": "localhost"}, "dkim_domain"),
        ({"dkim_domain": "example.org"}, "dkim_selector"),
        ({"dkim_selector": "-mail"}, "dkim_selector"),
        ({"rate": "0"}, "rate"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    database: Database, admin: Actor, facts: dict[str, Any], field: str
) -> None:
    with database.transaction(admin) as session:
        with pytest.raises(InvalidError) as refused:
            create_mailbox(session, Wanted({"address": "help@example.org"} | facts))
        assert refused.value.field == field


def test_a_key_to_sign_with_must_be_one(database: Database, admin: Actor) -> None:
    facts = {"address": "help@example.org", "dkim_domain": "Example.org.", "dkim_selector": "mail2026"}
    bad = {
        "not a key": "no private key",
        pem(ec_key(SECP256R1())): "another kind",
        pem(rsa_key(65537, 2048))[:200]: "no private key",
    }
    for text_, told in bad.items():
        with database.transaction(admin) as session, pytest.raises(InvalidError, match=told) as refused:
            create_mailbox(session, Wanted(facts, {"dkim_key": text_}))
        assert refused.value.field == "dkim_key"
    made = make(database, admin, {"dkim_key": pem(Ed25519PrivateKey.generate())}, **facts)
    assert (made.dkim_domain, made.kept) == ("example.org", ["dkim_key"])


def test_an_address_is_taken_once_whatever_the_case(database: Database, admin: Actor) -> None:
    make(database, admin, address="help@example.org")
    with pytest.raises(AddressTakenError) as refused:
        make(database, admin, address="HELP@example.org")
    assert refused.value.details["field"] == "address"


def test_its_tags_are_those_that_were_named(database: Database, admin: Actor) -> None:
    with database.transaction(admin) as session:
        made = create_mailbox(session, Wanted({"address": "help@example.org"}, tags=["card", "vip"]))
        change_mailbox(session, made.id, Wanted({}, tags=["VIP", "new"]))
        its = select(Tag.name).join(MailboxTag).where(MailboxTag.mailbox_id == made.id).order_by(Tag.name)
        assert session.scalars(its).all() == ["new", "vip"]
        change_mailbox(session, made.id, Wanted({"name": "Help"}))
        assert len(session.scalars(its).all()) == 2


@pytest.mark.parametrize("role", [Role.AGENT, Role.CUSTOMER])
def test_nobody_but_administrators_changes_them(database: Database, factory: Factory, admin: Actor, role: Role) -> None:
    made = make(database, admin, address="help@example.org")
    with database.transaction(actor(factory.user(role))) as session:
        with pytest.raises(ForbiddenError):
            create_mailbox(session, Wanted({"address": "x@example.org"}))
        with pytest.raises(ForbiddenError):
            change_mailbox(session, made.id, Wanted({"name": "x"}))
        with pytest.raises(ForbiddenError):
            set_mailbox_active(session, made.id, active=False)


def test_a_port_that_is_not_said_is_the_usual_one() -> None:
    assert port_of({"imap_port": None, "imap_security": Security.TLS}, "imap_port") == 993
    assert port_of({"smtp_port": None, "smtp_security": Security.STARTTLS}, "smtp_port") == 587
    assert port_of({"smtp_port": 2525, "smtp_security": Security.NONE}, "smtp_port") == 2525
