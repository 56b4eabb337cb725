"""`deskbell team` and `deskbell organization`."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import Json, command, group
from deskbell.cli.console import note, say, say_json, say_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from deskbell.accounts.models import Organization, Team

teams = group(
    "Teams of agents that tickets can be given to.",
    "deskbell team create Cards",
    "deskbell team add Cards sam@example.org",
)
organizations = group("Customers' companies.", "deskbell organization create 'Acme Ltd' --shares-tickets")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="An agent's address.")]


@command(teams, "team create", "deskbell team create Cards --description 'Lost, stolen, late'")
def create_team(
    name: Name, description: Annotated[str, typer.Option(help="What it is for.", show_default=False)] = ""
) -> None:
    """Add a team."""
    from deskbell.accounts import actions
    from deskbell.cli.desks import open_desk, system

    with open_desk() as desk, desk.database.transaction(system()) as session:
        team = actions.create_team(session, name=name, description=description)
    say(f"The team {team.name} was added.")


@command(teams, "team list", "deskbell team list", "deskbell team list --json")
def list_teams(as_json: Json = False) -> None:
    """List teams and who is in them."""
    from sqlalchemy.orm import selectinload

    from deskbell.accounts.models import Team
    from deskbell.accounts.queries import teams as all_teams
    from deskbell.cli.desks import open_desk, system

    statement = all_teams().options(selectinload(Team.members)).order_by(Team.name)
    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found = session.scalars(statement).all()
    rows = [(team, sorted(member.email for member in team.members)) for team in found]
    if as_json:
        say_json({"teams": [{"id": t.id, "name": t.name, "description": t.description, "members": m} for t, m in rows]})
    elif rows:
        say_table(
            ("Team", "Members", "Description"),
            [(t.name, ", ".join(m) or "-", t.description) for t, m in rows],
            flexible="Description",
        )
    else:
        note("There are no teams.")


@command(teams, "team add", "deskbell team add Cards sam@example.org")
def add_member(name: Name, email: Email) -> None:
    """Put an agent into a team."""
    from deskbell.accounts.actions import join_team
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.cli.desks import open_desk, system

    with open_desk() as desk, desk.database.transaction(system()) as session:
        join_team(session, team_named(session, name).id, get_user_by_email(session, email).id)
    say(f"{email} is in the team {name}.")


@command(teams, "team remove", "deskbell team remove Cards sam@example.org")
def remove_member(name: Name, email: Email) -> None:
    """Take somebody out of a team."""
    from deskbell.accounts.actions import leave_team
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.cli.desks import open_desk, system

    with open_desk() as desk, desk.database.transaction(system()) as session:
        gone = leave_team(session, team_named(session, name).id, get_user_by_email(session, email).id)
    say(f"{email} is out of the team {name}." if gone else f"{email} was not in the team {name}.")


@command(
    organizations,
    "organization create",
    "deskbell organization create 'Acme Ltd'",
    "deskbell organization create 'Acme Ltd' --shares-tickets",
)
def create_organization(
    name: Name,
    shares_tickets: Annotated[
        bool, typer.Option("--shares-tickets", help="Its members see each other's tickets.")
    ] = False,
) -> None:
    """Add an organization."""
    from deskbell.accounts import actions
    from deskbell.cli.desks import open_desk, system

    with open_desk() as desk, desk.database.transaction(system()) as session:
        organization = actions.create_organization(session, name=name, shares_tickets=shares_tickets)
    say(f"The organization {organization.name} was added.")


@command(organizations, "organization list", "deskbell organization list", "deskbell organization list --json")
def list_organizations(as_json: Json = False) -> None:
    """List organizations."""
    from deskbell.accounts.models import Organization
    from deskbell.accounts.queries import organizations as all_organizations
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import note_reading, open_desk, system

    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found = session.scalars(all_organizations().order_by(Organization.name)).all()
        note_reading(desk, system(), AccessKind.ORGANIZATIONS, shown=len(found))
    if as_json:
        say_json({"organizations": [{"id": o.id, "name": o.name, "shares_tickets": o.shares_tickets} for o in found]})
    elif found:
        say_table(("Organization", "Shares tickets"), [(o.name, "yes" if o.shares_tickets else "no") for o in found])
    else:
        note("There are no organizations.")


def organization_named(session: "Session", name: str) -> "Organization":
    """Load an organization by name; case does not matter. Raises NotFoundError."""
    from sqlalchemy import func

    from deskbell.accounts.models import Organization
    from deskbell.accounts.queries import organizations as all_organizations
    from deskbell.kernel.errors import NotFoundError

    found = session.scalar(all_organizations().where(func.lower(Organization.name) == name.strip().lower()))
    if found is None:
        raise NotFoundError(f"There is no organization {name!r}. `deskbell organization create` adds it.")
    return found


def team_named(session: "Session", name: str) -> "Team":
    """Load a team by name; case does not matter. Raises NotFoundError."""
    from sqlalchemy import func

    from deskbell.accounts.models import Team
    from deskbell.accounts.queries import teams as all_teams
    from deskbell.kernel.errors import NotFoundError

    found = session.scalar(all_teams().where(func.lower(Team.name) == name.strip().lower()))
    if found is None:
        raise NotFoundError(f"There is no team {name!r}. `deskbell team create` adds it.")
    return found
