"""All tables of all slices, for Alembic and for the tests that compare models with migrations."""

from sqlalchemy.schema import SchemaItem

import deskbell.accounts.link_models
import deskbell.accounts.models
import deskbell.audit.models
import deskbell.composing.models
import deskbell.composing.presence_models
import deskbell.curation.models
import deskbell.kernel.idempotency
import deskbell.mail.inbound.models
import deskbell.mail.mailboxes.models
import deskbell.mail.outbound.models
import deskbell.search.models
import deskbell.tickets.documents
import deskbell.tickets.figures
import deskbell.tickets.models
import deskbell.tickets.relation_models  # noqa: F401 - importing is what registers the tables
from deskbell.kernel.orm import Base

target_metadata = Base.metadata


def domain_tables() -> list[str]:
    """Return the names of all tables, in an order in which they can be made; views left out."""
    return [table.name for table in target_metadata.sorted_tables if not table.info.get("view")]


def include(item: SchemaItem, name: str | None, kind: str, _reflected: bool, _other: SchemaItem | None) -> bool:  # noqa: FBT001 - Alembic's signature
    """Leave views out of a comparison, and the partitions that are made month by month."""
    if kind == "table" and (name or "").startswith(("audit_logs_", "access_logs_")):
        return False
    return not item.info.get("view", False)
