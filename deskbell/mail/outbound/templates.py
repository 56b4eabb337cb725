"""Letters in administrators' own words: each kind in each language, or ours where they have not written one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from deskbell.kernel.actor import ActorKind
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.languages import date_and_time, languages, preferred, speaking
from deskbell.kernel.languages import gettext as _
from deskbell.mail.outbound.letters import BLOCKS, ORIGINALS, Facts, Quote, Wording, original_of
from deskbell.mail.outbound.models import LetterTemplate, OutboundKind
from deskbell.mail.outbound.rendering import Rendered, render
from deskbell.mail.outbound.wording import LONGEST_BODY, LONGEST_SUBJECT, always_says, check

_WRITTEN: Final = datetime(2026, 11, 20, 9, 41, tzinfo=UTC)
_MONTH: Final = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Template:
    """The words of a kind of letter in a language. `updated_at` is None where they are ours."""

    kind: OutboundKind
    locale: str
    subject: str
    body: str
    updated_at: datetime | None = None

    @property
    def is_own(self) -> bool:
        """Whether an administrator wrote them."""
        return self.updated_at is not None


def list_templates(session: Session) -> Sequence[Template]:
    """Return the words of every kind in every language. One statement, for administrators and the system."""
    own = {(each.kind, each.locale): each for each in session.scalars(select(LetterTemplate))}
    return [template_of(kind, locale, own.get((kind, locale))) for kind in ORIGINALS for locale in languages()]


def get_template(session: Session, kind: OutboundKind, locale: str) -> Template:
    """Return the words of a kind in a language. Raises InvalidError for a language that we have not."""
    return template_of(kind, locale, _own(session, kind, locale))


def wording_of(session: Session, kind: OutboundKind, locale: str) -> Wording | None:
    """Return what administrators wrote in somebody's language, as `render` takes it; None where they did not."""
    own = _own(session, kind, preferred("", locale.replace("_", "-")).code)
    return Wording(own.subject, own.body) if own else None


def save_template(session: Session, kind: OutboundKind, locale: str, subject: str, body: str) -> Template:
    """Write a kind's words in a language anew. Raises InvalidError with field and position, and ForbiddenError."""
    _require_admin(session)
    words = checked(kind, subject, body)
    values = {"subject": words.subject, "body": words.body}
    row = insert(LetterTemplate).values(kind=kind, locale=_known(locale), **values)
    session.execute(row.on_conflict_do_update(index_elements=["kind", "locale"], set_=values))
    session.expire_all()
    return get_template(session, kind, locale)


def revert_template(session: Session, kind: OutboundKind, locale: str) -> bool:
    """Go back to our words; return whether there were others."""
    _require_admin(session)
    its = (LetterTemplate.kind == kind, LetterTemplate.locale == _known(locale))
    return session.scalar(delete(LetterTemplate).where(*its).returning(LetterTemplate.id)) is not None


def preview(kind: OutboundKind, locale: str, subject: str, body: str) -> Rendered:
    """Return the letter that these words make of made-up facts. Raises InvalidError with field and position."""
    words = checked(kind, subject, body)
    with speaking(languages()[_known(locale)]):
        return render(kind, _sample(kind), locale, words)


def names_of(kind: OutboundKind) -> Sequence[str]:
    """Return the names that may stand in letters of a kind, by the alphabet."""
    return sorted(ORIGINALS[kind].names)


def checked(kind: OutboundKind, subject: str, body: str) -> Wording:
    """Return words as they are kept. Raises InvalidError, which says what is wrong, in which field and where."""
    original = ORIGINALS[kind]
    title = check(" ".join(subject.split()), original.names - BLOCKS, field="subject", longest=LONGEST_SUBJECT)
    text = check(body, original.names, field="body", longest=LONGEST_BODY)
    if original.needed and not always_says(text, original.needed):
        missing = f"{{{{ {original.needed} }}}}"
        message = f"Without {missing} outside of every condition this letter is of no use to whom it is for."
        raise InvalidError(message, field="body", position=len(text))
    return Wording(title, text)


def _own(session: Session, kind: OutboundKind, locale: str) -> LetterTemplate | None:
    its = (LetterTemplate.kind == kind, LetterTemplate.locale == locale)
    return session.scalar(select(LetterTemplate).where(*its))


def template_of(kind: OutboundKind, locale: str, own: LetterTemplate | None = None) -> Template:
    """Return the words of a row, or ours. Raises InvalidError for a language that we have not."""
    if own is not None:
        return Template(kind, locale, own.subject, own.body, own.updated_at)
    with speaking(languages()[_known(locale)]):
        words = original_of(kind)
    return Template(kind, locale, words.subject, words.body)


def _known(locale: str) -> str:
    if locale not in languages():
        raise InvalidError(f"Letters are written in {', '.join(languages())}.", field="locale")
    return locale


def _require_admin(session: Session) -> None:
    if actor_of(session).kind is not ActorKind.ADMIN:
        raise ForbiddenError("Only administrators change letters.")


def _sample(kind: OutboundKind) -> Facts:
    """In the language that is spoken."""
    words = _("The card was sent on Monday. It should be with you tomorrow.")
    question = _("My card has not arrived yet.")
    is_answer = kind is OutboundKind.ANSWERED
    return Facts(
        link="https://help.example.org/requests/DB-1042",
        site="help.example.org",
        seconds=_MONTH if kind.is_notice else 24 * 3600,
        number="DB-1042",
        title=_("My card has not arrived"),
        requester="Kim Ito",
        agent="Sam Weber",
        author="Sam Weber" if is_answer or kind is OutboundKind.MENTIONED else "Kim Ito",
        recipient="Sam Weber" if kind.is_for_desk else "Kim Ito",
        words=words if is_answer or kind is OutboundKind.UNDELIVERED else question,
        signature="Sam Weber\nhelp.example.org",
        quote=Quote("Kim Ito", date_and_time(_WRITTEN, UTC), question) if is_answer else None,
        files=("photographs.zip (31 MB)",) if is_answer else (),
        reason=("kim@example.org: 550 5.1.1 No such user",) if kind is OutboundKind.UNDELIVERED else (),
        can_reply=kind is not OutboundKind.UNDELIVERED,
    )
