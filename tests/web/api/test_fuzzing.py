"""Schemathesis: whatever fits the OpenAPI document, or does not, is answered as it says, and never with a 5xx."""

from contextlib import suppress
from functools import partial
from typing import Any, cast

import anyio
import httpx
import pytest
import requests
import schemathesis
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deskbell.accounts.models import Role
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
Operation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[Any]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PARTS = 3
EXAMPLES = 4
"""Of each operation and kind. Some 70 operations, two kinds, three people: more of it is for a quiet evening."""

BASE = "http://desk.test"


@schemathesis.serializer("message/rfc822")
def as_message(_context: object, value: Any) -> bytes:
    """A message is taken as it comes, whatever it is."""
    content = getattr(value, "data", value)  # of what the document calls binary
    return content if isinstance(content, bytes) else str(content).encode("utf-8", "replace")


async def known_things(desk: Desk, admin: httpx.AsyncClient) -> dict[str, object]:
    """Make one of everything, so that addresses can be right as well."""
    owner = await desk.make(lambda f: f.user(organization=f.organization()))
    ticket = await desk.make(lambda f: f.ticket(owner))
    url = f"/api/v1/tickets/{ticket.ticket_number}"
    comment = (await admin.post(f"{url}/comments", json={"content": "Hello"})).json()
    file = (await admin.post(f"{url}/attachments", files={"file": ("a.txt", b"a")})).json()
    team = (await admin.post("/api/v1/teams", json={"name": "Cards"})).json()
    tag = (await admin.post("/api/v1/tags", json={"name": "billing"})).json()
    mailbox = (await admin.post("/api/v1/mailboxes", json={"address": "help@example.org"})).json()
    return {
        "number": ticket.ticket_number,
        "user_id": owner.id,
        "organization_id": owner.organization_id,
        "comment_id": comment["id"],
        "attachment_id": file["id"],
        "team_id": team["id"],
        "tag_id": tag["id"],
        "mailbox_id": mailbox["id"],
        "locale": "de",
    }


def send(client: httpx.AsyncClient, case: AnyCase) -> httpx.Response:
    """Send what Schemathesis made as this client, on the event loop of the test."""
    arguments: dict[str, Any] = case.as_transport_kwargs(base_url=BASE)
    prepared = requests.Request(**{k: v for k, v in arguments.items() if k in REQUEST}).prepare()
    headers = [(name, value) for name, value in prepared.headers.items() if name.lower() not in SENT_BY_US]
    encoded = [(_bytes(name), _bytes(value)) for name, value in headers]
    call = partial(
        client.request,
        str(prepared.method),
        str(prepared.url),
        content=cast("bytes | str | None", prepared.body),
        headers=encoded,
    )
    return from_thread.run(call)


REQUEST = {"method", "url", "headers", "files", "data", "json", "params", "cookies"}
SENT_BY_US = {"authorization", "cookie", "content-length", "user-agent", "accept-encoding", "connection"}


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")


def fuzz(
    clients: dict[str, httpx.AsyncClient], operation: Operation, mode: GenerationMode, known: dict[str, object]
) -> None:
    """Send some requests to one operation, each as everybody: to think them up takes longer than to answer them."""

    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def attempt(case: AnyCase, right: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        if right:
            parameters = case.path_parameters or {}
            case.path_parameters = {name: known.get(name, value) for name, value in parameters.items()}
        for who, client in clients.items():
            answer = send(client, case)
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as failures:  # not an Exception: it would tear down the event loop
                raise AssertionError(f"{mode.value} {operation.label} by {who}: {failures}") from None

    with suppress(Unsatisfiable):  # nothing can be wrong where nothing is sent
        attempt()


def asks_others(operation: Operation) -> bool:
    """Leave out what connects to whatever server was thought up."""
    return "/mailboxes" in operation.path and operation.path.endswith("/test")


def last(operation: Operation) -> bool:
    """Put what takes away the token to the end."""
    return operation.method.upper() == "DELETE" and "/tokens/" in operation.path


@pytest.mark.parametrize("part", range(PARTS))
async def test_no_request_is_answered_otherwise_than_documented(desk: Desk, part: int) -> None:
    admin = await desk.as_role(Role.ADMIN)
    known = await known_things(desk, admin)
    clients = {"nobody": await desk.client(), "customer": await desk.as_role(Role.CUSTOMER), "admin": admin}
    schema = schemathesis.openapi.from_dict(desk.app.openapi())
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    operations = [each for each in found if not asks_others(each)]
    assert len(operations) > 60
    with anyio.fail_after(240):
        for operation in sorted(operations[part::PARTS], key=last):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                await to_thread.run_sync(fuzz, clients, operation, mode, known)
