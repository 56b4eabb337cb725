"""Deskbell in a Flask application: a session for each request, the same use cases, the API beneath a path of it."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.integrations.answers import answer_to
from deskbell.integrations.hosting import Host
from deskbell.integrations.mounting import WsgiApi, checked_prefix, dispatching
from deskbell.integrations.people import SYSTEM, HostUser, actor_for
from deskbell.integrations.visits import REFUSED, Visit
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.kernel.errors import DeskbellError
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk

try:
    from flask import Flask, Response, g, has_request_context, request
except ImportError as error:
    message = "deskbell.integrations.flask needs Flask: pip install 'deskbell[flask]'"
    raise ImportError(message) from error

LoadActor = Callable[[], Actor | None]
_VISIT: Final = "_deskbell_visit"


class Deskbell:
    """The extension. `helpdesk.session` is the request's session, in which whoever is logged in acts.

    What a request did is committed before its answer is sent. It is rolled back where the view, or a hook before it,
    raised (`abort` included, and also where an error handler made something friendly of it), and where the answer's
    status is 400 or higher.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        actor_loader: LoadActor,
        settings: Settings | None = None,
        desk: Desk | None = None,
        upgrade: bool = False,
    ) -> None:
        """`actor_loader` is called within a request and returns who asks, or None for nobody.

        The desk is opened by the first request that needs it, so that a server may fork before. See `Host`.
        """
        self.host = Host(settings, desk=desk, upgrade=upgrade)
        self._load_actor = actor_loader
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Watch over the application's requests, and answer Deskbell's errors with problem documents."""
        app.extensions["deskbell"] = self
        app.register_error_handler(DeskbellError, self.answer)
        app.after_request(self._commit)
        app.teardown_request(self._close)
        app.handle_user_exception = partial(self._refuse, app.handle_user_exception)  # type: ignore[method-assign]

    def mount(self, app: Flask, prefix: str = "/helpdesk") -> None:
        """Put the API beneath a path: `/helpdesk/api/v1/tickets`."""
        inner = WsgiApi(self.host)
        app.wsgi_app = dispatching(checked_prefix(prefix), inner, app.wsgi_app)  # type: ignore[assignment, method-assign]

    @property
    def database(self) -> Database:
        """For transactions beside those of requests: `with helpdesk.database.transaction(actor)`."""
        return self.host.desk.database

    @property
    def session(self) -> Session:
        """The request's session, opened when first asked for. Raises UnauthenticatedError where nobody is logged in."""
        return self._visit().session

    @property
    def actor(self) -> Actor | None:
        """Who asks."""
        return self._visit().actor

    def actor_for(
        self, email: str, *, full_name: str = "", at_most: Role = Role.CUSTOMER, create: bool = False
    ) -> Actor:
        """Return whom a user of the application is at the desk. See `people.actor_for`; raises ForbiddenError."""
        with self.database.transaction(SYSTEM) as session:
            return actor_for(session, HostUser(email, full_name), at_most=at_most, create=create)

    def answer(self, error: DeskbellError) -> Response:
        """Make a problem document of an error."""
        body, status, headers = answer_to(error, request.path)
        return Response(body, status, headers)

    def close(self) -> None:
        """Close the desk. When the process ends that is done by itself."""
        self.host.close()

    def _visit(self) -> Visit:
        if not has_request_context():
            message = "there is no request: use `with helpdesk.database.transaction(actor) as session:`"
            raise RuntimeError(message)
        if _VISIT not in g:
            setattr(g, _VISIT, Visit(lambda: self.database, self._who_asks))
        visit: Visit = getattr(g, _VISIT)
        return visit

    def _who_asks(self) -> Actor | None:
        actor = self._load_actor()
        return actor.doing(f"{request.method} {request.url_rule}") if actor and not actor.act else actor

    def _refuse(self, handle: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401 - Flask's own
        """Something was raised. Roll back before any handler makes an answer of it; `arguments` end with the error."""
        *context, error = arguments
        return handle(*context, self._visit().refuse(error))

    def _commit(self, response: Response) -> Response:
        try:
            self._visit().end(well=response.status_code < REFUSED)
        except DeskbellError as error:
            return self.answer(error)
        return response

    def _close(self, _error: BaseException | None) -> None:
        self._visit().end(well=False)
