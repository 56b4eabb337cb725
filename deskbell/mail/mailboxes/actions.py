"""Use cases about mailboxes: adding one, changing it, letting it rest. For administrators, and the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.kernel.actor import ActorKind
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError, NotFoundError
from deskbell.kernel.resources import resources_of
from deskbell.mail.mailboxes.models import SECRETS, Mailbox, MailboxTag
from deskbell.mail.mailboxes.queries import NOTHING_SENDS
from deskbell.mail.mailboxes.rules import FACTS, SENT_TO, check_whole, checked, checked_secret
from deskbell.tickets.labels import ensure_tags

_NEW: Final[Mapping[str, Any]] = {
    "team_id": None,
    "priority": "medium",
    "signature": "",
    "acknowledges": True,
    "closed_reply": "reopen",
    "is_plus": True,
    "authority": "",
    "login": "password",
    "oauth_token_url": "",
    "oauth_client_id": "",
    "oauth_scope": "",
    "imap_host": "",
    "imap_port": None,
    "imap_security": "tls",
    "imap_user": "",
    "imap_folders": ("INBOX",),
    "smtp_host": "",
    "smtp_port": None,
    "smtp_security": "starttls",
    "smtp_user": "",
    "dkim_domain": "",
    "dkim_selector": "",
    "rate": None,
}
"""What holds for a new mailbox where nothing else is said."""
Secrets = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a mailbox is to be: some of the columns, by name; names of tags, None to leave them as they are.

    Of `secrets` (see `models.SECRETS`) an empty one stays what it is, and None is removed.
    """

    facts: Mapping[str, Any]
    secrets: Secrets = field(default_factory=dict)
    tags: Sequence[str] | None = None


def create_mailbox(session: Session, wanted: Wanted) -> Mailbox:
    """Add a mailbox; it is active. The fact `address` is needed, the name is the address where none is given.

    Raises InvalidError with the field that is wrong, AddressTakenError when it is written.
    """
    _require_admin(session)
    facts, secrets = checked_new(wanted)
    mailbox = Mailbox(**{**facts, "name": facts["name"] or facts["address"][:100]})
    session.add(mailbox)
    session.flush()  # for the id, which secrets are bound to, and for a taken address to show here
    _seal(session, mailbox, secrets)
    _set_tags(session, mailbox.id, wanted.tags or ())
    _find_out_anew(session)
    return mailbox


def change_mailbox(session: Session, mailbox_id: int, wanted: Wanted) -> Mailbox:
    """Change a mailbox. Raises as `create_mailbox` does, and NotFoundError.

    A secret that is kept is not told to another server than it was given for: with a new host it is wanted again.
    """
    _require_admin(session)
    mailbox = get_mailbox(session, mailbox_id)
    facts, secrets = checked_changes(mailbox, wanted)
    for name, value in facts.items():
        setattr(mailbox, name, value)
    mailbox.name = mailbox.name or mailbox.address[:100]
    _seal(session, mailbox, secrets)
    session.flush()  # for a taken address to show here
    if wanted.tags is not None:
        _set_tags(session, mailbox.id, wanted.tags)
    _find_out_anew(session)
    return mailbox


def set_mailbox_active(session: Session, mailbox_id: int, *, active: bool) -> Mailbox:
    """Fetch a mailbox's mail and send from it, or no longer. Nothing of it is ever deleted."""
    _require_admin(session)
    mailbox = get_mailbox(session, mailbox_id)
    mailbox.is_active = active
    _find_out_anew(session)
    return mailbox


def _find_out_anew(session: Session) -> None:
    """Have this process look again whether a mailbox sends."""
    resources_of(session).lately.forget(NOTHING_SENDS)


def get_mailbox(session: Session, mailbox_id: int) -> Mailbox:
    """Load a mailbox. Raises NotFoundError."""
    found = session.get(Mailbox, mailbox_id)
    if found is None:
        raise NotFoundError(f"There is no mailbox {mailbox_id}.")
    return found


def checked_new(wanted: Wanted) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Return what a new mailbox would be, and its secrets. Raises InvalidError."""
    facts = checked({**_NEW, "name": "", "address": "", **_known(wanted.facts)})
    secrets = _secrets(wanted.secrets)
    check_whole(facts, [name for name, text in secrets.items() if text])
    return facts, secrets


def checked_changes(mailbox: Mailbox, wanted: Wanted) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Return the facts and secrets that would change. Raises InvalidError, also where a secret left its server."""
    facts, secrets = checked(_known(wanted.facts)), _secrets(wanted.secrets)
    _check_kept(mailbox, facts, secrets)
    kept = [name for name in SECRETS if secrets.get(name, name in mailbox.kept)]
    check_whole({name: getattr(mailbox, name) for name in FACTS} | facts, kept)
    return facts, secrets


def _check_kept(mailbox: Mailbox, facts: Mapping[str, Any], secrets: Secrets) -> None:
    for name, server in SENT_TO.items():
        before = getattr(mailbox, server).lower()
        after = facts.get(server, before)
        if after and after.lower() != before and name in mailbox.kept and name not in secrets:
            message = "The server is another one now. Enter this again: it was meant for the one before."
            raise InvalidError(message, field=name)


def _require_admin(session: Session) -> None:
    if actor_of(session).kind not in {ActorKind.ADMIN, ActorKind.SYSTEM}:
        raise ForbiddenError("Only an administrator may change mailboxes.")


def _known(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = facts.keys() - set(FACTS)
    if unknown:
        message = f"mailboxes have no {', '.join(sorted(unknown))}"
        raise TypeError(message)
    return facts


def _secrets(given: Secrets) -> dict[str, str | None]:
    """Return those that are to be changed; an empty one is not."""
    return {
        name: None if text is None else checked_secret(name, text)
        for name, text in given.items()
        if text is None or text.strip()
    }


def _seal(session: Session, mailbox: Mailbox, secrets: Secrets) -> None:
    vault = resources_of(session).vault
    for name, text in secrets.items():
        setattr(mailbox, name, None if text is None else vault.seal(text, f"mailboxes.{name}", mailbox.id))
    if secrets:
        session.flush()
        session.refresh(mailbox, ["kept", "updated_at"])


def _set_tags(session: Session, mailbox_id: int, names: Sequence[str]) -> None:
    try:
        wanted = set(ensure_tags(session, [name for name in names if name.strip()]).values())
    except InvalidError as error:
        raise InvalidError(error.message, field="tags") from error
    has = set(session.scalars(select(MailboxTag.tag_id).where(MailboxTag.mailbox_id == mailbox_id)))
    if gone := has - wanted:
        session.execute(delete(MailboxTag).where(MailboxTag.mailbox_id == mailbox_id, MailboxTag.tag_id.in_(gone)))
    if new := sorted(wanted - has):
        session.execute(insert(MailboxTag), [{"mailbox_id": mailbox_id, "tag_id": tag_id} for tag_id in new])
