"""Figures of past days, kept up to date by marks of which days changed."""

import sqlalchemy as sa
from alembic import op

from deskbell.migrations.assets import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RESOLVED = "ix_tickets_resolved_at"
ZERO = sa.text("0")


def upgrade() -> None:
    """Index when tickets were resolved, make the tables and triggers. What days have no figures yet, a job fills in."""
    with op.get_context().autocommit_block():
        op.execute(f"drop index concurrently if exists {RESOLVED}")
        op.execute(
            f"create index concurrently {RESOLVED} on tickets (resolved_at)"
            " where deleted_at is null and resolved_at is not null"
        )
    make_tables()
    run_sql("figures_after.sql")
    run_sql("figures_access.sql")


def make_tables() -> None:
    """Make the figures, the marks, and how far the figures reach."""
    op.create_table(
        "ticket_figures",
        sa.Column("dimension", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.String(length=32), nullable=False),
        sa.Column("created", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("resolved", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("seconds", sa.Numeric(), server_default=ZERO, nullable=False),
        sa.Column("ended", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("dimension", "day", "value", name=op.f("pk_ticket_figures")),
    )
    op.create_index("ix_ticket_figures_day", "ticket_figures", ["day"])
    op.create_table(
        "figure_marks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("num_nonnulls(day, ticket_id) = 1", name=op.f("ck_figure_marks_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_marks")),
        postgresql_with={"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 1000},
    )
    op.create_table(
        "figure_progress",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("1"), autoincrement=False, nullable=False),
        sa.Column("until", sa.Date(), server_default=sa.text("'-infinity'"), nullable=False),
        sa.Column("safe_until", sa.Date(), server_default=sa.text("'-infinity'"), nullable=False),
        sa.Column("awaited_until", sa.Date(), nullable=True),
        sa.Column("awaited_xid", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_figure_progress_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_progress")),
    )


def downgrade() -> None:
    """Let every question count the tickets again."""
    run_sql("figures_drop.sql")
