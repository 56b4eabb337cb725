"""Deskbell in a FastAPI application: a desk for its lifespan, sessions for its routes, the API beneath a path of it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, FastAPI, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from deskbell.accounts.login import SESSION_PREFIX
from deskbell.accounts.models import Role
from deskbell.integrations.answers import answer_to
from deskbell.integrations.hosting import Host
from deskbell.integrations.mounting import MountedApp, checked_prefix
from deskbell.integrations.people import SYSTEM, HostUser, actor_for
from deskbell.integrations.visits import reserve_commit
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, UnauthenticatedError
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk
from deskbell.web.csrf import COOKIE, check_csrf
from deskbell.web.dependencies import check_scopes, identify
from deskbell.web.site import create_site


class Deskbell:
    """One desk for one application.

    `lifespan` is the application's, or a part of it. `session` is a dependency for its routes, to be declared as
    `Depends(helpdesk.session, scope="function")`: committed before the answer is sent, rolled back on any exception.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        desk: Desk | None = None,
        actor: Callable[..., Any] | None = None,
        upgrade: bool = False,
    ) -> None:
        """`actor` is a FastAPI dependency that returns the Actor who asks, or None for nobody.

        Without it they are known by Deskbell's own API tokens and browser sessions. See `Host` for the rest.
        """
        self.host = Host(settings, desk=desk, upgrade=upgrade)
        self.session = self._session_of_credentials if actor is None else self._sessions_of(actor)

    @property
    def database(self) -> Database:
        """For transactions beside those of requests: `async with helpdesk.database.async_transaction(actor)`."""
        return self.host.desk.database

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """Open the desk, and close it with all connections of this event loop."""
        desk = await to_thread.run_sync(lambda: self.host.desk)
        try:
            yield
        finally:
            await desk.database.aclose()
            await to_thread.run_sync(self.host.close)

    def install(self, app: FastAPI) -> None:
        """Let the application answer Deskbell's errors with problem documents. Handlers of its own go before."""
        app.add_exception_handler(DeskbellError, _answer)

    def mount(self, app: FastAPI, prefix: str = "/helpdesk") -> None:
        """Put the API beneath a path: `/helpdesk/api/v1/tickets`."""
        app.mount(checked_prefix(prefix), MountedApp(self.host), name="deskbell")

    def mount_site(self, app: FastAPI) -> None:
        """Put all of Deskbell, pages and API, behind the application's own routes, which must be there already.

        Its pages have their addresses at the root (`/tickets`, `/login`), so it cannot be moved beneath a path.
        """
        app.mount("", MountedApp(self.host, create_site), name="deskbell")

    async def actor_for(
        self, email: str, *, full_name: str = "", at_most: Role = Role.CUSTOMER, create: bool = False
    ) -> Actor:
        """Return whom a user of the application is at the desk. See `people.actor_for`; raises ForbiddenError."""
        user = HostUser(email, full_name)
        async with self.database.async_transaction(SYSTEM) as session:
            return await session.run_sync(actor_for, user, at_most=at_most, create=create)

    async def _session_of_credentials(self, request: Request) -> AsyncIterator[AsyncSession]:
        """Act as whom the request's token or session stands for, and commit if all goes well."""
        secret, channel = _presented(request)
        if channel is Channel.WEB:
            await check_csrf(request, self.host.desk.key, secret)
        async with self.database.async_unidentified_transaction() as session:
            identity = await session.run_sync(identify, secret, channel, _act(request))
            check_scopes(identity, request.method)
            allow_commit = reserve_commit(session.sync_session)
            yield session
            allow_commit()

    def _sessions_of(self, find_actor: Callable[..., Any]) -> Callable[..., AsyncIterator[AsyncSession]]:
        async def session_of_actor(
            request: Request, actor: Annotated[Actor | None, Depends(find_actor)]
        ) -> AsyncIterator[AsyncSession]:
            """Act as whom the host has logged in, and commit if all goes well."""
            if actor is None:
                raise UnauthenticatedError("Log in to do this.")
            async with self.database.async_transaction(actor if actor.act else actor.doing(_act(request))) as session:
                allow_commit = reserve_commit(session.sync_session)
                yield session
                allow_commit()

        return session_of_actor


def _presented(request: Request) -> tuple[str, Channel]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and not token.strip().startswith(SESSION_PREFIX):
        return token.strip(), Channel.API
    secret = request.cookies.get(COOKIE, "")
    if not secret.startswith(SESSION_PREFIX):
        raise UnauthenticatedError
    return secret, Channel.WEB


def _act(request: Request) -> str:
    path: str = getattr(request.scope.get("route"), "path", request.url.path)
    return f"{request.method} {path}"


async def _answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, DeskbellError)  # noqa: S101 - registered for this type alone
    body, status, headers = answer_to(error, request.url.path)
    return Response(body, status, headers)
