"""The API in a WSGI host: whatever a client sends, and whenever it leaves."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

import httpx
import pytest
from sqlalchemy.pool import QueuePool

from deskbell.accounts.models import Role
from deskbell.integrations.hosting import Host
from deskbell.integrations.mounting import WsgiApi, dispatching
from deskbell.kernel.settings import Settings
from deskbell.runtime import Desk
from deskbell.testing.factories import Factory

TICKETS = "/helpdesk/api/v1/tickets"


def elsewhere(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    return [f"{environ.get('SCRIPT_NAME', '')}|{environ['PATH_INFO']}".encode()]


def client_of(app: WSGIApplication, address: str = "192.0.2.1") -> httpx.Client:
    transport = httpx.WSGITransport(app=app, remote_addr=address)
    return httpx.Client(transport=transport, base_url="http://shop.test")


def raw(app: WSGIApplication, **environ: Any) -> tuple[int, Iterable[bytes]]:
    """Ask as a server does; return the status and the body, which is not read yet."""
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        statuses.append(status)
        return len

    body = app(environ, start)
    assert isinstance(next(iter(body)), bytes)
    return int(statuses[0].split()[0]), body


@pytest.fixture
def host(desk: Desk) -> Iterator[Host]:
    host = Host(desk=desk)
    yield host
    host.close()


@pytest.fixture
def app(host: Host) -> WSGIApplication:
    return dispatching("/helpdesk", WsgiApi(host), elsewhere)


@pytest.fixture
def token(committed: Factory) -> str:
    return f"Bearer {committed.token(committed.user())}"


@pytest.fixture
def client(app: WSGIApplication, token: str) -> Iterator[httpx.Client]:
    with client_of(app) as client:
        client.headers["Authorization"] = token
        yield client


def test_what_is_beneath_the_path_is_the_apis_and_the_rest_the_hosts(client: httpx.Client) -> None:
    assert client.get("/helpdesk/healthz").json() == {"status": "ok"}
    for path in ("/", "/helpdesks", "/help", "/x/helpdesk/healthz"):
        assert client.get(path).text == f"|{path}"
    assert client.get("/helpdesk").status_code == 404


def test_large_bodies_go_through_both_ways(client: httpx.Client) -> None:
    message = "long " * 60_000
    opened = client.post(TICKETS, json={"description": message})
    assert opened.status_code == 201, opened.text
    assert client.get(opened.headers["Location"]).json()["description"] == message.strip()
    content = bytes(range(256)) * 8_000
    attached = client.post(f"{opened.headers['Location']}/attachments", files={"file": ("all.bin", content)})
    assert attached.status_code == 201, attached.text
    assert client.get(f"{attached.headers['Location']}/content").content == content


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/helpdesk/api/v1/tickets/\xff\xfe", ""),
        ("/helpdesk/api/v1/tickets", "q=\xff\xfe"),
        ("/helpdesk/api/v1/tickets", 'q="\\ \x00'),
        ("/helpdesk/\x00", ""),
    ],
)
def test_bytes_that_are_no_text_are_no_error_of_the_server(
    app: WSGIApplication, token: str, path: str, query: str
) -> None:
    status, _ = raw(app, PATH_INFO=path, QUERY_STRING=query, HTTP_AUTHORIZATION=token)
    assert 200 <= status < 500


def test_a_body_of_unknown_length_is_refused_rather_than_taken_for_empty(client: httpx.Client) -> None:
    answer = client.post(TICKETS, content=iter([b"{}"]), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_the_clients_address_is_known_without_its_port(app: WSGIApplication, committed: Factory) -> None:
    """Attempts to log in are limited by address: all clients of a server that tells no port would share one."""
    committed.user(Role.AGENT, email="sam@example.test", password="right, and long")

    def attempt(client: httpx.Client, email: str, password: str) -> int:
        return client.post("/helpdesk/api/v1/session", json={"email": email, "password": password}).status_code

    with client_of(app, "192.0.2.1") as guessing, client_of(app, "192.0.2.2") as other:
        assert [attempt(guessing, f"{number}@example.test", "wrong") for number in range(11)][-1] == 429
        assert attempt(other, "sam@example.test", "right, and long") < 300


def test_a_client_that_leaves_takes_its_request_along(
    app: WSGIApplication, host: Host, client: httpx.Client, token: str
) -> None:
    opened = client.post(TICKETS, json={"description": "Hello"}).headers["Location"]
    file = client.post(f"{opened}/attachments", files={"file": ("zeros.bin", bytes(5_000_000))}).headers["Location"]
    before = tasks(host)
    status, body = raw(app, PATH_INFO=f"{file}/content", HTTP_AUTHORIZATION=token)
    assert (status, tasks(host) > before) == (200, True)
    body.close()  # type: ignore[attr-defined]  # PEP 3333
    assert any(tasks(host) == before for _ in range(600))  # the host's loop ends it when it comes to that


def tasks(host: Host) -> int:
    """Count what runs on the host's loop, once that has done what it was told before."""

    async def count() -> int:
        await asyncio.sleep(0.05)
        return len(asyncio.all_tasks())

    return asyncio.run_coroutine_threadsafe(count(), host.loop).result(60)


def test_when_the_host_is_closed_no_connection_and_no_thread_remain(settings: Settings) -> None:
    host = Host(settings)
    with client_of(WsgiApi(host)) as client:
        assert client.get("/readyz").status_code == 200
    pool = host.desk.database.async_engine.pool
    assert isinstance(pool, QueuePool)
    host.close()
    assert (pool.checkedin(), pool.checkedout()) == (0, 0)
    assert not [thread for thread in threading.enumerate() if thread.name == "deskbell"]


def test_a_desk_that_cannot_be_opened_is_a_problem(settings: Settings) -> None:
    with client_of(WsgiApi(Host(settings.model_copy(update={"secret_key": None})))) as client:
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
