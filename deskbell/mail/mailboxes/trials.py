"""What a mailbox would be with changes that nobody has saved yet: so that its connections can be tried before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session, undefer

from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.actions import Wanted, checked_changes, checked_new, get_mailbox
from deskbell.mail.mailboxes.models import Mailbox
from deskbell.mail.mailboxes.rules import FACTS


@dataclass(frozen=True, slots=True)
class Trial:
    """Facts by column; the secrets that were typed; the names of those that are kept, of which mailbox."""

    facts: Mapping[str, Any]
    typed: Mapping[str, str] = field(repr=False)
    kept: tuple[str, ...] = ()
    mailbox_id: int | None = None


def trial_of(session: Session, wanted: Wanted, mailbox_id: int | None = None) -> Trial:
    """Return a mailbox as it would be. Raises InvalidError as saving does, and NotFoundError."""
    if mailbox_id is None:
        facts, secrets = checked_new(wanted)
        return Trial(facts, {name: text for name, text in secrets.items() if text})
    mailbox = get_mailbox(session, mailbox_id)
    facts, secrets = checked_changes(mailbox, wanted)
    kept = tuple(name for name in mailbox.kept if name not in secrets)
    whole = {name: getattr(mailbox, name) for name in FACTS} | facts
    return Trial(whole, {name: text for name, text in secrets.items() if text}, kept, mailbox_id)


def secrets_of(session: Session, trial: Trial) -> dict[str, str]:
    """Return all secrets by name, the kept ones opened. For the system. Raises MissingKeyError, SecretError."""
    if trial.mailbox_id is None or not trial.kept:
        return dict(trial.typed)
    wanted = select(Mailbox).where(Mailbox.id == trial.mailbox_id).options(*map(undefer, _columns(trial.kept)))
    mailbox = session.scalars(wanted.execution_options(populate_existing=True)).one()
    vault = resources_of(session).vault
    opened = {
        name: vault.open(sealed, f"mailboxes.{name}", mailbox.id)
        for name in trial.kept
        if (sealed := getattr(mailbox, name)) is not None
    }
    return {**opened, **trial.typed}


def _columns(names: Iterable[str]) -> list[InstrumentedAttribute[Any]]:
    return [getattr(Mailbox, name) for name in names]
