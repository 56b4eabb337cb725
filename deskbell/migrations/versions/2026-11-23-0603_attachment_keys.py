"""A file of a comment belongs to that comment's ticket, and to no other one."""

from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEX = "uq_comments_id_ticket_id"
NAME = "fk_attachments_comment_id"
PAIR = f"{NAME}_pair"
REPAIR = """
update attachments a set ticket_id = c.ticket_id
  from comments c where c.id = a.comment_id and c.ticket_id <> a.ticket_id
"""


def upgrade() -> None:
    """Put the constraint in the place of one that looked at the comment alone, without holding anybody up.

    Where comment and ticket did not fit, the comment counts: who may see the comment may see its file.
    """
    with op.get_context().autocommit_block():
        op.execute(f"alter table attachments drop constraint if exists {PAIR}")  # from an interrupted run
        op.execute(f"drop index concurrently if exists {INDEX}")
        op.execute(f"create unique index concurrently {INDEX} on comments (id, ticket_id)")
        _add("foreign key (comment_id, ticket_id) references comments (id, ticket_id)")
        op.execute(REPAIR)
        op.execute(f"alter table attachments validate constraint {PAIR}")
    _take_the_place()


def downgrade() -> None:
    """Look at the comment alone again."""
    _add("foreign key (comment_id) references comments (id)")
    op.execute(f"alter table attachments validate constraint {PAIR}")
    _take_the_place()
    op.drop_index(INDEX, "comments")


def _add(constraint: str) -> None:
    op.execute(f"alter table attachments add constraint {PAIR} {constraint} not valid")


def _take_the_place() -> None:
    op.drop_constraint(NAME, "attachments")
    op.execute(f"alter table attachments rename constraint {PAIR} to {NAME}")
