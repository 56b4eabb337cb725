"""The OpenAPI document and its page, and the addresses for load balancers."""

import re

import pytest

from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
METHODS = {"get", "post", "put", "patch", "delete"}


async def test_every_operation_is_described(desk: Desk) -> None:
    schema = (await (await desk.client()).get("/api/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    tags = {tag["name"] for tag in schema["tags"]}
    for path, item in schema["paths"].items():
        for method in item.keys() & METHODS:
            operation, name = item[method], f"{method} {path}"
            assert operation["summary"], name
            assert operation["description"], name
            assert set(operation["tags"]) <= tags, name
            assert operation["responses"].keys() & {"200", "201", "202", "204"}, name
            for status, response in operation["responses"].items():
                if status >= "400":
                    assert list(response["content"]) == ["application/problem+json"], (name, status)
            if path.startswith("/api/") and path != "/api/v1/session":
                assert {"401", "403", "404", "422"} <= operation["responses"].keys(), name
                assert operation["security"], name
    assert "HTTPValidationError" not in schema["components"]["schemas"]


async def test_every_field_has_an_example_or_explains_itself(desk: Desk) -> None:
    schemas = (await (await desk.client()).get("/api/openapi.json")).json()["components"]["schemas"]
    plain = {"string", "integer"}
    missing = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, facts in schema.get("properties", {}).items()
        if facts.get("type") in plain and not facts.keys() & {"examples", "default", "description", "enum"}
    ]
    assert missing == []


async def test_every_kind_of_body_has_a_description(desk: Desk) -> None:
    schemas = (await (await desk.client()).get("/api/openapi.json")).json()["components"]["schemas"]
    made = ("PageOf_", "Body_")  # by FastAPI, from the types of pages and forms
    own = {name: schema for name, schema in schemas.items() if "enum" not in schema and not name.startswith(made)}
    assert [name for name, schema in own.items() if not schema.get("description")] == []


async def test_the_page_asks_nobody_else_for_anything(desk: Desk) -> None:
    client = await desk.client()
    page = await client.get("/api/docs")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"https?://", page.text)
    assert "<script>" not in page.text
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = await client.get(f"/api/{asset}")
        assert answer.status_code == 200, asset
        assert answer.content
    assert (await client.get("/api/docs/redoc.standalone.js")).status_code == 422


async def test_the_process_says_that_it_is_up_and_ready(desk: Desk) -> None:
    client = await desk.client()
    for path in ("/healthz", "/readyz"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
