"""Who you are."""

from deskbell.accounts.profiles import change_user
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.routes import api_router
from deskbell.web.schemas.people import MeChange, MeOut, UserOut

router = api_router("/me", "me")


@router.get("", summary="Who am I?")
async def read_me(me: Me) -> MeOut:
    """Return who you are, and what your token may do."""
    return MeOut.of(me)


@router.patch("", summary="Change yourself")
async def patch_me(session: Transaction, me: Me, changes: MeChange) -> UserOut:
    """Change your name, language or time zone."""
    return UserOut.of(await session.run_sync(change_user, me.user_id, changes.given()))
