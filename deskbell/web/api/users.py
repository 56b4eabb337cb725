"""People."""

from typing import Annotated

from anyio import to_thread
from fastapi import Query, Response

from deskbell.accounts import actions, profiles
from deskbell.accounts.models import Role
from deskbell.accounts.passwords import hash_password
from deskbell.accounts.queries import BY_ID, get_user, users_where
from deskbell.web.dependencies import STAFF_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.problems import problem_responses
from deskbell.web.routes import PREFIX, api_router
from deskbell.web.schemas.base import BIGGEST, PathId, Text
from deskbell.web.schemas.people import UserChange, UserIn, UserOut

router = api_router("/users", "users")


@router.get("", summary="List people")
async def list_users(
    session: Transaction,
    pages: Pages,
    email: Annotated[Text | None, Query(max_length=254, description="Who has this address.")] = None,
    role: Role | None = None,
    is_active: bool | None = None,  # noqa: FBT001 - a query parameter
    organization_id: Annotated[int | None, Query(ge=1, le=BIGGEST)] = None,
) -> PageOf[UserOut]:
    """Return people, oldest first: all of them for the desk, only yourself for a customer."""
    wanted = users_where(email=email, role=role, is_active=is_active, organization_id=organization_id)
    return await pages.read(session, wanted, BY_ID, UserOut.of)


@router.post("", status_code=201, summary="Add a person", dependencies=[STAFF_ONLY], responses=problem_responses(409))
async def add_user(response: Response, session: Transaction, wanted: UserIn) -> UserOut:
    """Add a person. Agents may add customers, administrators anybody."""
    password_hash = await to_thread.run_sync(hash_password, wanted.password) if wanted.password else None
    facts = wanted.model_dump(exclude={"password"})
    user = await session.run_sync(actions.create_user, **facts, password_hash=password_hash)
    response.headers["Location"] = f"{PREFIX}/users/{user.id}"
    return UserOut.of(user)


@router.get("/{user_id}", summary="Read a person")
async def read_user(session: Transaction, user_id: PathId) -> UserOut:
    """Return a person. Customers find only themselves."""
    return UserOut.of(await session.run_sync(get_user, user_id))


@router.patch("/{user_id}", summary="Change a person", responses=problem_responses(409))
async def patch_user(session: Transaction, user_id: PathId, changes: UserChange) -> UserOut:
    """Change what is sent and leave the rest. Whoever is deactivated is logged out and keeps no unresolved ticket."""
    return UserOut.of(await session.run_sync(profiles.change_user, user_id, changes.given()))
