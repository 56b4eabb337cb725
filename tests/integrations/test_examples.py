"""The example applications, for real: a server of each kind, two people, and what they see of each other's tickets.

There is one database connection for each engine, so that one that leaks stops the next request.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import httpx
import psycopg
import pytest

from deskbell.accounts.actions import find_or_create_customer
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.embedded.waiting import deadline_in, ticks
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import clone
from deskbell.testing.servers import environment as settings_of
from tests.integrations.running import EXAMPLES, Server, environment, serving

VARIABLES = {
    "DESKBELL_DATABASE_APPLICATION_NAME": "shop",
    "DESKBELL_DATABASE_POOL_SIZE": "1",
    "DESKBELL_DATABASE_MAX_OVERFLOW": "0",
    "DESKBELL_DATABASE_POOL_TIMEOUT": "5",
}
PASSWORDS = {"anna@shop.example": "anna", "bert@shop.example": "bert"}
ADD_PEOPLE = "from django.contrib.auth.models import User;" + ";".join(
    f"User.objects.create_user({name!r}, {email!r}, {name!r})" for email, name in PASSWORDS.items()
)


@dataclass
class Customer:
    """Somebody with the shop open."""

    client: httpx.Client

    def titles(self) -> list[str]:
        """What the shop lists as theirs."""
        answer = self.client.get("/tickets")
        assert answer.status_code == 200, answer.text
        if answer.headers["content-type"] == "application/json":
            return [ticket["title"] for ticket in answer.json()]
        return [unescape(title) for title in re.findall(r"<li>[^:]+: (.*) \(open\)</li>", answer.text)]

    def ask(self, message: str, tag: str = "") -> httpx.Response:
        """Open a ticket."""
        sent = {"message": message, "tag": tag}
        if "authorization" in self.client.headers:
            return self.client.post("/tickets", json=sent)
        if "csrftoken" in self.client.cookies:
            sent["csrfmiddlewaretoken"] = self.client.cookies["csrftoken"] or ""
        return self.client.post("/tickets", data=sent)


@dataclass
class Shop:
    """A running example and the database behind it. `token` is Anna's at the API."""

    server: Server
    database: Database
    address: Address
    anna: Customer
    bert: Customer
    token: str

    def count(self) -> int:
        """Count the tickets that are committed."""
        with psycopg.connect(self.address.dsn) as connection:
            [number] = connection.execute("select count(*) from tickets").fetchone() or [-1]
            return int(number)

    def connections(self) -> list[str]:
        """What the application's connections do just now."""
        with psycopg.connect(self.address.dsn) as connection:
            found = connection.execute(
                "select state from pg_stat_activity where datname = current_database() and application_name = 'shop'"
            )
            return [state for (state,) in found]


def with_token(stack: ExitStack, server: Server, database: Database, email: str) -> Customer:
    """Enter a shop whose customers have tokens of the helpdesk."""
    client = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token_of(database, email)}"})
    return Customer(stack.enter_context(client))


def with_password(stack: ExitStack, server: Server, _database: Database, email: str) -> Customer:
    """Enter a shop that has accounts of its own."""
    client = stack.enter_context(httpx.Client(base_url=server.url, timeout=60))
    client.get("/login")
    form = {"email": email, "username": PASSWORDS[email], "password": PASSWORDS[email]}
    form["csrfmiddlewaretoken"] = client.cookies.get("csrftoken") or ""
    assert client.post("/login", data=form).next_request is not None
    return Customer(client)


def token_of(database: Database, email: str) -> str:
    with database.transaction(SYSTEM) as session:
        person = find_or_create_customer(session, email)
    return Factory(database).token(person)


def manage(variables: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    folder = EXAMPLES / "django_app"
    subprocess.run(command, cwd=folder, env=environment(variables), check=True, capture_output=True, timeout=60)


def prepare_django(variables: dict[str, str]) -> None:
    manage(variables, "migrate", "--verbosity=0")
    manage(variables, "shell", "-c", ADD_PEOPLE)


Enter = Callable[[ExitStack, Server, Database, str], Customer]
UVICORN = ["-m", "uvicorn", "--port", "0"]
GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "--threads", "4"]
HOSTS: dict[str, tuple[str, list[str], Enter]] = {
    "fastapi on uvicorn": ("fastapi_app", [*UVICORN, "main:app"], with_token),
    "flask on gunicorn": ("flask_app", [*GUNICORN, "app:app"], with_password),
    "django on runserver": ("django_app", ["manage.py", "runserver", "--noreload", "127.0.0.1:0"], with_password),
    "django on uvicorn": ("django_app", [*UVICORN, "shop.asgi:application"], with_password),
}


@pytest.fixture(scope="module", params=HOSTS)
def shop(request: pytest.FixtureRequest, server: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder, arguments, enter = HOSTS[request.param]
    data: Path = tmp_path_factory.mktemp("shop")
    with ExitStack() as stack:
        address = stack.enter_context(clone(server, f"shop_{data.parent.name.replace('-', '_')}_{folder}"))
        database = open_database(address, data / "attachments")
        stack.callback(database.close)
        variables = {**settings_of(address, data), **VARIABLES, "SHOP_DATABASE": str(data / "shop.sqlite3")}
        if folder == "django_app":
            prepare_django(variables)
        running = stack.enter_context(serving(folder, arguments, variables))
        anna, bert = (enter(stack, running, database, email) for email in PASSWORDS)
        shop = Shop(running, database, address, anna, bert, token_of(database, "anna@shop.example"))
        yield shop
        stops_clean(shop)


def stops_clean(shop: Shop) -> None:
    """Stop the server, which closes its connections and has never said anything bad."""
    assert shop.server.stop() in {0, -signal.SIGTERM}
    assert any(not shop.connections() for _ in ticks(deadline_in(5)))
    assert not [line for line in shop.server.said if "Traceback" in line], "".join(shop.server.said)


def test_what_somebody_asks_is_committed_and_theirs_alone(shop: Shop) -> None:
    before = shop.count()
    assert shop.anna.ask("Where is my order?").status_code in {201, 302, 303}
    assert shop.count() == before + 1
    assert "Where is my order?" in shop.anna.titles()
    assert "Where is my order?" not in shop.bert.titles()
    assert shop.bert.ask("May I send it back?").status_code in {201, 302, 303}
    assert "May I send it back?" not in shop.anna.titles()


def test_of_a_request_that_is_refused_nothing_remains(shop: Shop) -> None:
    before = shop.count()
    refused = shop.anna.ask("With a tag", tag="urgent")
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"] == "Only the desk may change tags."
    assert shop.anna.ask("  ").status_code == 422
    assert shop.count() == before
    assert "With a tag" not in shop.anna.titles()
    assert shop.anna.ask("Without").status_code in {201, 302, 303}
    assert shop.count() == before + 1


def test_requests_side_by_side_each_see_their_own(shop: Shop) -> None:
    """Trap 13: an identity that stays on a pooled connection is the next request's."""
    shop.anna.ask("Anna's own")
    shop.bert.ask("Bert's own")
    with ThreadPoolExecutor(6) as pool:
        people = [shop.anna, shop.bert] * 12
        seen = list(pool.map(Customer.titles, people))
    for person, titles in zip(people, seen, strict=True):
        assert ("Anna's own" in titles, "Bert's own" in titles) == (person is shop.anna, person is shop.bert)


def test_no_connection_stays_in_a_transaction(shop: Shop) -> None:
    shop.anna.titles()
    assert set(shop.connections()) == {"idle"}


def test_nobody_gets_in_without_an_account(shop: Shop) -> None:
    answer = httpx.get(f"{shop.server.url}/tickets")
    assert answer.status_code in {302, 401}
    assert "Your questions" not in answer.text


def test_the_api_is_beneath_its_path(shop: Shop) -> None:
    anonymous = httpx.get(f"{shop.server.url}/helpdesk/api/v1/tickets")
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "unauthenticated")
    assert httpx.get(f"{shop.server.url}/helpdesk/readyz").json() == {"status": "ok"}
    with httpx.Client(base_url=shop.server.url, headers={"Authorization": f"Bearer {shop.token}"}) as client:
        opened = client.post("/helpdesk/api/v1/tickets", json={"description": "Through the API"})
        assert opened.status_code == 201, opened.text
        assert opened.headers["location"].startswith("/helpdesk/api/v1/tickets/")
        assert client.get(opened.headers["location"]).json()["title"] == "Through the API"
        assert client.get("/helpdesk/api/v1/tickets", params={"q": "\N{SNOWMAN}"}).status_code == 200
        assert client.get("/helpdesk/api/openapi.json").json()["servers"] == [{"url": "/helpdesk"}]
    assert "Through the API" in shop.anna.titles()


@pytest.mark.parametrize("shop", ["django on runserver", "django on uvicorn"], indirect=True)
def test_an_asynchronous_view_of_django_sees_the_same(shop: Shop) -> None:
    listed = shop.anna.client.get("/async/tickets").json()["tickets"]
    assert [ticket["title"] for ticket in listed] == shop.anna.titles()
    assert shop.bert.client.get("/async/tickets").json()["tickets"] != listed
