"""One's own account: what one may change, and what then still holds."""

import re

import pytest

from deskbell.accounts.models import Role
from deskbell.web.csrf import COOKIE, csrf_token_for
from tests.web.api.conftest import KEY
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio
PASSWORD, NEW = "correct horse battery", "staple of another kind"


@pytest.fixture(params=[Role.AGENT, Role.CUSTOMER])
async def person(live: Pages, request: pytest.FixtureRequest) -> Browser:
    user = await live.make(lambda f: f.user(request.param, password=PASSWORD, email="kim@example.test"))
    return await live.browser(user)


async def test_name_zone_language_and_look_are_kept(person: Browser) -> None:
    sent = await person.send("/profile", full_name="Kim Ødegård", time_zone="Europe/Oslo", language="en", theme="dark")
    assert sent.status_code == 303
    page = (await person.client.get(sent.headers["Location"])).text
    assert "Kim Ødegård" in page
    assert "<option selected>Europe/Oslo</option>" in page
    assert 'data-theme="dark"' in page
    assert "Saved." in page
    await person.send("/profile", full_name="Kim", time_zone="Europe/Oslo", language="", theme="")
    assert 'data-theme="dark"' not in (await person.client.get("/profile")).text


async def test_a_zone_that_is_none_is_refused_beside_its_field(person: Browser) -> None:
    answer = await person.send("/profile", full_name="Typed", time_zone="Mars/Base")
    assert answer.status_code == 422
    assert 'id="wrong-time_zone"' in answer.text
    assert 'value="Typed"' in answer.text


async def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(live: Pages, person: Browser) -> None:
    for fields, field in (
        ({"current": "wrong", "new": NEW, "again": NEW}, "current"),
        ({"current": PASSWORD, "new": NEW, "again": "other"}, "again"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "new"),
    ):
        answer = await person.send("/profile/password", None, **fields)
        assert answer.status_code == 422
        assert f'id="wrong-{field}"' in answer.text
    old = person.client.cookies[COOKIE]
    sent = await person.send("/profile/password", current=PASSWORD, new=NEW, again=NEW)
    assert sent.status_code == 303
    for secret, status in ((old, 303), (sent.cookies[COOKIE], 200)):
        browser = await live.browser()
        browser.client.cookies.set(COOKIE, secret)
        assert (await browser.client.get("/profile")).status_code == status


async def test_a_token_is_shown_once_works_and_is_revoked(live: Pages, person: Browser) -> None:
    made = await person.send("/profile/tokens", name="nightly export", scope="read", days="30")
    secret = re.search(r'<code class="secret">(dbt_[^<]+)</code>', made.text)
    assert secret
    program = await live.client(Authorization=f"Bearer {secret[1]}")
    assert (await program.get("/api/v1/me")).status_code == 200
    page = (await person.client.get("/profile")).text
    assert secret[1] not in page
    address = re.search(r'action="(/profile/tokens/\d+/revoke)"', page)
    assert address
    assert (await person.send(address[1])).status_code == 303
    assert (await program.get("/api/v1/me")).status_code == 401
    assert (await person.send("/profile/tokens", name=" ")).status_code == 422


async def test_sessions_elsewhere_are_ended_and_only_ones_own(live: Pages, person: Browser) -> None:
    other = await live.browser(await live.make(lambda f: f.user(Role.AGENT)))
    theirs = (await other.client.get("/profile")).text
    assert "This browser" in theirs
    second = await live.client(Accept="text/html")
    user = await live.make(lambda f: f.user(Role.CUSTOMER))
    here, there = await live.browser(user), await live.browser(user)
    page = (await here.client.get("/profile")).text
    address = re.search(r'action="(/profile/sessions/\d+/end)"', page)
    assert address
    assert (await person.send(address[1])).status_code == 404
    assert (await here.send(address[1])).status_code == 303
    assert (await there.client.get("/profile")).status_code == 303
    assert (await here.client.get("/profile")).status_code == 200
    assert second.cookies.get(COOKIE) is None
    assert csrf_token_for(KEY, here.client.cookies[COOKIE]) == here.token


async def test_customers_have_no_rail(live: Pages) -> None:
    customer = await live.browser_of(Role.CUSTOMER)
    page = (await customer.client.get("/profile")).text
    assert 'id="rail"' not in page
    assert "Administration" not in page
