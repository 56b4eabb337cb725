"""Audit entries name the whole key, no operation begins for nothing, and what was taken from a ticket is found."""

import sqlalchemy as sa
from alembic import op

from deskbell.migrations.assets import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEX = "ix_audit_logs_former_ticket"
ENTRIES = (
    "((coalesce(changes #>> '{ticket_id,0}', changes ->> 'ticket_id')))"
    " where table_name in ('comments', 'attachments') and changes ? 'ticket_id'"
)
NOT_INDEXED = sa.text("""
select p.inhrelid::regclass::text from pg_inherits p
 where p.inhparent = 'audit_logs'::regclass and not exists (
   select from pg_index x join pg_inherits i on i.inhrelid = x.indexrelid
    where x.indrelid = p.inhrelid and i.inhparent = to_regclass(:index))
""")


def upgrade() -> None:
    """Replace the functions of the triggers; build the index month by month while the desk goes on working."""
    run_sql("keys_audit.sql")
    op.execute(f"create index if not exists {INDEX} on only audit_logs {ENTRIES}")
    with op.get_context().autocommit_block():
        for partition in op.get_bind().scalars(NOT_INDEXED, {"index": INDEX}).all():
            of_month = f"{partition}_former_ticket"
            op.execute(f"drop index concurrently if exists {of_month}")  # of a run that was interrupted
            op.execute(f"create index concurrently {of_month} on {partition} {ENTRIES}")
            op.execute(f"alter index {INDEX} attach partition {of_month}")


def downgrade() -> None:
    """Put the former functions back."""
    op.drop_index(INDEX, "audit_logs")
    run_sql("foundation_audit.sql")
    run_sql("search_audit.sql")
