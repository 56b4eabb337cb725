"""Searching and completing over HTTP, with the input of hurried and of hostile people."""

import httpx
import pytest

from deskbell.accounts.models import Role
from deskbell.testing.factories import Factory
from deskbell.web.schemas.search import SearchOut
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
SEARCH = "/api/v1/search"
COMPLETE = "/api/v1/search/complete"


async def test_a_search_returns_tickets_with_the_place_and_a_total(desk: Desk, agent: httpx.AsyncClient) -> None:
    ticket = await desk.make(lambda f: f.ticket(message="I want a <b>refund</b>.", title="Two cards"))
    answer = await agent.get(SEARCH, params={"q": "card refund", "total": True})
    assert answer.status_code == 200, answer.text
    found = SearchOut.model_validate_json(answer.content, strict=True)
    [hit] = found.items
    assert hit.ticket.ticket_number == ticket.ticket_number
    assert hit.title_html == "Two <mark>cards</mark>"
    assert hit.snippet_html is not None
    assert "&lt;b&gt;<mark>refund</mark>" in hit.snippet_html
    assert found.total is not None
    assert (found.total.count, found.total.text, found.query) == (1, "1", "card refund")
    assert (found.corrections, found.hints, found.next_cursor) == ({}, [], None)


async def test_a_typing_error_and_an_unknown_name_are_told(desk: Desk, agent: httpx.AsyncClient) -> None:
    await desk.make(lambda f: f.ticket(message="I want a refund."))
    found = (await agent.get(SEARCH, params={"q": "refudn assignee:nobdy@example.test"})).json()
    assert found["items"] == []
    [hint] = found["hints"]
    assert (hint["position"], hint["end"]) == (16, 34)
    found = (await agent.get(SEARCH, params={"q": "refudn"})).json()
    assert (len(found["items"]), found["corrections"]) == (1, {"refudn": ["refund"]})
    assert found["query"] == "refudn OR refund"


async def test_the_pages_of_a_search_follow_each_other(desk: Desk, agent: httpx.AsyncClient) -> None:
    wanted = await desk.make(lambda f: {f.ticket(message="I want a refund.").id for _ in range(5)})
    first = await agent.get(SEARCH, params={"q": "refudn", "limit": 3})
    second = await agent.get(first.links["next"]["url"])
    seen = [hit["ticket"]["id"] for answer in (first, second) for hit in answer.json()["items"]]
    assert (len(seen), set(seen)) == (5, wanted)
    assert second.json()["next_cursor"] is None


async def test_another_person_cannot_go_on_with_a_cursor(desk: Desk, agent: httpx.AsyncClient) -> None:
    await desk.make(lambda f: [f.ticket(message="I want a refund.") for _ in range(3)])
    cursor = (await agent.get(SEARCH, params={"q": "refund", "limit": 1})).json()["next_cursor"]
    other = await desk.as_role(Role.ADMIN)
    refused = await other.get(SEARCH, params={"q": "refund", "limit": 1, "cursor": cursor})
    assert (refused.status_code, refused.json()["field"]) == (422, "cursor")


async def test_customers_find_their_own_and_nothing_of_notes(desk: Desk) -> None:
    def build(f: Factory) -> tuple[object, ...]:
        kim, agent = f.user(), f.user(Role.AGENT)
        mine, other = f.ticket(kim, message="My card"), f.ticket(message="Card of a stranger")
        f.comment(mine, agent, "This card smells of fraud.", is_internal=True)
        return kim, mine, other

    kim, mine, _ = await desk.make(build)
    client = await desk.as_(kim)  # type: ignore[arg-type]
    found = (await client.get(SEARCH, params={"q": "card", "total": True})).json()
    assert [hit["ticket"]["id"] for hit in found["items"]] == [mine.id]  # type: ignore[attr-defined]
    assert found["total"]["count"] == 1
    assert "fraud" not in str(found)
    for query in ("fraud", "fruad", "smel*"):
        nothing = (await client.get(SEARCH, params={"q": query, "total": True})).json()
        assert (nothing["items"], nothing["total"]["count"], nothing["corrections"]) == ([], 0, {}), query


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"q": "stauts:open"}, "q"),
        ({"q": "created>soon"}, "q"),
        ({"q": '"never closed'}, "q"),
        ({"q": "(" * 1999}, "q"),
        ({"q": "x" * 60_000}, "q"),
        ({"q": "sort:nothing"}, "q"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1000000"}, "limit"),
        ({"cursor": "altered"}, "cursor"),
    ],
)
async def test_what_cannot_be_searched_for_is_told_with_its_place(
    agent: httpx.AsyncClient, parameters: dict[str, str], field: str
) -> None:
    refused = await agent.get(SEARCH, params=parameters)
    problem = refused.json()
    assert refused.status_code == 422, problem
    assert field in {problem.get("field"), *(error["field"] for error in problem.get("errors", ()))}


@pytest.mark.parametrize(
    "query", ["%", "_", "\\", "a\x00b", "\ud83d\ude00", "'; drop table tickets; --", "<script>", "-"]
)
async def test_no_character_has_a_meaning_that_it_should_not_have(
    desk: Desk, agent: httpx.AsyncClient, query: str
) -> None:
    await desk.make(lambda f: f.ticket(message="Nothing of the kind"))
    answer = await agent.get(SEARCH, params={"q": query.encode("utf-16", "surrogatepass").decode("utf-16")})
    assert answer.status_code in {200, 422}
    if answer.status_code == 422:
        assert answer.json()["code"] == "query"


async def test_a_query_is_completed(desk: Desk, agent: httpx.AsyncClient) -> None:
    await desk.make(lambda f: f.user(Role.AGENT, email="zelda@example.test"))
    fields = (await agent.get(COMPLETE, params={"q": "sta"})).json()["items"]
    assert fields[0] == {
        "insert": "status:",
        "label": "status:",
        "kind": "field",
        "detail": fields[0]["detail"],
        "start": 0,
        "end": 3,
    }
    people = (await agent.get(COMPLETE, params={"q": "assignee:zel"})).json()["items"]
    assert people[0]["insert"] == "zelda@example.test"


async def test_customers_are_offered_nobody_else(desk: Desk, customer: httpx.AsyncClient) -> None:
    await desk.make(lambda f: f.user(email="zelda@example.test"))
    offers = (await customer.get(COMPLETE, params={"q": "requester:zel"})).json()["items"]
    assert [offer for offer in offers if "zelda" in str(offer)] == []


async def test_a_search_takes_the_same_statements_for_one_and_for_many(desk: Desk, agent: httpx.AsyncClient) -> None:
    from deskbell.testing.statements import count_statements  # noqa: PLC0415 - for this test alone

    counts = set()
    for _ in range(2):
        await desk.make(lambda f: [f.ticket(message="I want a refund.") for _ in range(6)])
        with count_statements(desk.database.async_engine.sync_engine) as statements:
            assert (await agent.get(SEARCH, params={"q": "refund", "total": True})).status_code == 200
        counts.add(len(statements))
    assert len(counts) == 1
