"""The Django integration: settings, whom a Django user is at the desk, and when a request's work is kept."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from sqlalchemy import select, text

from deskbell.accounts.models import Role
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import NotFoundError
from deskbell.runtime import Desk
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.tickets.labels import create_tag
from deskbell.tickets.models import Tag

if not settings.configured:
    settings.configure(
        SECRET_KEY="for tests alone",
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=[f"{__name__}.whoever_is_named", f"{__name__}.Middleware"],
    )
    django.setup()

from deskbell.integrations.django import DeskbellMiddleware, read_configuration

OPEN: dict[str, Desk] = {}


class Middleware(DeskbellMiddleware):
    """The middleware, on the desk of the test file."""

    def database(self) -> Any:
        return OPEN["desk"].database


class ShopUser:
    """A user of the project, by the headers of the request."""

    is_authenticated = True

    def __init__(self, email: str, kind: str) -> None:
        self.email, self.is_staff, self.is_superuser = email, kind in {"staff", "superuser"}, kind == "superuser"

    def get_email_field_name(self) -> str:
        return "email"

    def get_full_name(self) -> str:
        return "Nia New"


class Nobody:
    """Nobody who is logged in."""

    is_authenticated = False


def whoever_is_named(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    def middleware(request: HttpRequest) -> Any:
        email = request.headers.get("X-User", "")
        request.user = ShopUser(email, request.headers.get("X-Kind", "user")) if email else Nobody()
        return get_response(request)

    return middleware


def who(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request.deskbell.session)
    return HttpResponse(f"{actor.kind} {actor.user_id} {actor.channel} {actor.act}")


def write(request: HttpRequest, how: str) -> HttpResponse:
    session = request.deskbell.session
    create_tag(session, name=how)
    match how:
        case "crash":
            raise ZeroDivisionError
        case "missing":
            raise Http404
        case "known":
            raise NotFoundError("There is no such thing here.")
        case "twice":
            create_tag(session, name=how)
        case "commit":
            session.commit()
        case "late":
            session.execute(text("create temp table late (n int unique deferrable initially deferred)"))
            session.execute(text("insert into late values (1), (1)"))
    return HttpResponse(how, status=int(request.GET.get("status", 200)))


async def write_async(request: HttpRequest, how: str) -> JsonResponse:
    tag = await request.deskbell.run_sync(create_tag, name=how)
    if how == "crash":
        raise ZeroDivisionError
    return JsonResponse({"name": tag.name})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    session = request.deskbell.session
    create_tag(session, name="streamed")
    return StreamingHttpResponse(str(request.deskbell.session.scalar(select(Tag.name))) for _ in range(1))


urlpatterns = [
    path("who", who),
    path("write/<how>", write),
    path("async/<how>", write_async),
    path("stream", stream),
]


def the_system(_request: HttpRequest) -> Actor:
    return Actor.system(Channel.WEB)


@pytest.fixture(autouse=True)
def opened(desk: Desk) -> Iterator[None]:
    OPEN["desk"] = desk
    yield
    OPEN.clear()


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a project in which everybody is the system."""
    with override_settings(DESKBELL={"ACTOR": f"{__name__}.the_system"}):
        yield Client(raise_request_exception=False)


def tags(desk: Desk) -> list[str]:
    with desk.database.transaction(SYSTEM) as session:
        return list(session.scalars(select(Tag.name)))


@pytest.mark.parametrize(
    ("path", "status", "kept"),
    [
        ("plain", 200, True),
        ("plain?status=302", 302, True),
        ("plain?status=400", 400, False),
        ("plain?status=503", 503, False),
        ("missing", 404, False),
        ("known", 404, False),
        ("crash", 500, False),
        ("twice", 409, False),
        ("commit", 500, False),
        ("late", 409, False),
    ],
)
def test_only_what_went_well_is_kept(client: Client, desk: Desk, path: str, status: int, *, kept: bool) -> None:
    assert client.get(f"/write/{path}").status_code == status
    assert bool(tags(desk)) is kept
    assert client.get("/write/next").status_code == 200, "the one connection was given back"


def test_errors_are_problem_documents_in_the_desks_words(client: Client) -> None:
    for how, code in (("known", "not_found"), ("twice", "conflict")):
        answer = client.get(f"/write/{how}")
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == code
        assert b"uq_tags_name" not in answer.content


@pytest.mark.parametrize(("how", "status", "kept"), [("plain", 200, True), ("crash", 500, False)])
def test_asynchronous_views_work_the_same(client: Client, desk: Desk, how: str, status: int, *, kept: bool) -> None:
    async def ask() -> int:
        answer = await AsyncClient(raise_request_exception=False).get(f"/async/{how}")
        return int(answer.status_code)

    assert asyncio.run(ask()) == status
    assert bool(tags(desk)) is kept
    assert client.get("/async/next").json() == {"name": "next"}, "beneath WSGI as well"


def test_a_stream_reads_nothing_after_the_commit(client: Client, desk: Desk) -> None:
    with pytest.raises(RuntimeError, match="load what a stream or a later hook needs before the view returns"):
        b"".join(client.get("/stream").streaming_content)
    assert tags(desk) == ["streamed"]
    assert client.get("/write/next").status_code == 200


def as_user(email: str, kind: str = "user", path: str = "/who", **deskbell: Any) -> Any:
    with override_settings(DESKBELL=deskbell):
        return Client().get(path, headers={"X-User": email, "X-Kind": kind})


def test_a_django_user_is_known_by_address(committed: Factory) -> None:
    customer = committed.user()
    assert as_user(customer.email.upper()).content.decode() == f"customer {customer.id} web GET /who"


def test_staff_are_agents_where_the_project_says_so_and_the_desk_too(committed: Factory) -> None:
    agent, customer, roles = committed.user(Role.AGENT), committed.user(), {"user": "customer", "staff": "agent"}
    assert as_user(agent.email, "staff").content.startswith(b"customer ")
    assert as_user(agent.email, "user", ROLES=roles).content.startswith(b"customer ")
    assert as_user(agent.email, "staff", ROLES=roles).content.startswith(b"agent ")
    assert as_user(agent.email, "superuser", ROLES=roles).content.startswith(b"agent ")
    assert as_user(customer.email, "superuser", ROLES=roles).content.startswith(b"customer ")
    assert as_user(customer.email, "user", ROLES={"staff": "agent"}).status_code == 403


def test_who_is_unknown_is_refused_or_becomes_a_customer() -> None:
    refused = as_user("nia@django.example")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert as_user("nia@django.example", UNKNOWN_USERS="create").content.startswith(b"customer ")


def test_who_is_not_logged_in_must_log_in() -> None:
    answer = as_user("")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"UPGRADES": True}, r"DESKBELL\['UPGRADES'\] .*there is no such setting, only DATABASE_URL, "),
        ({"UNKNOWN_USERS": "ignore"}, r"DESKBELL\['UNKNOWN_USERS'\] .*'refuse' or 'create'"),
        ({"ROLES": {"staff": "boss"}}, r"DESKBELL\['ROLES'\]\['staff'\] .*'customer', 'agent' or 'admin'"),
        ({"ROLES": {"boss": "agent"}}, r"DESKBELL\['ROLES'\]\['boss'\] .*'user', 'staff' or 'superuser'"),
        (["UPGRADE"], r"DESKBELL in the settings is wrong"),
    ],
)
def test_a_wrong_setting_is_named(wrong: Any, says: str) -> None:
    with override_settings(DESKBELL=wrong), pytest.raises(ImproperlyConfigured, match=says):
        DeskbellMiddleware(lambda _: None)


def test_a_secret_in_a_wrong_place_is_not_shown() -> None:
    wrong = {"DATABASE_URL": ["postgresql://desk:hunter2@localhost/"]}
    with override_settings(DESKBELL=wrong), pytest.raises(ImproperlyConfigured) as caught:
        read_configuration()
    assert "hunter2" not in str(caught.value)


def test_settings_of_the_project_go_before_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_DATA_DIR", "/from/the/environment")
    with override_settings(DESKBELL={}):
        assert str(read_configuration().settings().data_dir) == "/from/the/environment"
    with override_settings(DESKBELL={"DATA_DIR": "/from/django", "DATABASE_URL": "postgresql://a:b@c/d"}):
        chosen = read_configuration().settings()
    assert str(chosen.data_dir) == "/from/django"
    assert chosen.database.url is not None
    assert chosen.database.url.get_secret_value() == "postgresql://a:b@c/d"
