"""Indexes for lists by assignee, team and priority, built while the desk goes on working."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_tickets_assignee_id_updated_at": "(assignee_id, updated_at, id)",
    "ix_tickets_team_id_updated_at": "(team_id, updated_at, id)",
    "ix_tickets_priority": "(deskbell_priority_rank(priority), updated_at, id) include (priority)",
}


def upgrade() -> None:
    """Build them one by one; what an interrupted run left half-built is begun again."""
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on tickets {columns} where deleted_at is null")


def downgrade() -> None:
    """Drop them."""
    for name in INDEXES:
        op.drop_index(name, "tickets")
