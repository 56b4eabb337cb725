"""What has happened to people."""

from dataclasses import dataclass

from deskbell.kernel.events import Event


@dataclass(frozen=True, slots=True)
class UserDeactivated(Event):
    """Somebody can no longer log in."""

    user_id: int


@dataclass(frozen=True, slots=True)
class AgentDemoted(Event):
    """Somebody who worked for the desk is a customer now."""

    user_id: int


@dataclass(frozen=True, slots=True)
class PasswordChanged(Event):
    """Somebody has a new password."""

    user_id: int
