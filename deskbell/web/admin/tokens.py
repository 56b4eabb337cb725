"""Everybody's API tokens: whose they are, what they may do, when they end. Their secrets are nowhere."""

from datetime import MAXYEAR, UTC, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import Form, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import func
from sqlalchemy.orm import Session

from deskbell.accounts import actions, profiles
from deskbell.accounts.models import ApiToken, display_name
from deskbell.accounts.queries import NEWEST_TOKEN_FIRST, all_tokens
from deskbell.kernel.errors import InvalidError
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show, wanted_or_missing
from deskbell.web.admin.listing import Words, day, whole, yes_or_no
from deskbell.web.dependencies import READ_SCOPE, Me, Tools, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked
from deskbell.web.pages.pager import Paged, Pager
from deskbell.web.schemas.base import PathId, Text

router = admin_router("/tokens")
FIELDS = ("name", "expires_at")


class TokenForm(BaseModel):
    """The fields of the form; a token ends when the day does, in UTC."""

    name: Annotated[Text, Field(max_length=1000)] = ""
    only_read: bool = False
    expires_at: Annotated[Text, Field(max_length=30)] = ""


@router.get("")
async def list_tokens(
    request: Request, session: Transaction, me: Me, pager: Paged, person: Words = "", alive: Words = "yes"
) -> Response:
    """List tokens, newest first; those that still work unless others are asked for."""
    context = await session.run_sync(token_list, pager, whole(person), alive)
    return await show(request, session, me, "tokens.html", **context)


@router.get("/new")
async def new_token(request: Request, session: Transaction, me: Me) -> Response:
    """Show the empty form."""
    return await _form(request, session, me, TokenForm(), Outcome())


@router.post("")
async def add_token(
    request: Request, session: Transaction, me: Me, tools: Tools, form: Annotated[TokenForm, Form()]
) -> Response:
    """Make a token of one's own. Its secret is shown this once."""
    now = tools.clock.now()
    outcome = await attempt(request, session, lambda db: _make(db, form, now), FIELDS)
    if outcome.errors:
        return await _form(request, session, me, form, outcome)
    token, secret = wanted_or_missing(outcome.value)
    return await show(request, session, me, "token_made.html", name=token.name, once=secret)


@router.post("/{token_id}/revoke")
async def revoke_token(request: Request, session: Transaction, tools: Tools, token_id: PathId) -> Response:
    """Make a token worthless."""
    token = await session.run_sync(actions.revoke_token, token_id, at=tools.clock.now())
    return done(request, "/tokens", marked("%(name)s no longer works."), name=token.name)


def token_list(session: Session, pager: Pager, user_id: int | None, alive: str) -> dict[str, Any]:
    """Return a page of tokens, of all or of one person, that still work or do not."""
    statement = all_tokens()
    if user_id is not None:
        statement = statement.where(ApiToken.user_id == user_id)
    works = ApiToken.revoked_at.is_(None) & (
        ApiToken.expires_at.is_(None) | (ApiToken.expires_at > func.clock_timestamp())
    )
    if alive in {"yes", "no"}:
        statement = statement.where(works if alive == "yes" else ~works)
    return {
        "page": pager.read(session, statement, NEWEST_TOKEN_FIRST, _token),
        "filters": {"person": user_id or "", "alive": alive},
        "activity": yes_or_no(_("Working"), _("Ended or revoked"))[1:] + yes_or_no("", "")[:1],
    }


def _make(session: Session, form: TokenForm, now: datetime) -> tuple[ApiToken, str]:
    scopes = (READ_SCOPE,) if form.only_read else ()
    return profiles.create_own_token(session, name=form.name, scopes=scopes, expires_at=_end(form.expires_at), now=now)


def _end(written: str) -> datetime | None:
    if not written.strip():
        return None
    last = day(written.strip())
    if last is None:
        raise InvalidError(_("Write the day as 2026-12-31."), field="expires_at")
    return datetime.combine(last, time(), UTC) + timedelta(days=1) if last.year < MAXYEAR else None


def _token(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "hint": token.hint,
        "owner": {"id": token.user.id, "name": display_name(token.user), "is_active": token.user.is_active},
        "scopes": token.scopes,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }


async def _form(request: Request, session: Transaction, me: Me, form: TokenForm, outcome: Outcome[Any]) -> Response:
    values, status = form.model_dump(), outcome.status
    return await show(request, session, me, "token_new.html", status=status, values=values, errors=outcome.errors)
