"""Mailboxes and the folders that are fetched for them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, String, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from deskbell.kernel.access import Allow
from deskbell.kernel.orm import Base, CreatedAt, Id, Str100, Str255, UpdatedAt, enum_column
from deskbell.kernel.vault import EncryptedText, Sealed
from deskbell.tickets.models import TicketPriority

SECRETS = ("imap_password", "smtp_password", "oauth_secret", "oauth_refresh", "dkim_key")
"""An administrator writes them; the system alone reads them."""
_NAMED = ", ".join(f"case when {name} is not null then '{name}' end" for name in SECRETS)
_KEPT = f"array_remove(array[{_NAMED}], null)"


class Security(StrEnum):
    """How a connection is encrypted: from the first byte on, after the greeting, or never."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class LogIn(StrEnum):
    """How one logs in: with a password, or with an OAuth 2 bearer token (RFC 6749, XOAUTH2)."""

    PASSWORD = "password"  # noqa: S105 - a choice, no password
    OAUTH2 = "oauth2"


class ClosedReply(StrEnum):
    """What a reply to a closed ticket does."""

    REOPEN = "reopen"
    FOLLOW_UP = "follow_up"


class Mailbox(Base):
    """An address at which the desk is written to, and what becomes of what comes there.

    Without `imap_host` nothing is fetched: its mail is delivered to the desk. Without `smtp_host` its answers leave by
    the desk's own server. `authority` holds certificates (PEM) trusted beside the system's, for both. `rate` is how
    many messages leave in a minute, None for no limit. `is_plus` says that its server delivers `name+anything@` too,
    so that replies can come to an address that names their ticket. `kept` names the secrets that there are.
    """

    __tablename__ = "mailboxes"
    __table_args__ = (
        Index("uq_mailboxes_address", func.lower(text("address")), unique=True),
        Index("ix_mailboxes_team_id", "team_id"),
        CheckConstraint("address = btrim(address) and position('@' in address) > 1", name="address_form"),
        CheckConstraint("imap_port between 1 and 65535 and smtp_port between 1 and 65535", name="ports"),
        CheckConstraint("rate > 0", name="rate"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("system", "select insert update"),
                    Allow("admin", "insert update"),
                    Allow("admin agent readonly", "select", but=SECRETS),
                ),
            }
        },
    )

    id: Mapped[Id]
    name: Mapped[Str100]
    address: Mapped[Str255]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))
    priority: Mapped[TicketPriority] = mapped_column(
        enum_column(TicketPriority, "priority"), server_default=TicketPriority.MEDIUM.value
    )
    signature: Mapped[str] = mapped_column(Text, server_default="")
    acknowledges: Mapped[bool] = mapped_column(server_default=text("true"))
    closed_reply: Mapped[ClosedReply] = mapped_column(
        enum_column(ClosedReply, "closed_reply"), server_default=ClosedReply.REOPEN.value
    )
    is_plus: Mapped[bool] = mapped_column(server_default=text("true"))
    authority: Mapped[str] = mapped_column(Text, server_default="")
    login: Mapped[LogIn] = mapped_column(enum_column(LogIn, "login"), server_default=LogIn.PASSWORD.value)
    oauth_token_url: Mapped[str] = mapped_column(Text, server_default="")
    oauth_client_id: Mapped[str] = mapped_column(Text, server_default="")
    oauth_scope: Mapped[str] = mapped_column(Text, server_default="")
    oauth_secret: Mapped[Sealed | None] = mapped_column(
        EncryptedText("mailboxes.oauth_secret"), deferred=True, deferred_raiseload=True, info={"audit": "secret"}
    )
    oauth_refresh: Mapped[Sealed | None] = mapped_column(
        EncryptedText("mailboxes.oauth_refresh"), deferred=True, deferred_raiseload=True, info={"audit": "secret"}
    )
    imap_host: Mapped[Str255] = mapped_column(String(255), server_default="")
    imap_port: Mapped[int | None]
    imap_security: Mapped[Security] = mapped_column(
        enum_column(Security, "imap_security"), server_default=Security.TLS.value
    )
    imap_user: Mapped[Str255] = mapped_column(String(255), server_default="")
    imap_password: Mapped[Sealed | None] = mapped_column(
        EncryptedText("mailboxes.imap_password"), deferred=True, deferred_raiseload=True, info={"audit": "secret"}
    )
    imap_folders: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{INBOX}'"))
    smtp_host: Mapped[Str255] = mapped_column(String(255), server_default="")
    smtp_port: Mapped[int | None]
    smtp_security: Mapped[Security] = mapped_column(
        enum_column(Security, "smtp_security"), server_default=Security.STARTTLS.value
    )
    smtp_user: Mapped[Str255] = mapped_column(String(255), server_default="")
    smtp_password: Mapped[Sealed | None] = mapped_column(
        EncryptedText("mailboxes.smtp_password"), deferred=True, deferred_raiseload=True, info={"audit": "secret"}
    )
    dkim_domain: Mapped[Str255] = mapped_column(String(255), server_default="")
    dkim_selector: Mapped[Str100] = mapped_column(String(100), server_default="")
    dkim_key: Mapped[Sealed | None] = mapped_column(
        EncryptedText("mailboxes.dkim_key"), deferred=True, deferred_raiseload=True, info={"audit": "secret"}
    )
    rate: Mapped[int | None]
    kept: Mapped[list[str]] = mapped_column(ARRAY(Text), Computed(_KEPT, persisted=True))
    created_at: Mapped[CreatedAt]
    updated_at: Mapped[UpdatedAt]


class MailboxTag(Base):
    """A tag that tickets of a mailbox bear from the beginning."""

    __tablename__ = "mailbox_tags"
    __table_args__ = (
        Index("ix_mailbox_tags_tag_id", "tag_id"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("admin system", "select insert delete"),
                    Allow("agent readonly", "select"),
                ),
            }
        },
    )

    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailboxes.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[CreatedAt]


class MailboxFolder(Base):
    """How far a folder on the mailbox's server was fetched, and how it stands with that.

    `uid_validity` and `last_uid` as of RFC 9051: below and with `last_uid` everything was written down, but for
    `missing`, the UIDs which the nightly comparison found on the server and not in the ledger. `problem` is what went
    wrong since `failing_since`, empty where all is well.
    """

    __tablename__ = "mailbox_folders"
    __table_args__ = (
        Index("uq_mailbox_folders_mailbox_id_name", "mailbox_id", "name", unique=True),
        {
            "info": {
                "audit": "how far fetching is, not something that anybody decides; what came is in the ledger",
                "access": (
                    Allow("system", "select insert update delete"),
                    Allow("admin agent readonly", "select"),
                ),
            }
        },
    )

    id: Mapped[Id]
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailboxes.id"))
    name: Mapped[str] = mapped_column(Text)
    uid_validity: Mapped[int | None]
    last_uid: Mapped[int] = mapped_column(server_default=text("0"))
    missing: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    on_server: Mapped[int | None]
    problem: Mapped[str] = mapped_column(Text, server_default="")
    failing_since: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    compared_at: Mapped[datetime | None]


class TicketMailbox(Base):
    """Which mailbox a ticket came to: its answers leave from there."""

    __tablename__ = "ticket_mailboxes"
    __table_args__ = (
        Index("ix_ticket_mailboxes_mailbox_id", "mailbox_id"),
        {
            "info": {
                "audit": "full",
                "access": (
                    Allow("system", "select insert update"),
                    Allow("admin agent readonly", "select"),
                ),
            }
        },
    )

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailboxes.id"))
