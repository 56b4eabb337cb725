"""What the workspace keeps of messages before they are sent, and of whom they mention."""

import sqlalchemy as sa
from alembic import op

from deskbell.migrations.assets import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
STATUSES = ("open", "in_progress", "waiting_on_customer", "resolved", "closed")


def upgrade() -> None:
    """Make the tables of drafts, their files, and mentions."""
    make_drafts()
    make_draft_files()
    op.create_table(
        "mentions",
        sa.Column("comment_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id", "ticket_id"], ["comments.id", "comments.ticket_id"], name=op.f("fk_mentions_comment_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mentions_user_id")),
        sa.PrimaryKeyConstraint("comment_id", "user_id", name=op.f("pk_mentions")),
    )
    op.create_index("ix_mentions_user_id", "mentions", ["user_id", "ticket_id"])
    run_sql("workspace_access.sql")


def make_drafts() -> None:
    """Make the drafts; those with a time to be sent at are on their way."""
    op.create_table(
        "drafts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), server_default="", nullable=False),
        sa.Column("is_internal", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(*STATUSES, name="status", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("send_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("saved_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.CheckConstraint("revision > 0", name=op.f("ck_drafts_revision")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_drafts_user_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_drafts_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    own, sending = ["user_id", "ticket_id"], sa.text("send_at is not null")
    op.create_index(
        "uq_drafts_user_id_ticket_id", "drafts", own, unique=True, postgresql_where=sa.text("send_at is null")
    )
    op.create_index("uq_drafts_user_id_ticket_id_sending", "drafts", own, unique=True, postgresql_where=sending)
    op.create_index("ix_drafts_ticket_id", "drafts", ["ticket_id"])
    op.create_index("ix_drafts_send_at", "drafts", ["send_at"], postgresql_where=sending)


def make_draft_files() -> None:
    """Make the files that go with them."""
    op.create_table(
        "draft_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("media_type", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_draft_files_draft_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_files")),
    )
    op.create_index("ix_draft_files_draft_id", "draft_files", ["draft_id"])
    op.create_index("ix_draft_files_storage_key", "draft_files", ["storage_key"])


def downgrade() -> None:
    """Drop them. What was on its way is lost with the drafts, so stop the workers first."""
    op.drop_table("mentions")
    op.drop_table("draft_files")
    op.drop_table("drafts")
