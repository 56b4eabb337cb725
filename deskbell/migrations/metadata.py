"""All tables of all slices, for Alembic and for the tests that compare models with migrations."""

import deskbell.accounts.models
import deskbell.audit.models
import deskbell.curation.models
import deskbell.kernel.idempotency
import deskbell.mail.models
import deskbell.tickets.models  # noqa: F401 - importing is what registers the tables
from deskbell.kernel.orm import Base

target_metadata = Base.metadata


def domain_tables() -> list[str]:
    """Return the names of all tables, in an order in which they can be made; views left out."""
    return [table.name for table in target_metadata.sorted_tables if not table.info.get("view")]
