"""Every error as an RFC 9457 problem document, `application/problem+json`; pages may show the same as HTML.

`code` is stable and meant for programs, `detail` is for people. Nothing that the database, Python or a library says
ever goes out: what is not a `DeskbellError` is a bare 500 with the id under which the log has the rest.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Literal

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from deskbell.kernel.errors import DeskbellError, SetupError, TooManyError, UnauthenticatedError, UnavailableError
from deskbell.kernel.text import clean
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked
from deskbell.web.rates import UnknownSecretError
from deskbell.web.worded import worded

log = structlog.get_logger("deskbell.web")

MEDIA_TYPE = "application/problem+json"
_CODES = {
    400: "unreadable",
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    500: "internal",
}
_DETAILS = {
    400: marked("The request could not be read. Check that the body is what Content-Type says."),
    404: marked("There is nothing at this address."),
    405: marked("This address does not know this method; see the Allow header."),
    408: marked("The rest of the request did not come in time. Send it again."),
    413: marked("The request is larger than allowed."),
    500: marked("Something went wrong on our side. It was recorded under this request id."),
}


class FieldError(BaseModel):
    """One thing that is wrong with what was sent."""

    field: str = Field(examples=["title"], description="Name of the input, with dots into nested ones.")
    message: str = Field(examples=["String should have at most 500 characters"])
    location: Literal["body", "query", "path", "header", "cookie"] = Field(examples=["body"])
    pointer: str | None = Field(None, examples=["#/title"], description="JSON pointer (RFC 6901) into the body.")


class Problem(BaseModel):
    """What went wrong: RFC 9457. Some problems have further members, such as `field`, `current` or `max_bytes`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/problems/no_such_ticket"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no ticket DB-1042."])
    code: str = Field(examples=["no_such_ticket"])
    request_id: str | None = Field(None, examples=["01hqzk6v0q7x"], description="Name it when you ask for help.")
    errors: list[FieldError] | None = None


ErrorPage = Callable[[Request, Problem], Awaitable[Response]]
"""How pages show a problem: an HTML response with the problem's status."""


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of these statuses."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Write a problem as JSON."""
    content = problem.model_dump_json(exclude_none=True)
    return Response(content, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def make_problem(
    status: int,
    code: str,
    detail: str,
    request_id: str | None,
    **members: Any,  # noqa: ANN401 - whatever JSON can say
) -> Problem:
    """Build a problem document."""
    return Problem(
        type=f"/problems/{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=clean(detail),
        code=code,
        request_id=request_id,
        **members,
    )


def install_problem_handlers(app: FastAPI, error_page: ErrorPage | None = None) -> None:
    """Make `app` answer every error with a problem. Outside of `/api/` people who ask for HTML get `error_page`."""
    app.state.error_page = error_page
    for error, handle in _HANDLERS.items():
        app.exception_handler(error)(handle)


async def answer_error(request: Request, error: Exception) -> Response | None:
    """Return the answer to an error, None to one that nobody expected."""
    handle = next((handle for kind, handle in _HANDLERS.items() if isinstance(error, kind)), None)
    return None if handle is None else await handle(request, error)


async def unexpected(request: Request, error: Exception) -> Response:
    """Answer 500 for a mistake in the program, which is logged with its traceback."""
    log.error("unexpected error", path=request.url.path, request_id=_request_id(request), exc_info=error)
    return await _respond(request, make_problem(500, "internal", _(_DETAILS[500]), _request_id(request)))


def problem_of(error: DeskbellError, request_id: str | None = None) -> tuple[Problem, dict[str, str]]:
    """Return what is told of an error, and the headers that go with it. What must be put right here is not told."""
    shown: DeskbellError = UnavailableError() if isinstance(error, SetupError) else error
    details = {name: value for name, value in shown.details.items() if value is None or isinstance(value, _TOLD)}
    return make_problem(shown.status, shown.code, worded(shown), request_id, **_cleaned(details)), _headers(shown)


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, DeskbellError)  # noqa: S101 - registered for this type alone
    if isinstance(error, UnknownSecretError):
        request.app.state.rates.count_refused(request)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("unavailable", path=request.url.path, request_id=_request_id(request), reason=str(error))
    return await _respond(request, *problem_of(error, _request_id(request)))


def _headers(error: DeskbellError) -> dict[str, str]:
    headers = {}
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnavailableError):
        headers["Retry-After"] = "5"
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = 'Bearer realm="deskbell"'
    return headers


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type alone
    errors = [_field_error(found) for found in error.errors()[:100]]
    detail = "; ".join(f"{found.field}: {found.message}" for found in errors[:3])
    problem = make_problem(422, "invalid", f"{detail}.", _request_id(request), errors=errors)
    return await _respond(request, problem)


def _field_error(found: Mapping[str, Any]) -> FieldError:
    """`loc` begins with where: ("body", "title"), ("query", "limit"). What was sent is not repeated."""
    place, *path = found["loc"]
    names = [clean(str(part))[:100] for part in path]
    in_body = place == "body"
    return FieldError(
        field=".".join(names) or place,
        message=clean(re.sub(r"^Value error, ", "", str(found["msg"])))[:300],
        location=place,
        pointer="#" + "".join(f"/{_escaped(name)}" for name in names) if in_body else None,
    )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    status = HTTPStatus(error.status_code)
    known = _DETAILS.get(error.status_code)
    detail = _(known) if known else f"{status.phrase}."
    code = _CODES.get(error.status_code, f"http_{status.value}")  # names of statuses differ between Pythons
    problem = make_problem(status.value, code, detail, _request_id(request))
    return await _respond(request, problem, error.headers)


async def _respond(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    page: ErrorPage | None = request.app.state.error_page
    wants_html = "text/html" in request.headers.get("accept", "")
    if page is None or not wants_html or request.url.path.startswith("/api/"):
        return problem_response(problem, headers)
    response = await page(request, problem)
    response.headers.update(headers or {})
    return response


def _request_id(request: Request) -> str | None:
    return getattr(request.state, "request_id", None)


def _cleaned(details: Mapping[str, object]) -> dict[str, object]:
    return {name: _clean(value) for name, value in details.items()}


def _clean(value: object) -> object:
    """Make what a program is told storable and sayable, however deep it lies."""
    if isinstance(value, dict):
        return {name: _clean(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return clean(value) if isinstance(value, str) else value


_TOLD: Final = (str, int, list, dict)
_HANDLERS: Final[Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]] = {
    DeskbellError: _known,
    RequestValidationError: _malformed,
    HTTPException: _http,
}
