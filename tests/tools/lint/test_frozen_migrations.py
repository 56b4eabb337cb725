"""Migrations stand alone."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


VERSION = "deskbell/migrations/versions/2026-01-31-1200_tickets.py"


def test_a_model_in_a_migration_is_found(lint: Lint) -> None:
    code = """
    from deskbell.tickets.models import Ticket
    import deskbell.accounts
    from deskbell import audit
    def upgrade():
        from deskbell.kernel.models import Base
    """
    assert lint("frozen-migrations", VERSION, code) == [1, 2, 3, 5]


def test_helpers_for_migrations_pass(lint: Lint) -> None:
    code = """
    from alembic import op
    from deskbell import migrations
    from deskbell.kernel.text import slug
    from deskbell.migrations.helpers import audited
    """
    assert lint("frozen-migrations", VERSION, code) == []


def test_the_environment_may_import_models(lint: Lint) -> None:
    code = "from deskbell.tickets import models"
    assert lint("frozen-migrations", "deskbell/migrations/env.py", code) == []
