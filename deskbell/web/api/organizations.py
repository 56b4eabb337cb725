"""Customers' companies."""

from deskbell.accounts import actions
from deskbell.accounts.queries import ORGANIZATIONS_BY_ID, get_organization, organizations
from deskbell.web.dependencies import STAFF_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.problems import problem_responses
from deskbell.web.routes import api_router
from deskbell.web.schemas.base import PathId
from deskbell.web.schemas.people import OrganizationChange, OrganizationIn, OrganizationOut

router = api_router("/organizations", "organizations")
TAKEN = problem_responses(409)


@router.get("", summary="List organizations")
async def list_organizations(session: Transaction, pages: Pages) -> PageOf[OrganizationOut]:
    """Return organizations, oldest first: all of them for the desk, only your own for a customer."""
    return await pages.read(session, organizations(), ORGANIZATIONS_BY_ID, OrganizationOut.of)


@router.post("", status_code=201, summary="Add an organization", dependencies=[STAFF_ONLY], responses=TAKEN)
async def add_organization(session: Transaction, wanted: OrganizationIn) -> OrganizationOut:
    """Add an organization."""
    facts = wanted.model_dump()
    return await session.run_sync(lambda db: OrganizationOut.of(actions.create_organization(db, **facts)))


@router.get("/{organization_id}", summary="Read an organization")
async def read_organization(session: Transaction, organization_id: PathId) -> OrganizationOut:
    """Return an organization."""
    return OrganizationOut.of(await session.run_sync(get_organization, organization_id))


@router.patch("/{organization_id}", summary="Change an organization", dependencies=[STAFF_ONLY], responses=TAKEN)
async def patch_organization(
    session: Transaction, organization_id: PathId, changes: OrganizationChange
) -> OrganizationOut:
    """Change what is sent and leave the rest."""
    given = changes.given()
    return await session.run_sync(
        lambda db: OrganizationOut.of(actions.change_organization(db, organization_id, **given))
    )
