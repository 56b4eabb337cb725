"""Deskbell in a Django project: middleware that gives requests a session, and the API beneath a path of the project.

`DESKBELL = {...}` in the project's settings says how; see `Configuration`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar
from wsgiref.types import WSGIApplication

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from starlette.routing import Mount, Router
from starlette.types import ASGIApp

from deskbell.accounts.models import Role
from deskbell.integrations.answers import answer_to
from deskbell.integrations.hosting import Host
from deskbell.integrations.mounting import MountedApp, WsgiApi, checked_prefix, dispatching
from deskbell.integrations.people import SYSTEM, HostUser, actor_for
from deskbell.integrations.visits import REFUSED, Visit
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError, ForbiddenError
from deskbell.kernel.settings import DatabaseSettings, Settings

try:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
    from django.conf import settings as django_settings
    from django.core.exceptions import ImproperlyConfigured
    from django.http import HttpRequest, HttpResponse
    from django.utils.module_loading import import_string
except ImportError as error:
    message = "deskbell.integrations.django needs Django: pip install 'deskbell[django]'"
    raise ImportError(message) from error

P = ParamSpec("P")
T = TypeVar("T")
Kind = Literal["user", "staff", "superuser"]


class Configuration(BaseModel):
    """What `DESKBELL = {...}` may hold, by upper-case names. What is not there comes from the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=str.upper, hide_input_in_errors=True)

    database_url: SecretStr | None = None
    """A running PostgreSQL, as DESKBELL_DATABASE_URL."""
    data_dir: Path | None = None
    """Attachments, and the embedded database where no other is named, as DESKBELL_DATA_DIR."""
    secret_key: SecretStr | None = None
    """As DESKBELL_SECRET_KEY; not Django's own."""
    upgrade: bool = False
    """Bring the schema up to date when the desk is opened."""
    unknown_users: Literal["refuse", "create"] = "refuse"
    """What becomes of a Django user whose address the desk does not know: a customer, where it is `create`."""
    roles: dict[Kind, Role] = {"user": Role.CUSTOMER}
    """As what at most users act, staff and superusers: `{"user": "customer", "staff": "agent"}`."""
    actor: str | None = None
    """Dotted path of a function from a request to an Actor or None, in place of all that."""

    def settings(self) -> Settings:
        """Return Deskbell's settings."""
        given = {"data_dir": self.data_dir, "secret_key": self.secret_key}
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if self.database_url is not None:
            chosen["database"] = DatabaseSettings(url=self.database_url)
        return Settings(**chosen)

    def highest_role(self, user: Any) -> Role:  # noqa: ANN401 - whichever model the project has for users
        """Return as what at most this user acts. Raises ForbiddenError where the project gives them no role."""
        kinds: dict[Kind, bool] = {"superuser": user.is_superuser, "staff": user.is_staff, "user": True}
        for kind, applies in kinds.items():
            if applies and kind in self.roles:
                return self.roles[kind]
        raise ForbiddenError("Your account here does not give you access to the helpdesk.")


def read_configuration() -> Configuration:
    """Read `DESKBELL`. Raises ImproperlyConfigured that names what is wrong, and shows no value."""
    given = getattr(django_settings, "DESKBELL", {})
    try:
        return Configuration.model_validate(given)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        place = "".join(f"[{part!r}]" for part in first["loc"] if part != "[key]")
        known = ", ".join(name.upper() for name in Configuration.model_fields)
        reason = f"there is no such setting, only {known}" if first["type"] == "extra_forbidden" else first["msg"]
        raise ImproperlyConfigured(f"DESKBELL{place} in the settings is wrong: {reason}.") from None


@cache
def host() -> Host:
    """Return the project's desk, opened by the first request that needs it, so that a server may fork before."""
    configuration = read_configuration()
    return Host(configuration.settings(), upgrade=configuration.upgrade)


class DjangoVisit(Visit):
    """`request.deskbell`: `session` for synchronous views, `run_sync` for asynchronous ones, `actor` for both."""

    async def run_sync(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:  # noqa: ANN401 - any use case
        """Call `function(session, ...)` in Django's thread for what is synchronous."""

        def call() -> T:
            return function(self.session, *args, **kwargs)

        return await sync_to_async(call, thread_sensitive=True)()


class DeskbellMiddleware:
    """Gives each request `request.deskbell`, and ends its transaction before the answer is sent.

    It stands after Django's AuthenticationMiddleware, and best last. What was done is rolled back where the view
    raised, and where the answer's status is 400 or higher. Deskbell's errors are answered with problem documents;
    override `answer` to show something else.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """Check the settings; the desk is opened later."""
        self.get_response = get_response
        self.configuration = read_configuration()
        self._own_actor = import_string(self.configuration.actor) if self.configuration.actor else None
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Handle one request."""
        visit = request.deskbell = DjangoVisit(self.database, lambda: self._who_asks(request))
        if self._is_async:
            return self._call_async(request, visit)
        try:
            return self._finish(request, visit, self.get_response(request))
        finally:
            visit.end(well=False)

    async def _call_async(self, request: HttpRequest, visit: DjangoVisit) -> HttpResponse:
        try:
            response = await self.get_response(request)
            return await sync_to_async(self._finish, thread_sensitive=True)(request, visit, response)
        finally:
            await sync_to_async(visit.end, thread_sensitive=True)(well=False)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Roll back, as the view raised something; answer it where it is Deskbell's."""
        known = request.deskbell.refuse(exception)
        return self.answer(request, known) if isinstance(known, DeskbellError) else None

    def answer(self, request: HttpRequest, error: DeskbellError) -> HttpResponse:
        """Make a problem document of an error."""
        body, status, headers = answer_to(error, request.path)
        return HttpResponse(body, status=status, headers=headers)

    def find_actor(self, request: HttpRequest) -> Actor | None:
        """Return whom the request's Django user is at the desk, by e-mail address; nobody where nobody is logged in."""
        if self._own_actor is not None:
            return self._own_actor(request)  # type: ignore[no-any-return]  # as documented
        user = getattr(request, "user", None)
        if user is None:
            raise ImproperlyConfigured("DeskbellMiddleware stands after Django's AuthenticationMiddleware.")
        if not user.is_authenticated:
            return None
        at_most, create = self.configuration.highest_role(user), self.configuration.unknown_users == "create"
        known = HostUser(str(getattr(user, user.get_email_field_name(), "") or ""), user.get_full_name())
        with self.database().transaction(SYSTEM) as session:
            return actor_for(session, known, at_most=at_most, create=create)

    def database(self) -> Database:
        """Return the desk's database."""
        return host().desk.database

    def _who_asks(self, request: HttpRequest) -> Actor | None:
        actor = self.find_actor(request)
        route = request.resolver_match.route if request.resolver_match else request.path.lstrip("/")
        return actor.doing(f"{request.method} /{route}") if actor and not actor.act else actor

    def _finish(self, request: HttpRequest, visit: DjangoVisit, response: HttpResponse) -> HttpResponse:
        try:
            visit.end(well=response.status_code < REFUSED)
        except DeskbellError as error:
            return self.answer(request, error)
        return response


def mount_wsgi(application: WSGIApplication, prefix: str = "/helpdesk") -> WSGIApplication:
    """Put the API beneath a path of the project, in its `wsgi.py`: `/helpdesk/api/v1/tickets`."""
    return dispatching(checked_prefix(prefix), WsgiApi(host()), application)


def mount_asgi(application: ASGIApp, prefix: str = "/helpdesk") -> ASGIApp:
    """Do the same in its `asgi.py`. When the server ends, the desk is closed."""
    return Router(
        [Mount(checked_prefix(prefix), MountedApp(host())), Mount("", application)], lifespan=_closing_at_the_end
    )


@asynccontextmanager
async def _closing_at_the_end(_app: Router) -> AsyncIterator[None]:
    yield
    desk = host().opened
    if desk is not None:
        await desk.database.aclose()
    await to_thread.run_sync(host().close)
