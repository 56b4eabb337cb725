"""Mailboxes, how each message came, bounces, copies and links of tickets, what people want to be told, templates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from deskbell.migrations.assets import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
OLD_KINDS = ("confirm", "known", "reset", "log_in", "received", "answered")
KINDS = (*OLD_KINDS, "opened", "replied", "assigned", "mentioned", "undelivered")
OLD_SENT = ("queued", "sending", "sent", "failed")
SENT = ("queued", "sending", "sent", "bounced", "failed", "dropped")
OLD_STATES = ("received", "ticket", "comment", "duplicate", "automatic", "suspended", "failed")
STATES = ("received", "ticket", "comment", "duplicate", "automatic", "bounce", "suspended", "rejected", "failed")
TABLES = (
    "letter_templates",
    "mailboxes",
    "mailbox_folders",
    "mailbox_tags",
    "notice_choices",
    "ticket_copies",
    "ticket_links",
    "ticket_mailboxes",
    "inbound_arrivals",
)
INBOUND, OUTBOUND = "inbound_messages", "outbound_messages"
INDEX = "ix_audit_logs_former_ends"
ENTRIES = (
    "((changes ->> 'ticket_id'), (changes ->> 'other_id'))"
    " where table_name in ('ticket_copies', 'ticket_links') and action = 'DELETE'"
)
NOT_INDEXED = sa.text("""
select p.inhrelid::regclass::text from pg_inherits p
 where p.inhparent = 'audit_logs'::regclass and not exists (
   select from pg_index x join pg_inherits i on i.inhrelid = x.indexrelid
    where x.indrelid = p.inhrelid and i.inhparent = to_regclass(:index))
""")
KEPT = (
    "array_remove(array[case when imap_password is not null then 'imap_password' end,"
    " case when smtp_password is not null then 'smtp_password' end,"
    " case when oauth_secret is not null then 'oauth_secret' end,"
    " case when oauth_refresh is not null then 'oauth_refresh' end,"
    " case when dkim_key is not null then 'dkim_key' end], null)"
)


def upgrade() -> None:
    """Make the tables, and widen the two ledgers."""
    make_letter_templates()
    make_mailboxes()
    make_mailbox_folders()
    make_mailbox_tags()
    make_notice_choices()
    make_ticket_copies()
    make_ticket_links()
    make_ticket_mailboxes()
    make_inbound_arrivals()
    widen_inbound()
    widen_outbound()
    for table in (INBOUND, OUTBOUND):
        forget_access(table)
    run_sql("mailboxes_after.sql")
    run_sql("mailboxes_access.sql")
    run_sql("mailboxes_audit.sql")
    index_former_ends()


def index_former_ends() -> None:
    """Find what was taken from a ticket; the index is built month by month while the desk goes on working."""
    op.execute(f"create index if not exists {INDEX} on only audit_logs {ENTRIES}")
    with op.get_context().autocommit_block():
        for partition in op.get_bind().scalars(NOT_INDEXED, {"index": INDEX}).all():
            of_month = f"{partition}_former_ends"
            op.execute(f"drop index concurrently if exists {of_month}")  # of a run that was interrupted
            op.execute(f"create index concurrently {of_month} on {partition} {ENTRIES}")
            op.execute(f"alter index {INDEX} attach partition {of_month}")


def make_letter_templates() -> None:
    """Make the table."""
    op.create_table(
        "letter_templates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", choice(KINDS, "kind"), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_templates")),
    )
    op.create_index("uq_letter_templates_kind_locale", "letter_templates", ["kind", "locale"], unique=True)


def make_mailboxes() -> None:
    """Make the table."""
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "priority", choice(("low", "medium", "high", "urgent"), "priority"), server_default="medium", nullable=False
        ),
        sa.Column("signature", sa.Text(), server_default="", nullable=False),
        sa.Column("acknowledges", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "closed_reply", choice(("reopen", "follow_up"), "closed_reply"), server_default="reopen", nullable=False
        ),
        sa.Column("is_plus", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("authority", sa.Text(), server_default="", nullable=False),
        sa.Column("login", choice(("password", "oauth2"), "login"), server_default="password", nullable=False),
        sa.Column("oauth_token_url", sa.Text(), server_default="", nullable=False),
        sa.Column("oauth_client_id", sa.Text(), server_default="", nullable=False),
        sa.Column("oauth_scope", sa.Text(), server_default="", nullable=False),
        sa.Column("oauth_secret", sa.Text(), nullable=True),
        sa.Column("oauth_refresh", sa.Text(), nullable=True),
        sa.Column("imap_host", sa.String(length=255), server_default="", nullable=False),
        sa.Column("imap_port", sa.BigInteger(), nullable=True),
        sa.Column(
            "imap_security", choice(("tls", "starttls", "none"), "imap_security"), server_default="tls", nullable=False
        ),
        sa.Column("imap_user", sa.String(length=255), server_default="", nullable=False),
        sa.Column("imap_password", sa.Text(), nullable=True),
        sa.Column("imap_folders", ARRAY(sa.Text()), server_default=sa.text("'{INBOX}'"), nullable=False),
        sa.Column("smtp_host", sa.String(length=255), server_default="", nullable=False),
        sa.Column("smtp_port", sa.BigInteger(), nullable=True),
        sa.Column(
            "smtp_security",
            choice(("tls", "starttls", "none"), "smtp_security"),
            server_default="starttls",
            nullable=False,
        ),
        sa.Column("smtp_user", sa.String(length=255), server_default="", nullable=False),
        sa.Column("smtp_password", sa.Text(), nullable=True),
        sa.Column("dkim_domain", sa.String(length=255), server_default="", nullable=False),
        sa.Column("dkim_selector", sa.String(length=100), server_default="", nullable=False),
        sa.Column("dkim_key", sa.Text(), nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=True),
        sa.Column("kept", ARRAY(sa.Text()), sa.Computed(KEPT, persisted=True), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.CheckConstraint(
            "address = btrim(address) and position('@' in address) > 1", name=op.f("ck_mailboxes_address_form")
        ),
        sa.CheckConstraint(
            "imap_port between 1 and 65535 and smtp_port between 1 and 65535", name=op.f("ck_mailboxes_ports")
        ),
        sa.CheckConstraint("rate > 0", name=op.f("ck_mailboxes_rate")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_mailboxes_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
    )
    op.create_index("ix_mailboxes_team_id", "mailboxes", ["team_id"])
    op.create_index("uq_mailboxes_address", "mailboxes", [sa.text("lower(address)")], unique=True)


def make_mailbox_folders() -> None:
    """Make the table."""
    op.create_table(
        "mailbox_folders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("mailbox_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), nullable=True),
        sa.Column("last_uid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("missing", ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("on_server", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("failing_since", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("checked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("compared_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name=op.f("fk_mailbox_folders_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailbox_folders")),
    )
    op.create_index("uq_mailbox_folders_mailbox_id_name", "mailbox_folders", ["mailbox_id", "name"], unique=True)


def make_mailbox_tags() -> None:
    """Make the table."""
    op.create_table(
        "mailbox_tags",
        sa.Column("mailbox_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tag_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name=op.f("fk_mailbox_tags_mailbox_id")),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_mailbox_tags_tag_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("mailbox_id", "tag_id", name=op.f("pk_mailbox_tags")),
    )
    op.create_index("ix_mailbox_tags_tag_id", "mailbox_tags", ["tag_id"])


def make_notice_choices() -> None:
    """Make the table."""
    op.create_table(
        "notice_choices",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", choice(KINDS, "kind"), nullable=False),
        sa.Column("by_mail", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_choices_user_id")),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notice_choices")),
    )


def make_ticket_copies() -> None:
    """Make the table."""
    op.create_table(
        "ticket_copies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.CheckConstraint(
            "email = btrim(email) and position('@' in email) > 1", name=op.f("ck_ticket_copies_email_form")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_copies_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_copies")),
    )
    op.create_index("ix_ticket_copies_email", "ticket_copies", [sa.text("lower(email)")])
    op.create_index(
        "uq_ticket_copies_ticket_id_email", "ticket_copies", ["ticket_id", sa.text("lower(email)")], unique=True
    )


def make_ticket_links() -> None:
    """Make the table."""
    op.create_table(
        "ticket_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", choice(("related", "follow_up"), "kind"), server_default="related", nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.CheckConstraint("ticket_id > other_id", name=op.f("ck_ticket_links_order")),
        sa.ForeignKeyConstraint(["other_id"], ["tickets.id"], name=op.f("fk_ticket_links_other_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_links_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_links")),
    )
    op.create_index("ix_ticket_links_other_id", "ticket_links", ["other_id"])
    op.create_index("uq_ticket_links_ticket_id_other_id", "ticket_links", ["ticket_id", "other_id"], unique=True)


def make_ticket_mailboxes() -> None:
    """Make the table."""
    op.create_table(
        "ticket_mailboxes",
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mailbox_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name=op.f("fk_ticket_mailboxes_mailbox_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_mailboxes_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_ticket_mailboxes")),
    )
    op.create_index("ix_ticket_mailboxes_mailbox_id", "ticket_mailboxes", ["mailbox_id"])


def make_inbound_arrivals() -> None:
    """Make the table."""
    op.create_table(
        "inbound_arrivals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("inbound_id", sa.BigInteger(), nullable=False),
        sa.Column("mailbox_id", sa.BigInteger(), nullable=True),
        sa.Column("folder_id", sa.BigInteger(), nullable=True),
        sa.Column("uid_validity", sa.BigInteger(), nullable=True),
        sa.Column("uid", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("envelope_from", sa.Text(), nullable=True),
        sa.Column("envelope_to", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_delivered", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["folder_id"], ["mailbox_folders.id"], name=op.f("fk_inbound_arrivals_folder_id")),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound_messages.id"], name=op.f("fk_inbound_arrivals_inbound_id")),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailboxes.id"], name=op.f("fk_inbound_arrivals_mailbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_arrivals")),
    )
    op.create_index("ix_inbound_arrivals_inbound_id", "inbound_arrivals", ["inbound_id"])
    op.create_index("ix_inbound_arrivals_mailbox_id", "inbound_arrivals", ["mailbox_id"])
    op.create_index(
        "uq_inbound_arrivals_folder_id_uid_validity_uid",
        "inbound_arrivals",
        ["folder_id", "uid_validity", "uid"],
        unique=True,
        postgresql_where=sa.text("folder_id is not null"),
    )


def widen_inbound() -> None:
    """Say of each message where it came to, what it is the same as, what it is about and who let it in."""
    choose(INBOUND, "state", STATES)
    op.add_column(INBOUND, sa.Column("mailbox_id", sa.BigInteger(), nullable=True))
    op.add_column(INBOUND, sa.Column("fingerprint", sa.String(length=64), nullable=True))
    op.add_column(INBOUND, sa.Column("bounced_id", sa.BigInteger(), nullable=True))
    op.add_column(INBOUND, sa.Column("released_by_id", sa.BigInteger(), nullable=True))
    refer(INBOUND, "mailbox_id", "mailboxes")
    refer(INBOUND, "bounced_id", OUTBOUND)
    refer(INBOUND, "released_by_id", "users")
    op.create_index("ix_inbound_messages_fingerprint", INBOUND, ["fingerprint"])
    op.create_index("ix_inbound_messages_mailbox_id", INBOUND, ["mailbox_id", "id"])
    op.create_index("ix_inbound_messages_sender", INBOUND, [sa.text("lower(sender)"), "created_at"])
    op.create_index("ix_inbound_messages_comment_id", INBOUND, ["comment_id"])
    op.create_index("ix_inbound_messages_bounced_id", INBOUND, ["bounced_id"])


def widen_outbound() -> None:
    """Say of each message through which mailbox it goes, who else is told, and when it was last handed over."""
    choose(OUTBOUND, "state", SENT)
    choose(OUTBOUND, "kind", KINDS)
    op.add_column(OUTBOUND, sa.Column("copy_id", sa.BigInteger(), nullable=True))
    op.add_column(OUTBOUND, sa.Column("mailbox_id", sa.BigInteger(), nullable=True))
    op.add_column(OUTBOUND, sa.Column("copies", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.add_column(OUTBOUND, sa.Column("handed_at", sa.TIMESTAMP(timezone=True), nullable=True))
    refer(OUTBOUND, "copy_id", "ticket_copies", ondelete="SET NULL")
    refer(OUTBOUND, "mailbox_id", "mailboxes")
    op.create_index("ix_outbound_messages_copy_id", OUTBOUND, ["copy_id"])
    op.create_index("ix_outbound_messages_mailbox_id", OUTBOUND, ["mailbox_id", "handed_at"])


def refer(table: str, column: str, to: str, ondelete: str | None = None) -> None:
    """Add a foreign key."""
    op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, to, [column], ["id"], ondelete=ondelete)


def choose(table: str, column: str, values: tuple[str, ...]) -> None:
    """Let a column have these values."""
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, sa.column(column).in_(values))


def forget_access(table: str) -> None:
    """Drop the policies of a table: they are made again."""
    policies = sa.text("select policyname from pg_policies where schemaname = 'public' and tablename = :table")
    for name in op.get_bind().scalars(policies, {"table": table}).all():
        op.execute(f"drop policy {name} on {table}")


def choice(values: tuple[str, ...], name: str) -> sa.Enum:
    """Text that is one of these values."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def downgrade() -> None:
    """Take it back. What only the new states can say is said by the nearest old ones."""
    op.drop_index(INDEX, "audit_logs")
    for table in (INBOUND, OUTBOUND):
        forget_access(table)
    op.execute("update inbound_messages set state = 'automatic' where state = 'bounce'")
    op.execute("update inbound_messages set state = 'suspended' where state = 'rejected'")
    op.execute("update outbound_messages set state = 'failed' where state in ('bounced', 'dropped')")
    op.execute(sa.text("update inbound_messages set bounced_id = null where bounced_id is not null"))
    op.execute(sa.text("delete from outbound_messages where kind <> all(:kinds)").bindparams(kinds=list(OLD_KINDS)))
    choose(INBOUND, "state", OLD_STATES)
    choose(OUTBOUND, "state", OLD_SENT)
    choose(OUTBOUND, "kind", OLD_KINDS)
    for column in ("mailbox_id", "fingerprint", "bounced_id", "released_by_id"):
        op.drop_column(INBOUND, column)
    op.drop_index("ix_inbound_messages_sender", INBOUND)
    op.drop_index("ix_inbound_messages_comment_id", INBOUND)
    for column in ("copy_id", "mailbox_id", "copies", "handed_at"):
        op.drop_column(OUTBOUND, column)
    run_sql("mailboxes_drop.sql")
    for table in reversed(TABLES):
        op.drop_table(table)
