"""What the pages about people, organizations and teams show, as functions over a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import available_timezones

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from deskbell.accounts import actions, profiles
from deskbell.accounts.models import ApiToken, LoginSession, Organization, Role, Team, TeamMember, User, display_name
from deskbell.accounts.queries import (
    NEWEST_FIRST,
    ORGANIZATIONS_BY_ID,
    TEAMS_BY_ID,
    agents,
    found_by,
    get_organization,
    get_team,
    get_user,
    members_of,
    open_sessions,
    organizations,
    teams,
    users_where,
)
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.plans import plan_for_values
from deskbell.web.admin.listing import choices, yes_or_no
from deskbell.web.i18n import gettext as _
from deskbell.web.pages.pager import Pager

OFFERED: Final = 1_000
"""Names that a field offers; others are typed."""
SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people."""

    text: str
    role: Role | None
    is_active: bool | None
    organization_id: int | None


def people(session: Session, wanted: Wanted, pager: Pager) -> dict[str, Any]:
    """Return a page of people, newest first, with their organizations. Three statements."""
    plan_for_values(session)
    statement = users_where(role=wanted.role, is_active=wanted.is_active, organization_id=wanted.organization_id)
    if wanted.text.strip():
        statement = found_by(statement, wanted.text)
    organization = session.get(Organization, wanted.organization_id) if wanted.organization_id else None
    listed = pager.read(session, statement.options(joinedload(User.organization)), NEWEST_FIRST, _listed)
    return {
        "page": listed,
        "filters": {"q": wanted.text, "role": wanted.role or "", "active": wanted.is_active},
        "organization": organization and {"id": organization.id, "name": organization.name},
        "roles": choices([role.value for role in Role], _("All roles")),
        "activity": yes_or_no(_("Active"), _("Deactivated")),
        "is_filtered": pager.is_filtered,
    }


def person_page(session: Session, user_id: int) -> dict[str, Any]:
    """Return a person with their teams, log-ins and tokens. Six statements."""
    user = get_user(session, user_id)
    organization = session.get(Organization, user.organization_id) if user.organization_id else None
    member = select(TeamMember.team_id).where(TeamMember.user_id == user.id)
    tokens = select(func.count()).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return {
        "person": {
            **_person(user),
            "is_staff": user.is_staff,
            "created_at": user.created_at,
            "last_login": user.last_login,
            "tokens": session.scalar(tokens) or 0,
        },
        "values": {
            "email": user.email,
            "full_name": user.full_name,
            "role": user.role.value,
            "organization": organization.name if organization else "",
            "time_zone": user.time_zone,
        },
        "teams": [{"id": team.id, "name": team.name} for team in session.scalars(teams().where(Team.id.in_(member)))],
        "logins": [_login(one) for one in session.scalars(open_sessions(user.id).limit(SHOWN))],
        **choices_for_person(session),
    }


def choices_for_person(session: Session) -> dict[str, Any]:
    """Return what the fields about a person offer. One statement."""
    names = select(Organization.name).order_by(func.lower(Organization.name)).limit(OFFERED)
    return {
        "roles": choices([role.value for role in Role], "")[1:],
        "organization_names": list(session.scalars(names)),
        "time_zones": sorted(available_timezones()),
    }


def add_person(session: Session, facts: Mapping[str, Any], password_hash: str | None) -> User:
    """Add somebody; the organization by name."""
    return actions.create_user(session, **_named(session, facts), password_hash=password_hash)


def change_person(session: Session, user_id: int, facts: Mapping[str, Any]) -> User:
    """Change what is known of somebody; the organization by name."""
    return profiles.change_user(session, user_id, _named(session, facts))


def organization_list(session: Session, text: str, pager: Pager) -> dict[str, Any]:
    """Return a page of organizations whose names begin like a text."""
    plan_for_values(session)
    statement = organizations()
    if text.strip():
        begins = func.starts_with(func.lower(Organization.name), func.lower(text.strip()))
        statement = statement.where(begins)
    shown = pager.read(session, statement, ORGANIZATIONS_BY_ID, _organization)
    return {"page": shown, "filters": {"q": text}, "is_filtered": pager.is_filtered}


def organization_page(session: Session, organization_id: int) -> dict[str, Any]:
    """Return an organization with its first members."""
    organization = get_organization(session, organization_id)
    members = users_where(organization_id=organization.id).order_by(User.id).limit(SHOWN + 1)
    found = [_person(user) for user in session.scalars(members)]
    return {
        "organization": _organization(organization),
        "values": {"name": organization.name, "shares_tickets": organization.shares_tickets},
        "members": found[:SHOWN],
        "has_more": len(found) > SHOWN,
    }


def team_list(session: Session, pager: Pager) -> dict[str, Any]:
    """Return a page of teams with how many are in each. Two statements."""
    listed = pager.read(session, teams(), TEAMS_BY_ID, _team)
    shown = [team["id"] for team in listed["items"]]
    counted = select(TeamMember.team_id, func.count()).where(TeamMember.team_id.in_(shown))
    sizes = {team_id: count for team_id, count in session.execute(counted.group_by(TeamMember.team_id))}  # noqa: C416 - Row
    return {"page": {**listed, "items": [{**team, "size": sizes.get(team["id"], 0)} for team in listed["items"]]}}


def team_page(session: Session, team_id: int) -> dict[str, Any]:
    """Return a team, who is in it, and who could be."""
    team = get_team(session, team_id)
    members = [
        _person(user) for user in session.scalars(members_of(session, team_id).order_by(User.full_name, User.id))
    ]
    there = {member["id"] for member in members}
    others = (user for user in session.scalars(agents().limit(OFFERED)) if user.id not in there)
    return {
        "team": _team(team),
        "values": {"name": team.name, "description": team.description},
        "members": members,
        "candidates": [{"value": user.id, "label": f"{display_name(user)} ({user.email})"} for user in others],
    }


def _named(session: Session, facts: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(facts)
    name = values.pop("organization", "").strip()
    return {**values, "organization_id": _organization_named(session, name) if name else None}


def _organization_named(session: Session, name: str) -> int:
    found = session.scalar(select(Organization.id).where(func.lower(Organization.name) == func.lower(name)))
    if found is None:
        raise InvalidError(_("There is no organization of this name. Add it first."), field="organization")
    return found


def _organization(organization: Organization) -> dict[str, Any]:
    return {
        "id": organization.id,
        "name": organization.name,
        "shares_tickets": organization.shares_tickets,
        "created_at": organization.created_at,
    }


def _team(team: Team) -> dict[str, Any]:
    return {"id": team.id, "name": team.name, "description": team.description}


def _listed(user: User) -> dict[str, Any]:
    return {
        **_person(user),
        "organization": user.organization.name if user.organization else None,
        "organization_id": user.organization_id,
        "last_login": user.last_login,
    }


def _person(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": display_name(user),
        "email": user.email,
        "role": user.role.value,
        "is_active": user.is_active,
    }


def _login(one: LoginSession) -> dict[str, Any]:
    return {
        "address": one.address,
        "user_agent": one.user_agent,
        "created_at": one.created_at,
        "expires_at": one.expires_at,
    }
