"""Domain events: frozen dataclasses of ids, handled in the transaction that publishes them.

`wiring.py` lists which handler hears what. Influence travels up the layers by these and in no other way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

HANDLERS_KEY = "deskbell.handlers"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened, named in the past tense."""


Handler = Callable[[Session, Any], None]
Handlers = Mapping[type[Event], Sequence[Handler]]


def publish(session: Session, event: Event) -> None:
    """Call the handlers of the event, in order, in this transaction. A handler that raises undoes the whole."""
    handlers: Handlers = session.info.get(HANDLERS_KEY, {})
    for handler in handlers.get(type(event), ()):
        handler(session, event)
