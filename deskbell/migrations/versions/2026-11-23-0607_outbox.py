"""Messages on their way out, and links that let people in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from deskbell.migrations.assets import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
PURPOSES = ("register", "reset", "log_in")
KINDS = ("confirm", "known", "reset", "log_in", "received", "answered")
STATES = ("queued", "sending", "sent", "failed")


def upgrade() -> None:
    """Make both tables."""
    make_links()
    make_outbox()
    run_sql("outbox_access.sql")


def make_links() -> None:
    """Make the links."""
    op.create_table(
        "sign_in_links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("purpose", choice(PURPOSES, "purpose"), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("locale", sa.Text(), server_default="en", nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("used_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_in_links_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_links")),
    )
    op.create_index("uq_sign_in_links_token_hash", "sign_in_links", ["token_hash"], unique=True)
    op.create_index("ix_sign_in_links_email", "sign_in_links", [sa.text("lower(email)"), "created_at"])
    op.create_index("ix_sign_in_links_user_id", "sign_in_links", ["user_id"])
    op.create_index("ix_sign_in_links_expires_at", "sign_in_links", ["expires_at"])


def make_outbox() -> None:
    """Make the outbox."""
    table = "outbound_messages"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", choice(KINDS, "kind"), nullable=False),
        sa.Column("state", choice(STATES, "state"), server_default="queued", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("comment_id", sa.BigInteger(), nullable=True),
        sa.Column("recipient", sa.String(length=255), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("html", sa.Text(), server_default="", nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("in_reply_to", sa.Text(), nullable=True),
        sa.Column("thread", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("reply_to", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("interrupted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("next_attempt_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=True),
        sa.Column("sent_at", sa.TIMESTAMP(timezone=True), nullable=True),
        *(
            sa.ForeignKeyConstraint([f"{name}_id"], [f"{name}s.id"], name=op.f(f"fk_{table}_{name}_id"))
            for name in ("user", "ticket", "comment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index("uq_outbound_messages_message_id", table, ["message_id"], unique=True)
    for name in ("ticket_id", "comment_id", "user_id"):
        op.create_index(f"ix_outbound_messages_{name}", table, [name])
    op.create_index("ix_outbound_messages_state", table, ["state", "id"])


def choice(values: tuple[str, ...], name: str) -> sa.Enum:
    """Text that is one of these values."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def downgrade() -> None:
    """Forget what was sent."""
    op.drop_table("outbound_messages")
    op.drop_table("sign_in_links")
