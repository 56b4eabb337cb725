"""Who acts, as what and through what: the context that every transaction begins with and that the audit log records."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self


class ActorKind(StrEnum):
    """The kinds of actor. Each has a database role of its own, `deskbell_<kind>`, with its own row policies."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ADMIN = "admin"
    SYSTEM = "system"


class Channel(StrEnum):
    """Through what something came in or was changed."""

    WEB = "web"
    API = "api"
    MAIL = "mail"
    CLI = "cli"
    IMPORT = "import"
    RULE = "rule"
    JOB = "job"
    SQL = "sql"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, or the system, about to act.

    `user_id` is None for the system alone. `act` names what is done ("deskbell import csv"), `cause` why it
    is done when no person asked for it just now ("rule:7"), `operation` continues an operation begun earlier.
    `time_zone` says when the days begin that they speak of.
    """

    kind: ActorKind
    user_id: int | None = None
    channel: Channel = Channel.SQL
    act: str = ""
    cause: str = ""
    operation: int | None = None
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse a person without an id: row security would show them nothing, which is confusing to debug."""
        if self.user_id is None and self.kind is not ActorKind.SYSTEM:
            message = f"a {self.kind} needs a user_id"
            raise ValueError(message)

    @classmethod
    def system(cls, channel: Channel = Channel.JOB, *, act: str = "", cause: str = "") -> Self:
        """Build the actor for what nobody in particular does: mail coming in, jobs, log-in itself."""
        return cls(ActorKind.SYSTEM, None, channel, act, cause)

    @property
    def is_staff(self) -> bool:
        """Whether the actor works for the desk, the system included."""
        return self.kind is not ActorKind.CUSTOMER

    @property
    def role(self) -> str:
        """The database role whose policies apply."""
        return f"deskbell_{self.kind.value}"

    def doing(self, act: str) -> Self:
        """Return the same actor, about to do something with a name."""
        return replace(self, act=act)

    def settings(self) -> dict[str, str]:
        """Name the server parameters that carry this actor through a transaction."""
        return {
            "role": self.role,
            "deskbell.actor": "" if self.user_id is None else str(self.user_id),
            "deskbell.channel": self.channel.value,
            "deskbell.act": self.act[:200],
            "deskbell.cause": self.cause[:200],
            "deskbell.operation": "" if self.operation is None else str(self.operation),
        }


_current: ContextVar[Actor | None] = ContextVar("deskbell_actor", default=None)


def current_actor() -> Actor | None:
    """Return the actor of this task or thread, where one was set with `acting_as`."""
    return _current.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Let sessions that are opened inside the block act as `actor` unless they name another."""
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)
