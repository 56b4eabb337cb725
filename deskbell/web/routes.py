"""The route class of the API: what happens around each handler while its transaction is still open."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from deskbell.web.csrf import SAFE_METHODS
from deskbell.web.documentation import SECURITY_SCHEMES
from deskbell.web.idempotency import AlreadyAnsweredError, Claim
from deskbell.web.problems import problem_responses
from deskbell.web.reading import nothing, read

PREFIX = "/api/v1"
USUAL_PROBLEMS = problem_responses(400, 401, 403, 404, 422, 500, 503)
WRITING_PROBLEMS = problem_responses(409, 412)


class ApiRoute(APIRoute):
    """Keeps the answer of a request that has an idempotency key, and gives it again.

    FastAPI calls the handler within the exit stack of function-scoped dependencies: the answer is complete here, and
    the transaction not yet committed.
    """

    is_api: Final = True
    security: ClassVar[dict[str, Any]] = {"security": [{name: []} for name in SECURITY_SCHEMES]}

    def __init__(self, *arguments: Any, openapi_extra: dict[str, Any] | None = None, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        """Take what FastAPI gives, and document who may ask: schemes as dependencies would be solved each time."""
        super().__init__(*arguments, openapi_extra={**self.security, **(openapi_extra or {})}, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler that FastAPI makes."""
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await original(request)
            except AlreadyAnsweredError as answered:
                return answered.response
            except RequestValidationError:
                await self._check_may_ask(request)
                raise
            claim: Claim | None = getattr(request.state, "claim", None)
            if claim is not None:
                await claim.keep(response, getattr(request.state, "remembered_body", None))
            return response

        return handle

    async def _check_may_ask(self, request: Request) -> None:
        """Somebody who may not ask is not told how to: where the handler opens the transaction, it has not yet."""
        if self.security and request.method in SAFE_METHODS and not hasattr(request.state, "user_id"):
            await read(request, nothing)


class PublicRoute(ApiRoute):
    """Also for somebody who has not said who they are."""

    security: ClassVar[dict[str, Any]] = {}


def api_router(path: str, tag: str, *, public: bool = False) -> APIRouter:
    """Make the router of one slice, at `/api/v1` + `path`. `public`: also for who has not logged in."""
    return APIRouter(
        prefix=PREFIX + path,
        tags=[tag],
        route_class=PublicRoute if public else ApiRoute,
        responses=USUAL_PROBLEMS,
    )
