"""Deskbell: the helpdesk that runs on PostgreSQL alone and never forgets.

What stands in `__all__` is the public interface, described in `docs/reference/python.md`; all else may change. Each
name is imported when it is first used, so that `import deskbell` and `deskbell --help` load nothing heavy.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from deskbell.accounts.models import Organization, Person, Role, Team, TeamMember, User
    from deskbell.audit.models import AuditAction, AuditLog, Operation
    from deskbell.kernel.actor import Actor, ActorKind, Channel, acting_as
    from deskbell.kernel.database import Database, get_async_db, get_db_session, set_default_database
    from deskbell.kernel.errors import (
        ConflictError,
        DeskbellError,
        ForbiddenError,
        InvalidError,
        NotFoundError,
        SetupError,
        StaleError,
        TooLargeError,
        TooManyError,
        UnauthenticatedError,
        UnavailableError,
    )
    from deskbell.kernel.settings import Settings
    from deskbell.kernel.worlds import both_worlds
    from deskbell.runtime import Desk, ensure_schema, open_desk
    from deskbell.search.contract import SearchPage, search_tickets
    from deskbell.tickets.bulk import CreatedTicket, NewTicket
    from deskbell.tickets.bulk_changes import BulkResult, bulk_assign_tickets, bulk_update_ticket_status
    from deskbell.tickets.bulk_creation import bulk_create_tickets, bulk_insert_with_return
    from deskbell.tickets.deletion import restore_ticket, soft_delete_ticket
    from deskbell.tickets.details import get_tickets_with_details, get_user_with_tickets
    from deskbell.tickets.models import (
        Attachment,
        BodyFormat,
        Comment,
        Tag,
        Ticket,
        TicketPriority,
        TicketStatus,
        TicketTag,
    )
    from deskbell.tickets.statistics import AssigneeStatistics, TicketStatistics, get_ticket_statistics

__all__ = [
    "Actor",
    "ActorKind",
    "AssigneeStatistics",
    "Attachment",
    "AuditAction",
    "AuditLog",
    "BodyFormat",
    "BulkResult",
    "Channel",
    "Comment",
    "ConflictError",
    "CreatedTicket",
    "Database",
    "Desk",
    "DeskbellError",
    "ForbiddenError",
    "InvalidError",
    "NewTicket",
    "NotFoundError",
    "Operation",
    "Organization",
    "Person",
    "Role",
    "SearchPage",
    "Settings",
    "SetupError",
    "StaleError",
    "Tag",
    "Team",
    "TeamMember",
    "Ticket",
    "TicketPriority",
    "TicketStatistics",
    "TicketStatus",
    "TicketTag",
    "TooLargeError",
    "TooManyError",
    "UnauthenticatedError",
    "UnavailableError",
    "User",
    "__version__",
    "acting_as",
    "both_worlds",
    "bulk_assign_tickets",
    "bulk_create_tickets",
    "bulk_insert_with_return",
    "bulk_update_ticket_status",
    "ensure_schema",
    "get_async_db",
    "get_db_session",
    "get_ticket_statistics",
    "get_tickets_with_details",
    "get_user_with_tickets",
    "open_desk",
    "restore_ticket",
    "search_tickets",
    "set_default_database",
    "soft_delete_ticket",
]

try:
    __version__ = version("deskbell")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"

_HOMES: Final = {
    "accounts.models": "Organization Person Role Team TeamMember User",
    "audit.models": "AuditAction AuditLog Operation",
    "kernel.actor": "Actor ActorKind Channel acting_as",
    "kernel.database": "Database get_async_db get_db_session set_default_database",
    "kernel.errors": "ConflictError DeskbellError ForbiddenError InvalidError NotFoundError SetupError StaleError"
    " TooLargeError TooManyError UnauthenticatedError UnavailableError",
    "kernel.settings": "Settings",
    "kernel.worlds": "both_worlds",
    "runtime": "Desk ensure_schema open_desk",
    "search.contract": "SearchPage search_tickets",
    "tickets.bulk": "CreatedTicket NewTicket",
    "tickets.bulk_changes": "BulkResult bulk_assign_tickets bulk_update_ticket_status",
    "tickets.bulk_creation": "bulk_create_tickets bulk_insert_with_return",
    "tickets.deletion": "restore_ticket soft_delete_ticket",
    "tickets.details": "get_tickets_with_details get_user_with_tickets",
    "tickets.models": "Attachment BodyFormat Comment Tag Ticket TicketPriority TicketStatus TicketTag",
    "tickets.statistics": "AssigneeStatistics TicketStatistics get_ticket_statistics",
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names.split()}

if not TYPE_CHECKING:  # type checkers read the imports above, and would believe any name

    def __getattr__(name: str) -> object:
        """Import what is asked for (PEP 562)."""
        if name not in _HOME_OF:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List what can be asked for."""
        return sorted({*globals(), *__all__})
