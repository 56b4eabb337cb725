"""Use cases about what is known of people: changing it, and finding or adding who a request is for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from deskbell.accounts.actions import (
    NAME_LENGTH,
    create_token,
    find_or_create_customer,
    hint_of,
    known_time_zone,
    set_active,
)
from deskbell.accounts.events import AgentDemoted
from deskbell.accounts.models import ApiToken, Role, User
from deskbell.accounts.queries import get_user
from deskbell.kernel.actor import ActorKind
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError, NotFoundError
from deskbell.kernel.events import publish
from deskbell.kernel.text import clean_email, one_line

LOCALE_LENGTH = 35


def change_user(session: Session, user_id: int, changes: Mapping[str, Any]) -> User:
    """Change facts by field name: email, full_name, role, is_active, organization_id, locale, time_zone.

    Customers change themselves, agents customers and themselves, administrators everybody. Raises ForbiddenError,
    InvalidError, EmailTakenError.
    """
    user = get_user(session, user_id)
    _check_may_change(session, user, changes)
    values = dict(changes)
    if "email" in values:
        values["email"] = clean_email(values["email"])
    if "full_name" in values:
        values["full_name"] = one_line(values["full_name"], NAME_LENGTH)
    if "time_zone" in values:
        values["time_zone"] = known_time_zone(values["time_zone"])
    if "locale" in values:
        values["locale"] = one_line(values["locale"], LOCALE_LENGTH)
    active, was_staff = values.pop("is_active", user.is_active), user.role is not Role.CUSTOMER
    for name, value in values.items():
        setattr(user, name, value)
    session.flush()  # for a taken address to show here
    if was_staff and user.role is Role.CUSTOMER:
        publish(session, AgentDemoted(user.id))
    set_active(session, user_id, active=active)
    session.flush()  # the trigger's time comes back with it
    session.refresh(user, ["updated_at"])
    return user


def find_requester(session: Session, *, user_id: int | None, email: str | None, full_name: str = "") -> User | None:
    """Return who a ticket is for: by id, or by address (a new one becomes a customer); None where it is the actor."""
    actor = actor_of(session)
    if email is not None:
        if not actor.is_staff:
            raise ForbiddenError("You may open tickets for yourself alone.")
        return find_or_create_customer(session, email, full_name)
    if user_id is None or user_id == actor.user_id:
        return None
    try:
        return get_user(session, user_id)
    except NotFoundError as error:
        raise InvalidError("There is no such requester.", field="requester_id") from error


def create_own_token(
    session: Session, *, name: str, scopes: tuple[str, ...], expires_at: datetime | None, now: datetime, by: str = ""
) -> tuple[ApiToken, str]:
    """Make an API token of the actor. Raises InvalidError where it would have expired already.

    `by` is the token that it is made with, if any: it lives no longer than that one, or else one that leaked for a day
    would be one that leaked for ever.
    """
    if expires_at is not None and expires_at <= now:
        raise InvalidError("The token would have expired already.", field="expires_at")
    user_id = actor_of(session).user_id
    if user_id is None:
        raise ForbiddenError("The system has no tokens.")
    end = _end_of(session, user_id, by) if by else None
    if end is not None and expires_at is not None and expires_at > end:
        message = f"The token would live longer than the one it is made with, which ends at {end:%Y-%m-%d %H:%M} UTC."
        raise InvalidError(message, field="expires_at")
    return create_token(session, user_id, name=name, scopes=scopes, expires_at=expires_at or end)


def _end_of(session: Session, user_id: int, secret: str) -> datetime | None:
    """Return when a token of the user's expires, None where it does not.

    Nobody may read hashes, so it is found by how it begins. Should two begin alike, the one that ends first counts.
    """
    mine = select(func.min(ApiToken.expires_at)).where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
    end: datetime | None = session.scalar(mine.where(ApiToken.hint == hint_of(secret)))
    return None if end is None else end.astimezone(UTC)


def _check_may_change(session: Session, user: User, changes: Mapping[str, Any]) -> None:
    """Row security refuses the same; said here first, the reason can be told."""
    actor = actor_of(session)
    if actor.kind in {ActorKind.ADMIN, ActorKind.SYSTEM}:
        if actor.user_id == user.id and changes.get("role", user.role) is not user.role:
            raise InvalidError("You cannot change your own role.", field="role")
        return
    if not changes.keys().isdisjoint({"role", "is_active"}):
        raise ForbiddenError("Only an administrator may change roles and who may log in.")
    if user.role is not Role.CUSTOMER and user.id != actor.user_id:
        raise ForbiddenError("Only an administrator may change agents and administrators.")
    if actor.kind is ActorKind.CUSTOMER and not changes.keys() <= {"full_name", "locale", "time_zone"}:
        raise ForbiddenError("You may change your name, language and time zone.")
