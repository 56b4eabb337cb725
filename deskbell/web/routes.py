"""The route class of the API: what happens around each handler while its transaction is still open."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Final

from fastapi import APIRouter, Request, Response
from fastapi._compat import field_annotation_is_sequence
from fastapi.dependencies.utils import request_body_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from deskbell.web.bodies import read_json
from deskbell.web.documentation import SECURITY_SCHEMES
from deskbell.web.idempotency import AlreadyAnsweredError, Claim
from deskbell.web.problems import problem_responses
from deskbell.web.reading import nothing, read
from deskbell.web.writing import check_may_write

PREFIX = "/api/v1"
_REMEMBERED: Final = 500
_SHORT: Final = 300
"""Queries of addresses that are read once: so many, of so many bytes."""
USUAL_PROBLEMS = problem_responses(400, 401, 403, 404, 422, 429, 500, 503)
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
    """A GET whose handler takes the request, parameters in the path, and one model of those in the query.

    It is called without FastAPI's machinery in between, which takes longer than the page takes to read. FastAPI
    documents the parameters, and its fields and the model check them as ever.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        """Answer in `_answer`."""
        super().__init__(*arguments, **options)
        self.app = self._answer
        self._in_query = [(field.name, _Model(field.field_info.annotation)) for field in self.dependant.query_params]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        values: dict[str, Any] = {"request": request}
        errors: list[Any] = []
        for field in self.dependant.path_params:
            value, wrong = field.validate(request.path_params[field.alias], {}, loc=("path", field.alias))
            values[field.name] = value
            errors.extend(wrong)
        for name, model in self._in_query:
            values[name], wrong = model.read(request)
            errors.extend(wrong)
        if errors:
            await read(request, nothing)  # somebody who may not ask is not told how to
            raise RequestValidationError(errors)
        response: Response = await self.endpoint(**values)
        await response(scope, receive, send)


class _Model:
    """Reads a model from a query. What has several values is a list of them."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - an annotation
        assert issubclass(model, BaseModel), "the parameters of a ReadRoute's query are one model"  # noqa: S101 - a rule
        self._model: type[BaseModel] = model
        self._lists = {
            name: field_annotation_is_sequence(field.annotation) for name, field in model.model_fields.items()
        }
        self._seen: dict[bytes, BaseModel] = {}

    def read(self, request: Request) -> tuple[BaseModel | None, list[Any]]:
        """Return what was asked, which nobody changes: the same object where the same was asked before."""
        asked: bytes = request.scope["query_string"]
        if (seen := self._seen.get(asked)) is not None:
            return seen, []
        found, errors = self._read(request.query_params)
        if found is not None and len(asked) <= _SHORT:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[asked] = found
        return found, errors

    def _read(self, query: QueryParams) -> tuple[BaseModel | None, list[Any]]:
        given = {
            name: query.getlist(name) if is_list else query[name]
            for name, is_list in self._lists.items()
            if name in query
        }
        try:
            return self._model.model_validate(given), []
        except ValidationError as error:
            return None, [{**found, "loc": ("query", *found["loc"])} for found in error.errors(include_url=False)]


class WriteRoute(ApiRoute):
    """A route whose handler takes the request and one model of its body, and opens its transaction with `write`.

    It is called without FastAPI's machinery in between, as that of a `ReadRoute`.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        """Answer in `_answer`."""
        super().__init__(*arguments, **options)
        self.app = self._answer
        further = (*self.dependant.path_params, *self.dependant.query_params, *self.dependant.dependencies)
        assert not further, "a WriteRoute takes a body alone"  # noqa: S101 - a rule

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        try:
            response: Response = await self.endpoint(request=request, **await self._read(request))
        except RequestValidationError:
            await check_may_write(request)  # somebody who may not ask is not told how to
            raise
        except AlreadyAnsweredError as answered:
            response = answered.response
        await response(scope, receive, send)

    async def _read(self, request: Request) -> dict[str, Any]:
        values, errors = await request_body_to_args(
            self.dependant.body_params, await read_json(request), embed_body_fields=False
        )
        if errors:
            raise RequestValidationError(errors)
        return values


class PublicRoute(ApiRoute):
    """Also for somebody who has not said who they are."""

    security: ClassVar[dict[str, Any]] = {}


def api_router(path: str, tag: str, route_class: type[ApiRoute] = ApiRoute) -> APIRouter:
    """Make the router of one slice, at `/api/v1` + `path`."""
    return APIRouter(prefix=PREFIX + path, tags=[tag], route_class=route_class, responses=USUAL_PROBLEMS)
