"""Letters over HTTP: read, written, looked at and put back, by administrators alone."""

import httpx
import pytest

from deskbell.accounts.models import Role
from deskbell.kernel.languages import languages
from deskbell.mail.outbound.models import OutboundKind
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
LETTERS = "/api/v1/letters"
ANSWERED = f"{LETTERS}/answered/de"
WORDS = {"subject": "Re: {{ ticket.title }}", "body": "Moin {{ recipient.name }},\n\n{{ message }}"}


async def test_a_letter_is_written_read_and_put_back(admin: httpx.AsyncClient) -> None:
    first = (await admin.get(ANSWERED)).json()
    assert (first["is_own"], first["updated_at"]) == (False, None)
    assert {"message", "quote"} <= set(first["names"])
    written = await admin.put(ANSWERED, json={**WORDS, "subject": "Re:  {{ ticket.title }}"})
    assert written.status_code == 200, written.text
    assert written.json() == (await admin.get(ANSWERED)).json()
    assert written.json() == {**first, **WORDS, "is_own": True, "updated_at": written.json()["updated_at"]}
    assert [(await admin.delete(ANSWERED)).status_code for _ in range(2)] == [204, 204]
    assert (await admin.get(ANSWERED)).json() == first


async def test_all_letters_are_listed(admin: httpx.AsyncClient) -> None:
    await admin.put(ANSWERED, json=WORDS)
    items = (await admin.get(LETTERS)).json()["items"]
    assert {(one["kind"], one["locale"]) for one in items} == {
        (kind.value, locale) for kind in OutboundKind for locale in languages()
    }
    assert [(one["kind"], one["locale"]) for one in items if one["is_own"]] == [("answered", "de")]


async def test_a_letter_is_looked_at_before_it_is_written(admin: httpx.AsyncClient) -> None:
    now = (await admin.post(f"{ANSWERED}/preview", json={})).json()
    assert "DB-1042" in now["subject"]
    seen = (
        await admin.post(f"{ANSWERED}/preview", json={"body": "Moin **{{ recipient.name }}**\n\n{{ message }}"})
    ).json()
    assert (seen["subject"], "Moin" in seen["text"], "<strong>Kim Ito" in seen["html"]) == (now["subject"], True, True)
    assert (await admin.get(ANSWERED)).json()["is_own"] is False


async def test_what_cannot_be_sent_is_refused_at_its_place(admin: httpx.AsyncClient) -> None:
    body = "{{ message }}\n\nHello {{ nobody }}"
    for answer in (
        await admin.put(ANSWERED, json={"subject": "Re", "body": body}),
        await admin.post(f"{ANSWERED}/preview", json={"body": body}),
    ):
        problem = answer.json()
        assert (answer.status_code, problem["field"]) == (422, "body")
        assert body[problem["position"] :].startswith("nobody")
    assert (await admin.put(ANSWERED, json={"body": body})).status_code == 422
    for path in ("answered/tlh", "answered/%00", "nothing/de"):
        assert (await admin.get(f"{LETTERS}/{path}")).status_code == 422, path


async def test_letters_are_for_administrators(desk: Desk, admin: httpx.AsyncClient) -> None:
    everybody = {401: [await desk.client()], 403: [await desk.as_role(Role.AGENT), await desk.as_role(Role.CUSTOMER)]}
    routes = [("GET", LETTERS), ("GET", ANSWERED), ("PUT", ANSWERED), ("POST", f"{ANSWERED}/preview")]
    for method, path in [*routes, ("DELETE", ANSWERED)]:
        words = None if method in {"GET", "DELETE"} else WORDS
        for status, clients in everybody.items():
            for client in clients:
                assert (await client.request(method, path, json=words)).status_code == status, (method, path)
        assert (await admin.request(method, path, json=words)).status_code in {200, 204}
