"""Whose names a customer may read is found from the customer's tickets; no time of a ticket is infinite."""

from alembic import op

from deskbell.migrations.assets import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FINITE = (
    "isfinite(created_at) and isfinite(updated_at) and isfinite(due_at) and isfinite(first_responded_at)"
    " and isfinite(resolved_at) and isfinite(deleted_at)"
)


def upgrade() -> None:
    """Put the new view in the place of the old one; look at the tickets without holding anybody up."""
    run_sql("people_after.sql")
    op.execute(f"alter table tickets add constraint ck_tickets_times check ({FINITE}) not valid")
    op.execute("alter table tickets validate constraint ck_tickets_times")


def downgrade() -> None:
    """Put the old one back."""
    op.execute("alter table tickets drop constraint ck_tickets_times")
    run_sql("people_before.sql")
