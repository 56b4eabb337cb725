"""What the administrator may see of the server: slow statements, sizes, connections."""

from deskbell.migrations.assets import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the functions that show it, and the index by which jobs are found."""
    run_sql("server_statistics.sql")


def downgrade() -> None:
    """Drop them."""
    run_sql("server_statistics_drop.sql")
