"""Who looks at a ticket just now, and who has seen what."""

import sqlalchemy as sa
from alembic import op

from deskbell.migrations.assets import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    """Make both tables, and the trigger by which one's own changes are no news."""
    op.create_table(
        "ticket_presence",
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("doing", sa.String(length=32), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.CheckConstraint("doing in ('viewing', 'typing')", name=op.f("ck_ticket_presence_doing")),
        sa.PrimaryKeyConstraint("ticket_id", "user_id", name=op.f("pk_ticket_presence")),
        prefixes=["UNLOGGED"],
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "ticket_reads",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ticket_reads_user_id")),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_reads_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "ticket_id", name=op.f("pk_ticket_reads")),
    )
    op.create_index("ix_ticket_reads_ticket_id", "ticket_reads", ["ticket_id"])
    run_sql("presence_after.sql")
    run_sql("presence_access.sql")


def downgrade() -> None:
    """Forget who is there and who has seen what."""
    run_sql("presence_drop.sql")
