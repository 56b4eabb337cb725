"""Who one is to the pages."""

import pytest

from deskbell.accounts.models import Role
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio
SURROGATE = b"\\ud800"  # what becomes of it in `unicode_escape` no UTF-8 can say


def form(**fields: bytes) -> dict[str, object]:
    """A form in the charset that a client made up."""
    parts = [
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    kind = "multipart/form-data; boundary=x; charset=unicode_escape"
    return {"content": b"".join(parts) + b"--x--\r\n", "headers": {"Content-Type": kind}}


@pytest.mark.parametrize("path", ["/login", "/logout", "/tickets/DB-1/tags"])
async def test_a_token_that_utf8_cannot_say_is_refused_and_is_no_500(agent: Browser, path: str) -> None:
    await agent.client.get("/login")
    sent = form(email=b"a", password=b"b", csrf_token=SURROGATE)
    assert (await agent.client.post(path, **sent)).status_code == 403  # type: ignore[arg-type]


async def test_an_address_that_utf8_cannot_say_is_shown_again_and_is_no_500(desk: Pages) -> None:
    browser = await desk.browser()
    page = (await browser.client.get("/login")).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    sent = form(email=SURROGATE, password=SURROGATE, next=SURROGATE, csrf_token=token.encode())
    assert (await browser.client.post("/login", **sent)).status_code == 401  # type: ignore[arg-type]


async def test_the_visitors_cookie_is_gone_after_logging_in(desk: Pages) -> None:
    user = await desk.make(lambda f: f.user(Role.AGENT, password="correct horse battery"))
    browser = await desk.browser()
    page = (await browser.client.get("/login")).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    assert "deskbell_visitor" in browser.client.cookies
    answer = await browser.send("/login", email=user.email, password="correct horse battery", csrf_token=token)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "deskbell_visitor" not in browser.client.cookies


async def test_a_token_opens_no_pages_and_is_no_500(desk: Pages) -> None:
    user = await desk.make(lambda f: f.user(Role.AGENT))
    client = await desk.as_(user)
    page = await client.get("/tickets", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Location"]) == (303, "/login?next=%2Ftickets")
    assert (await client.get("/tickets")).status_code == 401
    assert (await client.post("/tickets/DB-1/tags", data={"name": "x"})).status_code == 401


async def test_what_a_proxy_asks_for_does_not_hide_the_cookie(agent: Browser) -> None:
    assert (await agent.client.get("/tickets", headers={"Authorization": "Basic YTpi"})).status_code == 200
