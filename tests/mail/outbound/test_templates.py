"""Letters in administrators' words: saved, looked at, used in the recipient's language, and taken back."""

import pytest
from sqlalchemy import select

from deskbell.accounts.models import Role, User
from deskbell.audit.models import AuditLog
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.languages import languages
from deskbell.mail.outbound.models import OutboundKind
from deskbell.mail.outbound.templates import (
    get_template,
    list_templates,
    names_of,
    revert_template,
    save_template,
)
from deskbell.testing.factories import SYSTEM
from tests.mail.outbound.conftest import Outbox, Post, words_of

ANSWERED = OutboundKind.ANSWERED
OURS = (
    "{{ ticket.title }} ({{ ticket.number }})",
    "Dear {{ recipient.name }},\n\n{{ message }}\n\n**Cheers**, {{ agent.name }}",
)


@pytest.fixture
def admin(outbox: Outbox) -> User:
    return outbox.factory.user(Role.ADMIN)


def save(outbox: Outbox, who: User, subject: str = OURS[0], body: str = OURS[1], locale: str = "en") -> None:
    with outbox.as_(who) as session:
        save_template(session, ANSWERED, locale, subject, body)


def test_every_kind_has_words_in_every_language(outbox: Outbox, admin: User) -> None:
    save(outbox, admin)
    with outbox.as_(admin) as session:
        listed = list_templates(session)
        assert len(listed) == len(OutboundKind) * len(languages())
        assert [(each.kind, each.locale) for each in listed if each.is_own] == [(ANSWERED, "en")]


def test_an_administrators_words_are_used_in_their_language_alone(outbox: Outbox, admin: User, post: Post) -> None:
    save(outbox, admin)
    save(outbox, admin)  # twice is no mistake
    outbox.answer("We send another")
    outbox.run()
    mail = post.messages()[-1]
    assert mail["Subject"] == f"My card ({outbox.ticket.ticket_number})"
    assert words_of(mail) == "Dear Kim,\n\nWe send another\n\nCheers, Sam\n"
    assert "<strong>Cheers</strong>" in words_of(mail, "html")
    with outbox.database.transaction(SYSTEM) as session:
        session.get_one(User, outbox.ticket.creator_id).locale = "de"
        session.flush()
    outbox.answer()
    outbox.run()
    assert "hat Ihre Anfrage" in words_of(post.messages()[-1])
    with outbox.as_(admin) as session:
        assert [revert_template(session, ANSWERED, "en"), revert_template(session, ANSWERED, "en")] == [True, False]
        assert not get_template(session, ANSWERED, "en").is_own


def test_only_administrators_change_letters_and_it_is_recorded(outbox: Outbox, admin: User) -> None:
    with pytest.raises(ForbiddenError):
        save(outbox, outbox.agent)
    with pytest.raises(ForbiddenError), outbox.as_(outbox.agent) as session:
        revert_template(session, ANSWERED, "en")
    save(outbox, admin)
    with outbox.database.transaction(SYSTEM) as session:
        recorded = select(AuditLog.user_id).where(AuditLog.table_name == "letter_templates")
        assert session.scalars(recorded).all() == [admin.id]


@pytest.mark.parametrize(
    ("subject", "body", "locale", "field"),
    [
        ("", "{{ message }}", "en", "subject"),
        ("x", "No message", "en", "body"),
        ("{{ reason }}", "{{ message }}", "en", "subject"),
        ("x", "{{ message }}", "xx", "locale"),
    ],
)
def test_what_is_wrong_is_not_saved(
    outbox: Outbox, admin: User, subject: str, body: str, locale: str, field: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        save(outbox, admin, subject, body, locale)
    assert caught.value.field == field


def test_each_kind_says_which_names_it_knows() -> None:
    assert "message" in names_of(ANSWERED)
    assert names_of(OutboundKind.RESET) == ["link", "recipient.name", "site", "time"]
