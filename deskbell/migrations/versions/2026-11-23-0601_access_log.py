"""Who read what: the access log, partitioned by month; months of both logs that are dropped by retention."""

import sqlalchemy as sa
from alembic import op

from deskbell.migrations.assets import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, its months, and the functions for the months of both logs."""
    op.create_table(
        "access_logs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("token_id", sa.BigInteger(), nullable=True),
        sa.Column("session_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("act", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("record_id", sa.BigInteger(), nullable=True),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_access_logs")),
        postgresql_partition_by="range (at)",
    )
    op.create_index(
        "ix_access_logs_ticket_id",
        "access_logs",
        ["ticket_id", "id"],
        unique=False,
        postgresql_where=sa.text("ticket_id is not null"),
    )
    op.create_index("ix_access_logs_user_id", "access_logs", ["user_id", "id"], unique=False)
    run_sql("access_log_access.sql")
    run_sql("access_log_after.sql")
    op.execute("select deskbell_make_partitions(3)")


def downgrade() -> None:
    """Drop the access log."""
    run_sql("access_log_drop.sql")
