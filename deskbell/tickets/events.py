"""What has happened to tickets."""

from dataclasses import dataclass

from deskbell.kernel.events import Event


@dataclass(frozen=True, slots=True)
class TicketOpened(Event):
    """A customer has a new request."""

    ticket_id: int


@dataclass(frozen=True, slots=True)
class Replied(Event):
    """Somebody answered in public."""

    ticket_id: int
    comment_id: int


@dataclass(frozen=True, slots=True)
class NoteAdded(Event):
    """An agent left a note that only the desk sees."""

    ticket_id: int
    comment_id: int


@dataclass(frozen=True, slots=True)
class Mentioned(Event):
    """Somebody of the desk mentioned others of it in a reply or a note."""

    ticket_id: int
    comment_id: int
    user_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TicketAssigned(Event):
    """A ticket has a new assignee, or none any more."""

    ticket_id: int
    assignee_id: int | None


@dataclass(frozen=True, slots=True)
class StatusChanged(Event):
    """A ticket stands somewhere else."""

    ticket_id: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class TicketDeleted(Event):
    """A ticket was put away; it can be restored."""

    ticket_id: int


@dataclass(frozen=True, slots=True)
class TicketRestored(Event):
    """A deleted ticket is back."""

    ticket_id: int


@dataclass(frozen=True, slots=True)
class CopyAdded(Event):
    """Somebody gets copies of a ticket's answers from now on."""

    ticket_id: int
    copy_id: int


@dataclass(frozen=True, slots=True)
class CopyRemoved(Event):
    """Somebody gets no more copies of a ticket's answers."""

    ticket_id: int
    copy_id: int


@dataclass(frozen=True, slots=True)
class TicketsLinked(Event):
    """Two tickets have to do with each other: the younger one, and the other one."""

    ticket_id: int
    other_id: int


@dataclass(frozen=True, slots=True)
class TicketsUnlinked(Event):
    """Two tickets are not linked any more: the younger one, and the other one."""

    ticket_id: int
    other_id: int


@dataclass(frozen=True, slots=True)
class TicketsOpened(Event):
    """Tickets were created in bulk. Their events of one ticket are not published as well."""

    ticket_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TicketsStatusChanged(Event):
    """Tickets were moved to a status in bulk; those that had it already are not named."""

    ticket_ids: tuple[int, ...]
    new: str


@dataclass(frozen=True, slots=True)
class TicketsAssigned(Event):
    """Tickets were given to somebody in bulk, or to nobody; the open ones are in progress then."""

    ticket_ids: tuple[int, ...]
    assignee_id: int | None


@dataclass(frozen=True, slots=True)
class TicketsDeleted(Event):
    """Tickets were put away in bulk; they can be restored."""

    ticket_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TicketsRestored(Event):
    """Deleted tickets are back, in bulk."""

    ticket_ids: tuple[int, ...]
