"""The route class of the API: what happens around each handler while its transaction is still open."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

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
            claim: Claim | None = getattr(request.state, "claim", None)
            if claim is not None:
                await claim.keep(response, getattr(request.state, "remembered_body", None))
            return response

        return handle


class ReadRoute(ApiRoute):
    """A GET whose handler takes the request and parameters alone: it is called without FastAPI's machinery in between.

    The parameters are FastAPI's, documented and checked as ever.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        """Answer in `_answer`."""
        super().__init__(*arguments, **options)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        in_path, errors = request_params_to_args(self.dependant.path_params, request.path_params)
        in_query, more = request_params_to_args(self.dependant.query_params, request.query_params)
        if errors or more:
            await read(request, nothing)  # somebody who may not ask is not told how to
            raise RequestValidationError([*errors, *more])
        response: Response = await self.endpoint(request=request, **in_path, **in_query)
        await response(scope, receive, send)


class PublicRoute(ApiRoute):
    """Also for somebody who has not said who they are."""

    security: ClassVar[dict[str, Any]] = {}


def api_router(path: str, tag: str, route_class: type[ApiRoute] = ApiRoute) -> APIRouter:
    """Make the router of one slice, at `/api/v1` + `path`."""
    return APIRouter(prefix=PREFIX + path, tags=[tag], route_class=route_class, responses=USUAL_PROBLEMS)
