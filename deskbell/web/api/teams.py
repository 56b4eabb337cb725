"""Groups of agents, and who is in them."""

from functools import partial

from deskbell.accounts import actions
from deskbell.accounts.queries import BY_ID, TEAMS_BY_ID, get_team, members_of, teams
from deskbell.web.dependencies import ADMIN_ONLY, STAFF_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.problems import problem_responses
from deskbell.web.routes import api_router
from deskbell.web.schemas.base import PathId
from deskbell.web.schemas.people import TeamIn, TeamOut, UserOut

router = api_router("/teams", "teams")
CONFLICT = problem_responses(409)


@router.get("", summary="List teams", dependencies=[STAFF_ONLY])
async def list_teams(session: Transaction, pages: Pages) -> PageOf[TeamOut]:
    """Return all teams, oldest first."""
    return await pages.read(session, teams(), TEAMS_BY_ID, TeamOut.of)


@router.post("", status_code=201, summary="Add a team", dependencies=[ADMIN_ONLY], responses=CONFLICT)
async def add_team(session: Transaction, wanted: TeamIn) -> TeamOut:
    """Add a team. For administrators."""
    return TeamOut.of(await session.run_sync(actions.create_team, **wanted.model_dump()))


@router.get("/{team_id}", summary="Read a team", dependencies=[STAFF_ONLY])
async def read_team(session: Transaction, team_id: PathId) -> TeamOut:
    """Return a team."""
    return TeamOut.of(await session.run_sync(get_team, team_id))


@router.get("/{team_id}/members", summary="List a team's members", dependencies=[STAFF_ONLY])
async def list_members(session: Transaction, pages: Pages, team_id: PathId) -> PageOf[UserOut]:
    """Return who is in a team."""
    return await pages.read(session, partial(members_of, team_id=team_id), BY_ID, UserOut.of)


@router.put(
    "/{team_id}/members/{user_id}",
    status_code=204,
    summary="Put somebody into a team",
    dependencies=[ADMIN_ONLY],
    responses=CONFLICT,
)
async def add_member(session: Transaction, team_id: PathId, user_id: PathId) -> None:
    """Put an agent into a team; 409 when they are in it. For administrators."""
    await session.run_sync(actions.join_team, team_id, user_id)


@router.delete(
    "/{team_id}/members/{user_id}", status_code=204, summary="Take somebody out of a team", dependencies=[ADMIN_ONLY]
)
async def remove_member(session: Transaction, team_id: PathId, user_id: PathId) -> None:
    """Take somebody out of a team. Doing it twice is no error. For administrators."""
    await session.run_sync(actions.leave_team, team_id, user_id)
