"""Logging in with a browser: the session is in an HttpOnly cookie, changes need its CSRF token.

An `Idempotency-Key` has no meaning here: logging in again makes another session and harms nothing.
"""

from fastapi import Request, Response

from deskbell.web.csrf import COOKIE, check_csrf, csrf_token_for
from deskbell.web.dependencies import Key, Tools
from deskbell.web.login import client_address, log_in, log_out, session_cookie
from deskbell.web.problems import problem_responses
from deskbell.web.routes import PublicRoute, api_router
from deskbell.web.schemas.people import LoginIn, LoginOut

router = api_router("/session", "session", PublicRoute)


@router.post("", status_code=201, summary="Log in", responses=problem_responses(429))
async def open_session(request: Request, response: Response, tools: Tools, key: Key, wanted: LoginIn) -> LoginOut:
    """Log in with e-mail address and password. The cookie is set, the CSRF token returned."""
    state, now = request.app.state, tools.clock.now()
    secret = await log_in(
        state.database,
        state.login_limits,
        email=wanted.email,
        password=wanted.password,
        lifetime=state.session_lifetime,
        now=now,
        address=client_address(request),
        user_agent=request.headers.get("user-agent", ""),
    )
    response.set_cookie(**session_cookie(request, secret, state.session_lifetime))
    return LoginOut(csrf_token=csrf_token_for(key, secret), expires_at=now + state.session_lifetime)


@router.delete("", status_code=204, summary="Log out")
async def close_session(request: Request, response: Response, key: Key) -> None:
    """End the session in the cookie. Doing it twice is no error."""
    secret = request.cookies.get(COOKIE, "")
    if secret:
        await check_csrf(request, key, secret)
        await log_out(request.app.state.database, secret)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
