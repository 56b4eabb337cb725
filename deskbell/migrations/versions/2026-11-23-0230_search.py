"""Search documents for the words of whole threads, and saved views."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from deskbell.migrations.assets import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
ZERO = sa.text("0")


def upgrade() -> None:
    """Make the tables and their triggers, and ask for the documents of the tickets that are there already."""
    op.drop_index("ix_tickets_search_vector", "tickets")
    op.drop_column("tickets", "search_vector")
    run_sql("search_before.sql")
    make_search_tables()
    make_saved_views()
    run_sql("search_after.sql")
    run_sql("search_access.sql")
    run_sql("search_audit.sql")
    op.execute("select deskbell_add_job('search.index_documents') from (select from tickets limit 1) as there_are_some")


def make_search_tables() -> None:
    """Make the documents and the words that occur in them."""
    op.create_table(
        "search_documents",
        sa.Column("ticket_id", sa.BigInteger(), nullable=False),
        sa.Column("public_vector", postgresql.TSVECTOR(), nullable=False),
        sa.Column("staff_vector", postgresql.TSVECTOR(), nullable=True),
        sa.Column("comment_count", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("public_comment_count", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("attachment_count", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("public_attachment_count", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_search_documents_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_search_documents")),
    )
    vector = sa.text("coalesce(staff_vector, public_vector)")
    op.create_index("ix_search_documents_vector", "search_documents", [vector], postgresql_using="gin")
    op.create_index(
        "ix_search_documents_comment_count",
        "search_documents",
        ["comment_count"],
        postgresql_where=sa.text("comment_count > 3"),
    )
    op.create_table(
        "search_words",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("word", sa.String(length=100), nullable=False),
        sa.Column("weight", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_words")),
    )
    op.create_index("ix_search_words_word", "search_words", ["word"])
    op.create_index(
        "ix_search_words_likeness",
        "search_words",
        ["word"],
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )


def make_saved_views() -> None:
    """Make the queries with a name."""
    op.create_table(
        "saved_views",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("query", sa.Text(), server_default="", nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sort", sa.String(length=50), server_default="", nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "shared_with",
            sa.Enum(
                "nobody", "team", "everyone", name="shared_with", native_enum=False, create_constraint=True, length=32
            ),
            server_default="nobody",
            nullable=False,
        ),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), server_default=ZERO, nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_views_name")),
        sa.CheckConstraint("(shared_with = 'team') = (team_id is not null)", name=op.f("ck_saved_views_team")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_saved_views_owner_id")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_saved_views_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    op.create_index("ix_saved_views_owner_id", "saved_views", ["owner_id", "position"])
    op.create_index("ix_saved_views_team_id", "saved_views", ["team_id"])


def downgrade() -> None:
    """Put the words of a ticket back into its row."""
    run_sql("search_drop.sql")
