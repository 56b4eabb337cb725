"""Indexes for lists by assignee, team, priority and due time, and for names, built while the desk goes on working."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_tickets_assignee_id_updated_at": "tickets (assignee_id, updated_at, id) where deleted_at is null",
    "ix_tickets_team_id_updated_at": "tickets (team_id, updated_at, id) where deleted_at is null",
    "ix_tickets_priority": "tickets (deskbell_priority_rank(priority), updated_at, id) include (priority)"
    " where deleted_at is null",
    "ix_tickets_due_at": "tickets (due_at, id) where due_at is not null and deleted_at is null",
    "ix_tickets_deleted": "tickets (updated_at, id) where deleted_at is not null",
    "ix_users_full_name": "users (lower(full_name) text_pattern_ops)",
}


def upgrade() -> None:
    """Build them one by one; what an interrupted run left half-built is begun again."""
    with op.get_context().autocommit_block():
        for name, place in INDEXES.items():
            op.execute(f"drop index concurrently if exists {name}")
            op.execute(f"create index concurrently {name} on {place}")


def downgrade() -> None:
    """Drop them."""
    for name, place in INDEXES.items():
        op.drop_index(name, place.partition(" ")[0])
