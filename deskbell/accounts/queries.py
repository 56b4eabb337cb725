"""People, organizations and teams: functions that return a Select, and how to load one."""

from typing import TypeVar

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session, joinedload

from deskbell.accounts.models import ApiToken, LoginSession, Organization, Role, Team, TeamMember, User
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import NotFoundError
from deskbell.kernel.paging import SortKey

T = TypeVar("T")
STAFF = (Role.AGENT, Role.ADMIN)


def users() -> Select[User]:
    """Return everybody whom the actor may see."""
    return select(User)


BY_ID = (SortKey(User.id),)
NEWEST_FIRST = (SortKey(User.id, descending=True),)
ORGANIZATIONS_BY_ID = (SortKey(Organization.id),)
TEAMS_BY_ID = (SortKey(Team.id),)
TOKENS_BY_ID = (SortKey(ApiToken.id),)
NEWEST_TOKEN_FIRST = (SortKey(ApiToken.id, descending=True),)


def users_where(
    *,
    email: str | None = None,
    role: Role | None = None,
    is_active: bool | None = None,
    organization_id: int | None = None,
) -> Select[User]:
    """Return whom the actor may see and what is asked for fits."""
    asked = ((User.role, role), (User.is_active, is_active), (User.organization_id, organization_id))
    statement = users().where(*(column == value for column, value in asked if value is not None))
    return statement if email is None else with_email(statement, email)


def found_by(statement: Select[User], text: str) -> Select[User]:
    """Keep whose name or address begins like this, in any case. Both are found in indexes."""
    begin = func.lower(text.strip())
    alike = (
        select(User.id).where(func.starts_with(func.lower(column), begin)) for column in (User.full_name, User.email)
    )
    return statement.where(User.id.in_(union_all(*alike)))


def all_tokens() -> Select[ApiToken]:
    """Return everybody's API tokens that the actor may see, each with its owner."""
    return select(ApiToken).options(joinedload(ApiToken.user))


def open_sessions(user_id: int) -> Select[LoginSession]:
    """Return where somebody is logged in, the newest first."""
    alive = (LoginSession.user_id == user_id, LoginSession.expires_at > func.clock_timestamp())
    return select(LoginSession).where(*alive).order_by(LoginSession.id.desc())


def members_of(session: Session, team_id: int) -> Select[User]:
    """Return who is in a team. Raises NotFoundError."""
    team = get_team(session, team_id)
    return users().where(User.id.in_(select(TeamMember.user_id).where(TeamMember.team_id == team.id)))


def own_tokens(session: Session) -> Select[ApiToken]:
    """Return the actor's API tokens, the revoked ones too."""
    return select(ApiToken).where(ApiToken.user_id == actor_of(session).user_id)


def with_email(statement: Select[User], email: str) -> Select[User]:
    """Keep who has this address, in any case. PostgreSQL lowers both sides: Python differs for some letters."""
    return statement.where(func.lower(User.email) == func.lower(email.strip()))


def agents() -> Select[User]:
    """Return who can be assigned a ticket, by name."""
    return select(User).where(User.role.in_(STAFF), User.is_active).order_by(User.full_name, User.id)


def organizations() -> Select[Organization]:
    """Return all organizations that the actor may see."""
    return select(Organization)


def teams() -> Select[Team]:
    """Return all teams that the actor may see."""
    return select(Team)


def teams_of(session: Session) -> Select[Team]:
    """Return the teams that the actor is in, by name."""
    mine = select(TeamMember.team_id).where(TeamMember.user_id == actor_of(session).user_id)
    return teams().where(Team.id.in_(mine)).order_by(Team.name, Team.id)


def get_user(session: Session, user_id: int) -> User:
    """Load a person. Raises NotFoundError, also for whom the actor may not see."""
    return _found(session.get(User, user_id), f"There is no user {user_id}.")


def get_user_by_email(session: Session, email: str) -> User:
    """Load a person by address. Raises NotFoundError."""
    return _found(session.scalar(with_email(users(), email)), f"There is no user with the address {email}.")


def get_organization(session: Session, organization_id: int) -> Organization:
    """Load an organization. Raises NotFoundError."""
    return _found(session.get(Organization, organization_id), f"There is no organization {organization_id}.")


def get_team(session: Session, team_id: int) -> Team:
    """Load a team. Raises NotFoundError."""
    return _found(session.get(Team, team_id), f"There is no team {team_id}.")


def _found(value: T | None, message: str) -> T:
    if value is None:
        raise NotFoundError(message)
    return value
