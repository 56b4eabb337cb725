"""The examples of the API's reference are sent as they stand, and must be answered as it says.

In `docs/reference/api*.md` a request is a fenced block of `http`, or of `sh` with `curl`, and the next block, `json`,
is its answer: a part of it, with `"…"` for anything, and at the end of a list for what follows. A status other than 200
stands behind `json`. Requests without a token are sent by the agent Mara. Each section (`## `) has a new desk.
"""

import json
import re
import shlex
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import httpx
import pytest

from deskbell.accounts.actions import create_token
from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor
from deskbell.kernel.database import Database
from deskbell.testing.factories import Factory
from tests.web.api.conftest import app_on, short_log

pytestmark = pytest.mark.anyio
__all__ = ["short_log"]  # a fixture
PAGES = sorted((Path(__file__).parents[2] / "docs" / "reference").glob("api*.md"))
ANYTHING = "…"
MARA, INES = 1, 3


@dataclass
class Request:
    """What is sent, and what must come back."""

    line: int
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    status: int = 0
    expected: Any = None


def sections(text: str) -> dict[str, str]:
    """Cut the page at its headings of the second level, the lines kept where they are for error messages."""
    found: dict[str, str] = {}
    name = "Introduction"
    for number, line in enumerate(text.splitlines()):
        if line.startswith("## "):
            name = line.removeprefix("## ")
        found.setdefault(name, "\n" * number)
        found[name] += line + "\n"
    return found


def requests(section: str) -> Iterator[Request]:
    """Read the requests of a section, each with its answer."""
    waiting: Request | None = None
    for block in re.finditer(r"^```(\w+) ?(\d*)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        language, status, text = block.groups()
        line = section[: block.start()].count("\n") + 1
        if language == "json":
            assert waiting, f"line {line}: an answer without a request"
            waiting.status, waiting.expected = int(status or 200), json.loads(text) if text.strip() else None
            yield waiting
            waiting = None
        elif language == "http" or text.startswith("curl "):
            assert waiting is None, f"line {line}: the request before it has no answer"
            waiting = _http(line, text) if language == "http" else _curl(line, text)
    assert waiting is None, "the last request has no answer"


def _http(line: int, text: str) -> Request:
    head, _, body = text.partition("\n\n")
    first, *headers = head.splitlines()
    method, url = first.split(" ", 1)
    return Request(line, method, url, dict(header.split(": ", 1) for header in headers), body.strip())


def _curl(line: int, text: str) -> Request:
    _curl, url, *options = shlex.split(text.replace("\\\n", " "))
    request = Request(line, "GET", url.removeprefix("$DESK"))
    for option, value in zip(options[::2], options[1::2], strict=True):
        match option:
            case "-H":
                name, _, content = value.partition(": ")
                request.headers[name] = content
            case "-X":
                request.method = value
            case "--json":
                request.method = "POST" if request.method == "GET" else request.method
                request.headers["Content-Type"] = "application/json"
                request.body = value
            case _:
                raise AssertionError(f"line {line}: curl's option {option} is not known here")
    return request


def difference(expected: Any, found: Any, path: str = "") -> str:
    """Say where an answer is not what is expected; nothing where it is."""
    if expected == ANYTHING:
        return ""
    if isinstance(expected, dict) and isinstance(found, dict):
        missing = [f"{path}.{key} is missing" for key in expected if key not in found]
        differing = (difference(expected[key], found[key], f"{path}.{key}") for key in expected if key in found)
        return next((text for text in (*missing, *differing) if text), "")
    if isinstance(expected, list) and isinstance(found, list):
        known = expected[:-1] if expected[-1:] == [ANYTHING] else expected
        if len(found) < len(known) or (known is expected and len(found) > len(known)):
            return f"{path} has {len(found)} items, not {len(known)}"
        pairs = enumerate(zip(known, found, strict=False))
        return next((text for n, (one, other) in pairs if (text := difference(one, other, f"{path}[{n}]"))), "")
    return "" if expected == found else f"{path} is {found!r}, not {expected!r}"


@pytest.fixture
async def client(example_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with AsyncExitStack() as stack:
        stack.push_async_callback(example_database.aclose)
        transport = httpx.ASGITransport(app=app_on(example_database), raise_app_exceptions=False)
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://desk.test"))


@pytest.fixture
def tokens(example_database: Database) -> dict[str, str]:
    """What `$TOKEN`, `$CUSTOMER` and `$ADMIN` stand for."""
    admin = Factory(example_database).user(Role.ADMIN)
    with example_database.transaction(Actor.system()) as session:
        people = {"TOKEN": MARA, "CUSTOMER": INES, "ADMIN": admin.id}
        return {name: create_token(session, person, name="example")[1] for name, person in people.items()}


SECTIONS = {
    name: text
    for page in PAGES
    for name, text in sections(page.read_text(encoding="utf-8")).items()
    if "```json" in text
}


@pytest.mark.parametrize("name", SECTIONS)
async def test_the_examples_are_answered_as_it_says(
    client: httpx.AsyncClient, tokens: dict[str, str], name: str
) -> None:
    for request in requests(SECTIONS[name]):
        headers = {"Authorization": "Bearer $TOKEN", **request.headers}
        sent = {key: Template(value).substitute(tokens) for key, value in headers.items()}
        answer = await client.request(request.method, request.url, headers=sent, content=request.body or None)
        where = f"{name}, line {request.line}: {answer.text}"
        assert answer.status_code == request.status, where
        if request.expected is not None:
            assert difference(request.expected, answer.json()) == "", where


def test_each_section_that_shows_requests_is_run() -> None:
    assert {"Introduction", "Bulk operations", "Statistics", "Saved views"} <= SECTIONS.keys()
    assert len(list(requests(SECTIONS["Bulk operations"]))) >= 8


def test_an_answer_may_say_more_but_nothing_else() -> None:
    found = {"a": 1, "b": [{"c": 2}, {"c": 3}], "d": None}
    for expected in ({}, {"a": 1}, {"b": [{"c": 2}, {}]}, {"b": [{"c": 2}, ANYTHING]}, {"a": ANYTHING, "d": None}):
        assert difference(expected, found) == ""
    assert difference({"a": 2}, found) == ".a is 1, not 2"
    assert difference({"x": 2}, found) == ".x is missing"
    assert difference({"b": [{"c": 2}]}, found) == ".b has 2 items, not 1"
    assert difference({"b": [{"c": 2}, {"c": 4}]}, found) == ".b[1].c is 3, not 4"
    assert difference({"b": {}}, found).startswith(".b is [")


def test_a_request_without_an_answer_is_found() -> None:
    for text in ("```http\nGET /\n```\n", "```json\n{}\n```\n", "```http\nGET /\n```\n" * 2 + "```json\n{}\n```\n"):
        with pytest.raises(AssertionError, match="request"):
            list(requests(text))


def test_both_ways_to_write_a_request_are_read() -> None:
    curl = """```sh\ncurl "$DESK/x?y=1" -H "A: b: c" \\\n  --json '{"d": 1}'\n```\n```json 201\n{}\n```\n"""
    http = """```http\nPOST /x?y=1\nA: b: c\nContent-Type: application/json\n\n{"d": 1}\n```\n```json 201\n{}\n```\n"""
    [first], [second] = list(requests(curl)), list(requests(http))
    assert first == second
    assert (first.method, first.url, first.status) == ("POST", "/x?y=1", 201)
