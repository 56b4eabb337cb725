"""Your own API tokens.

An answer to `POST` that is repeated for an `Idempotency-Key` leaves the secret out: it would otherwise lie in the
database in clear text for a day. Whoever lost the first answer deletes that token and makes another.
"""

from fastapi import Request

from deskbell.accounts import actions, profiles
from deskbell.accounts.queries import TOKENS_BY_ID, own_tokens
from deskbell.web.dependencies import Tools, Transaction, token_in
from deskbell.web.idempotency import remember_instead
from deskbell.web.paging import PageOf, Pages
from deskbell.web.problems import problem_responses
from deskbell.web.routes import api_router
from deskbell.web.schemas.base import PathId
from deskbell.web.schemas.people import NewTokenOut, TokenIn, TokenOut

router = api_router("/tokens", "tokens")


@router.get("", summary="List your tokens")
async def list_tokens(session: Transaction, pages: Pages) -> PageOf[TokenOut]:
    """Return your tokens, oldest first, the revoked ones too."""
    return await pages.read(session, own_tokens, TOKENS_BY_ID, TokenOut.of)


@router.post("", status_code=201, summary="Make a token", responses=problem_responses(409))
async def add_token(request: Request, session: Transaction, tools: Tools, wanted: TokenIn) -> NewTokenOut:
    """Make a token for yourself. Its secret is shown now and never again.

    Made with a token, it ends no later than that one; without `expires_at`, with it.
    """
    token, secret = await session.run_sync(
        profiles.create_own_token,
        name=wanted.name,
        scopes=tuple(wanted.scopes),
        expires_at=wanted.expires_at,
        now=tools.clock.now(),
        by=token_in(request),
    )
    answer = NewTokenOut.of(token)
    remember_instead(request, answer.model_dump_json().encode())
    return answer.model_copy(update={"secret": secret})


@router.delete("/{token_id}", status_code=204, summary="Revoke a token")
async def revoke_token(session: Transaction, tools: Tools, token_id: PathId) -> None:
    """Make a token worthless. Doing it twice is no error."""
    await session.run_sync(actions.revoke_token, token_id, at=tools.clock.now())
