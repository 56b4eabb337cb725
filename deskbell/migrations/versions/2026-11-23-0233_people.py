"""Whose names a customer may read is found from the customer's tickets, not from those of each person."""

from deskbell.migrations.assets import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the new view in the place of the old one."""
    run_sql("people_after.sql")


def downgrade() -> None:
    """Put the old one back."""
    run_sql("people_before.sql")
