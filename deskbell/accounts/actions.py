"""Use cases about people, organizations and teams."""

from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from deskbell.accounts.events import PasswordChanged, UserDeactivated
from deskbell.accounts.models import ApiToken, Organization, Role, Team, TeamMember, User
from deskbell.accounts.queries import get_organization, get_team, get_user, users, with_email
from deskbell.kernel.actor import ActorKind
from deskbell.kernel.crypto import hash_token, new_token
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError, NotFoundError
from deskbell.kernel.events import publish
from deskbell.kernel.text import clean_email, one_line

TOKEN_PREFIX = "dbt"  # noqa: S105 - what tokens begin with, so that leaked ones can be found
NAME_LENGTH = 255


def create_user(
    session: Session,
    *,
    email: str,
    full_name: str = "",
    role: Role = Role.CUSTOMER,
    organization_id: int | None = None,
    password_hash: str | None = None,
    time_zone: str = "UTC",
) -> User:
    """Add a person. Agents may add customers, administrators anybody.

    Raises InvalidError (not an address), EmailTakenError, ForbiddenError.
    """
    if role is not Role.CUSTOMER and actor_of(session).kind in {ActorKind.AGENT, ActorKind.CUSTOMER}:
        raise ForbiddenError("Only an administrator may add agents and administrators.")
    facts = {
        "email": clean_email(email),
        "full_name": one_line(full_name, NAME_LENGTH),
        "role": role,
        "organization_id": organization_id,
        "time_zone": known_time_zone(time_zone),
    }
    if password_hash is not None:
        facts["password_hash"] = password_hash
    # Not `session.add`: that names every column, and agents may not write one for the password.
    return session.scalars(insert(User).values(facts).returning(User)).one()


def known_time_zone(name: str) -> str:
    """Return the name of a time zone of the tz database. Raises InvalidError."""
    if name not in available_timezones():
        raise InvalidError(
            f"There is no time zone {one_line(name, 60)!r}. Write one like Europe/Oslo.", field="time_zone"
        )
    return name


def find_or_create_customer(session: Session, email: str, full_name: str = "") -> User:
    """Return who has this address, or add them as a customer; two at once get the same person."""
    address = clean_email(email)
    found = session.scalar(with_email(users(), address))
    if found is not None:
        return found
    row = {"email": address, "full_name": one_line(full_name, NAME_LENGTH)}
    session.execute(insert(User).values(**row).on_conflict_do_nothing())
    return session.scalars(with_email(users(), address)).one()


def set_password(session: Session, user_id: int, password_hash: str, *, end_tokens: bool = False) -> int:
    """Give somebody a new password, ending what they are logged in to. The hash is made outside, in a thread.

    Their API tokens are programs' and live on, unless `end_tokens`: say so where the old password was in wrong hands.
    Return how many are alive.
    """
    user = get_user(session, user_id)
    user.password_hash = password_hash
    session.flush()  # subscribers act on what is written
    publish(session, PasswordChanged(user.id))
    alive = (ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None), _is_current(ApiToken.expires_at))
    if end_tokens:
        session.execute(update(ApiToken).where(*alive).values(revoked_at=func.clock_timestamp()))
    return session.scalar(select(func.count()).select_from(ApiToken).where(*alive)) or 0


def _is_current(expires_at: InstrumentedAttribute[datetime | None]) -> ColumnElement[bool]:
    return expires_at.is_(None) | (expires_at > func.clock_timestamp())


def set_active(session: Session, user_id: int, *, active: bool) -> User:
    """Let somebody log in, or no longer. Nobody is ever deleted."""
    user = get_user(session, user_id)
    if user.is_active and not active:
        if actor_of(session).user_id == user_id:
            raise InvalidError("You cannot deactivate yourself.", field="is_active")
        user.is_active = False
        session.flush()  # subscribers act on what is written
        publish(session, UserDeactivated(user.id))
    user.is_active = active
    return user


def create_token(
    session: Session, user_id: int, *, name: str, scopes: tuple[str, ...] = (), expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Make an API token and return it with its secret, which cannot be read again."""
    secret = new_token(TOKEN_PREFIX)
    title = one_line(name, 100)
    if not title:
        raise InvalidError("A token needs a name that says what it is for.", field="name")
    token = ApiToken(
        user_id=get_user(session, user_id).id,
        name=title,
        token_hash=hash_token(secret),
        hint=hint_of(secret),
        scopes=list(scopes),
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()  # for the id
    return token, secret


def hint_of(secret: str) -> str:
    """Return how a token begins: enough for its owner to know it by."""
    return secret[:8]


def revoke_token(session: Session, token_id: int, *, at: datetime) -> ApiToken:
    """Make a token worthless from now on."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFoundError(f"There is no token {token_id}.")
    token.revoked_at = token.revoked_at or at
    return token


def create_organization(session: Session, *, name: str, shares_tickets: bool = False) -> Organization:
    """Add an organization."""
    organization = Organization(name=_named(name), shares_tickets=shares_tickets)
    session.add(organization)
    session.flush()  # for the id, and for a taken name to show here
    return organization


def change_organization(
    session: Session, organization_id: int, *, name: str | None = None, shares_tickets: bool | None = None
) -> Organization:
    """Rename an organization, or let its members see each other's tickets."""
    organization = get_organization(session, organization_id)
    if name is not None:
        organization.name = _named(name)
    if shares_tickets is not None:
        organization.shares_tickets = shares_tickets
    session.flush()  # for a taken name to show here
    return organization


def create_team(session: Session, *, name: str, description: str = "") -> Team:
    """Add a team."""
    team = Team(name=_named(name), description=one_line(description, 1000))
    session.add(team)
    session.flush()  # for the id, and for a taken name to show here
    return team


def change_team(session: Session, team_id: int, *, name: str | None = None, description: str | None = None) -> Team:
    """Rename a team, or say anew what it is for."""
    team = get_team(session, team_id)
    if name is not None:
        team.name = _named(name)
    if description is not None:
        team.description = one_line(description, 1000)
    session.flush()  # for a taken name to show here
    return team


def join_team(session: Session, team_id: int, user_id: int) -> None:
    """Put an agent into a team."""
    if get_user(session, user_id).role is Role.CUSTOMER:
        raise InvalidError("Only agents and administrators can be in a team.", field="user_id")
    session.add(TeamMember(team_id=get_team(session, team_id).id, user_id=user_id))
    session.flush()  # for a repeated membership to show here


def leave_team(session: Session, team_id: int, user_id: int) -> bool:
    """Take somebody out of a team; return whether they were in it."""
    gone = delete(TeamMember).where(TeamMember.team_id == team_id, TeamMember.user_id == user_id)
    return bool(session.execute(gone.returning(TeamMember.user_id)).all())


def _named(name: str) -> str:
    cleaned = one_line(name, NAME_LENGTH)
    if not cleaned:
        raise InvalidError("A name is needed.", field="name")
    return cleaned
