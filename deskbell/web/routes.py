"""The route class of the API: what happens around each handler while its transaction is still open."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from deskbell.web.dependencies import DOCUMENTED_SECURITY
from deskbell.web.idempotency import AlreadyAnsweredError, Claim
from deskbell.web.problems import problem_responses

PREFIX = "/api/v1"
USUAL_PROBLEMS = problem_responses(400, 401, 403, 404, 422, 500, 503)
WRITING_PROBLEMS = problem_responses(409, 412)


class ApiRoute(APIRoute):
    """Keeps the answer of a request that has an idempotency key, and gives it again.

    FastAPI calls the handler within the exit stack of function-scoped dependencies: the answer is complete here, and
    the transaction not yet committed.
    """

    is_api: Final = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler that FastAPI makes."""
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await original(request)
            except AlreadyAnsweredError as answered:
                return answered.response
            claim: Claim | None = getattr(request.state, "claim", None)
            if claim is not None:
                await claim.keep(response, getattr(request.state, "remembered_body", None))
            return response

        return handle


def api_router(path: str, tag: str, *, public: bool = False) -> APIRouter:
    """Make the router of one slice, at `/api/v1` + `path`. `public` only leaves the lock out of the documentation."""
    return APIRouter(
        prefix=PREFIX + path,
        tags=[tag],
        route_class=ApiRoute,
        dependencies=[] if public else DOCUMENTED_SECURITY,
        responses=USUAL_PROBLEMS,
    )
