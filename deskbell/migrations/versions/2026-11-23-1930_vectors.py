"""Search documents in less time: lexemes without a call of PL/pgSQL, and fewer words compared with a pattern."""

from deskbell.migrations.assets import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the functions; what they return stays the same."""
    run_sql("vectors_after.sql")


def downgrade() -> None:
    """Take back the earlier ones."""
    run_sql("vectors_drop.sql")
