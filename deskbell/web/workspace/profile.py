"""One's own account: name, language, time zone, look, password, API tokens, and where one is logged in."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from anyio import to_thread
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from deskbell.accounts import actions, profiles, sessions
from deskbell.accounts.login import credentials, open_session
from deskbell.accounts.models import User
from deskbell.accounts.passwords import hash_password, verify_password
from deskbell.accounts.queries import get_user, own_tokens
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, InvalidError, TooManyError
from deskbell.kernel.paging import MAX_LIMIT
from deskbell.mail.outbound.choices import choices_of, choose
from deskbell.mail.outbound.models import OutboundKind
from deskbell.web.csrf import COOKIE
from deskbell.web.dependencies import STAFF_ONLY, Me, Tools, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import languages, marked
from deskbell.web.language import LANGUAGE_COOKIE
from deskbell.web.login import LoginLimits, client_address, session_cookie
from deskbell.web.pages.languages import remember, remember_language
from deskbell.web.pages.rendering import THEME_COOKIE, THEMES
from deskbell.web.schemas.base import PathId, Text
from deskbell.web.worded import worded
from deskbell.web.workspace.frame import show

router = APIRouter(include_in_schema=False)

NOTICES: Final = {
    OutboundKind.OPENED: marked("a new ticket that concerns me or my team"),
    OutboundKind.REPLIED: marked("a reply in a ticket of mine or of my team"),
    OutboundKind.ASSIGNED: marked("a ticket that is given to me"),
    OutboundKind.MENTIONED: marked("a mention of me"),
    OutboundKind.UNDELIVERED: marked("an answer of mine that did not arrive"),
}
"""Of what people of the desk may hear by mail."""
LIFETIMES: Final = (30, 90, 365)
"""Days after which a token can be made to end."""
Short = Annotated[Text, Form(max_length=1000)]
Password = Annotated[Text, Form(max_length=10_000)]


@router.get("/profile")
async def show_profile(request: Request, session: Transaction, me: Me, saved: str = "") -> Response:
    """Show one's account. `saved` is the part that was changed just now."""
    return await _page(request, session, me, saved=saved)


@router.post("/profile")
async def send_profile(
    request: Request,
    session: Transaction,
    me: Me,
    full_name: Short = "",
    time_zone: Short = "UTC",
    language: Annotated[str, Form(max_length=35)] = "",
    theme: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Save name, time zone, language and look. The last two are this browser's as well."""
    typed = {"full_name": full_name, "time_zone": time_zone, "locale": language}
    changes = {**typed, "locale": language if language in languages() else "en"}
    refused = await _try(session, lambda: session.run_sync(profiles.change_user, me.user_id, changes))
    if refused is not None:
        return await _page(request, session, me, refused=("profile", refused), typed=typed)
    response = RedirectResponse("/profile?saved=profile", status_code=303)
    remember_language(request, response, language)
    remember(request, response, THEME_COOKIE, theme if theme in THEMES else "")
    return response


@router.post("/profile/password")
async def send_password(
    request: Request,
    session: Transaction,
    me: Me,
    current: Password = "",
    new: Password = "",
    again: Password = "",
) -> Response:
    """Change the password. Whoever is logged in elsewhere with the old one is not any more."""
    try:
        secret = await _new_password(request, me.user_id, me.email, current, new, again)
    except (InvalidError, TooManyError) as error:
        return await _page(request, session, me, refused=("password", error))
    response = RedirectResponse("/profile?saved=password", status_code=303)
    response.set_cookie(**session_cookie(request, secret, request.app.state.session_lifetime))
    return response


@router.post("/profile/tokens")
async def send_token(
    request: Request,
    session: Transaction,
    me: Me,
    tools: Tools,
    name: Short = "",
    scope: Annotated[Literal["", "read"], Form()] = "",
    days: Annotated[int, Form(ge=0, le=365)] = 90,
) -> Response:
    """Make an API token and show it, this once: no redirect, as it can be kept nowhere."""
    now = tools.clock.now()
    expires_at = now + timedelta(days=days) if days else None
    scopes = (scope,) if scope else ()
    made: list[str] = []

    async def make() -> None:
        _token, secret = await session.run_sync(
            profiles.create_own_token, name=name, scopes=scopes, expires_at=expires_at, now=now
        )
        made.append(secret)

    refused = await _try(session, make)
    if refused is not None:
        return await _page(request, session, me, refused=("tokens", refused), typed={"name": name})
    return await _page(request, session, me, secret=made[0])


@router.post("/profile/notices", dependencies=[STAFF_ONLY])
async def send_notices(session: Transaction, kinds: Annotated[list[str] | None, Form()] = None) -> Response:
    """Choose of what one hears by mail: `kinds` are those that were ticked."""
    wanted = set(kinds or ())

    def save(db: Session) -> None:
        for kind in NOTICES:
            choose(db, kind, kind.value in wanted)

    await session.run_sync(save)
    return RedirectResponse("/profile?saved=notices#notices", status_code=303)


@router.post("/profile/tokens/{token_id}/revoke")
async def revoke_token(session: Transaction, tools: Tools, token_id: PathId) -> Response:
    """Make a token worthless."""
    await session.run_sync(actions.revoke_token, token_id, at=tools.clock.now())
    return RedirectResponse("/profile?saved=tokens#tokens", status_code=303)


@router.post("/profile/sessions/{session_id}/end")
async def end_session(session: Transaction, session_id: PathId) -> Response:
    """Log out somewhere else."""
    await session.run_sync(sessions.end_own_session, session_id)
    return RedirectResponse("/profile?saved=sessions#sessions", status_code=303)


async def _try(session: Transaction, change: Callable[[], Awaitable[object]]) -> InvalidError | None:
    """Make a change, or return why not."""
    try:
        async with session.begin_nested():
            await change()
    except InvalidError as error:
        session.expunge_all()  # what the refused change left in memory was rolled back
        return error
    return None


async def _new_password(request: Request, user_id: int, email: str, current: str, new: str, again: str) -> str:
    """Return the secret of a new session, in place of all that the change ends. Hashing is done in a thread."""
    if new != again:
        raise InvalidError(_("The two new passwords differ. Type the same twice."), field="again")
    database: Database = request.app.state.database
    limits: LoginLimits = request.app.state.login_limits
    limits.count(client_address(request), email)
    actor = Actor(ActorKind.SYSTEM, user_id, Channel.WEB, "POST /profile/password")
    async with database.async_transaction(actor) as system:
        known = await system.run_sync(credentials, email)
    if known.user_id != user_id or not await to_thread.run_sync(verify_password, current, known.password_hash):
        raise InvalidError(_("This is not your password of now."), field="current")
    limits.forget(email)
    try:
        hashed = await to_thread.run_sync(hash_password, new)
    except InvalidError as error:
        raise InvalidError(error.message, field="new") from error
    async with database.async_transaction(actor) as system:
        await system.run_sync(actions.set_password, user_id, hashed)
        return await system.run_sync(
            open_session,
            user_id,
            lifetime=request.app.state.session_lifetime,
            now=request.app.state.resources.clock.now(),
            address=client_address(request),
            user_agent=request.headers.get("user-agent", ""),
        )


async def _page(
    request: Request,
    session: Transaction,
    me: Me,
    *,
    saved: str = "",
    refused: tuple[str, DeskbellError] | None = None,
    typed: dict[str, Any] | None = None,
    secret: str = "",
) -> Response:
    database: Database = request.app.state.database
    async with database.async_transaction(Actor.system(Channel.WEB, act="GET /profile")) as system:
        here = await system.run_sync(sessions.session_id_of, request.cookies.get(COOKIE, ""))
    context = await session.run_sync(_account, me.user_id, here)
    form, error = refused or ("", None)
    context |= {
        "saved": saved,
        "problem": {"form": form, "field": error.details.get("field", ""), "message": worded(error)} if error else None,
        "typed": typed or {},
        "secret": secret,
        "zones": sorted(available_timezones()),
        "lifetimes": LIFETIMES,
        "chosen_language": request.cookies.get(LANGUAGE_COOKIE, ""),
    }
    return await show(request, session, me, "workspace/profile.html", status=error.status if error else 200, **context)


def _account(session: Session, user_id: int, here: int | None) -> dict[str, Any]:
    user = get_user(session, user_id)
    return {
        "account": {
            "full_name": user.full_name,
            "email": user.email,
            "time_zone": user.time_zone,
            "locale": user.locale,
        },
        "notices": _notices(session, user) if user.is_staff else [],
        "tokens": [_token(token) for token in session.scalars(own_tokens(session).limit(MAX_LIMIT))],
        "sessions": [_session(one, here) for one in session.scalars(sessions.own_sessions(session).limit(MAX_LIMIT))],
    }


def _notices(session: Session, user: User) -> list[dict[str, Any]]:
    chosen = choices_of(session, user.id)
    return [{"kind": kind.value, "name": name, "is_on": chosen[kind]} for kind, name in NOTICES.items()]


def _token(token: Any) -> dict[str, Any]:  # noqa: ANN401 - an ApiToken
    names = ("id", "name", "hint", "scopes", "created_at", "expires_at", "revoked_at")
    return {name: getattr(token, name) for name in names}


def _session(one: Any, here: int | None) -> dict[str, Any]:  # noqa: ANN401 - a LoginSession
    names = ("id", "address", "user_agent", "created_at", "expires_at")
    return {**{name: getattr(one, name) for name in names}, "is_here": one.id == here}
