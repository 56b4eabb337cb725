"""The Flask extension: when a request's work is kept, when it is not, and what is told."""

from collections.abc import Iterator

import pytest
from flask import Flask, Response, abort, request, stream_with_context
from flask.testing import FlaskClient
from sqlalchemy import select, text

from deskbell.integrations.flask import Deskbell
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.errors import DeskbellError, NotFoundError
from deskbell.runtime import Desk
from deskbell.testing.factories import SYSTEM
from deskbell.tickets.labels import create_tag
from deskbell.tickets.models import Tag


class FriendlyError(Exception):
    """Something that the host makes a friendly page of."""


def who() -> Actor | None:
    return None if "nobody" in request.args else Actor.system(Channel.WEB)


@pytest.fixture
def helpdesk(desk: Desk) -> Deskbell:
    return Deskbell(desk=desk, actor_loader=who)


@pytest.fixture
def app(helpdesk: Deskbell) -> Flask:  # noqa: C901 - one view for each way to end
    app = Flask(__name__)
    helpdesk.init_app(app)

    @app.errorhandler(FriendlyError)
    def friendly(_: FriendlyError) -> str:
        return f"Never mind; there are {len(helpdesk.session.scalars(select(Tag.id)).all())} tags."

    @app.get("/write/<how>")
    def write(how: str) -> Response | tuple[str, int] | str:
        create_tag(helpdesk.session, name=how)
        match how:
            case "friendly":
                raise FriendlyError
            case "crash":
                raise ZeroDivisionError
            case "known":
                raise NotFoundError("There is no such thing here.")
            case "abort":
                abort(418)
            case "redirect":
                return Response(status=303, headers={"Location": "/"})
            case "twice":
                create_tag(helpdesk.session, name=how)
            case "commit":
                helpdesk.session.commit()
            case "late":
                helpdesk.session.execute(text("create temp table late (n int unique deferrable initially deferred)"))
                helpdesk.session.execute(text("insert into late values (1), (1)"))
        return how, int(request.args.get("status", 200))

    @app.get("/stream/<when>")
    def stream(when: str) -> Response:
        def lines() -> Iterator[str]:
            yield "begin\n"
            yield f"{len(helpdesk.session.scalars(select(Tag.id)).all())}\n"

        if when == "after":
            create_tag(helpdesk.session, name="streamed")
        return Response(stream_with_context(lines()))

    helpdesk.mount(app)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def tags(desk: Desk) -> list[str]:
    with desk.database.transaction(SYSTEM) as session:
        return list(session.scalars(select(Tag.name)))


@pytest.mark.parametrize(
    ("path", "status", "kept"),
    [
        ("plain", 200, True),
        ("plain?status=201", 201, True),
        ("redirect", 303, True),
        ("plain?status=400", 400, False),
        ("plain?status=503", 503, False),
        ("abort", 418, False),
        ("known", 404, False),
        ("crash", 500, False),
        ("friendly", 200, False),
        ("twice", 409, False),
        ("commit", 500, False),
    ],
)
def test_only_what_went_well_is_kept(client: FlaskClient, desk: Desk, path: str, status: int, *, kept: bool) -> None:
    assert client.get(f"/write/{path}").status_code == status
    assert bool(tags(desk)) is kept
    assert client.get("/write/next").status_code == 200, "the one connection was given back"


def test_errors_are_problem_documents_in_the_desks_words(client: FlaskClient) -> None:
    for path, code in (("known", "not_found"), ("twice", "conflict"), ("plain?nobody", "unauthenticated")):
        answer = client.get(f"/write/{path}")
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["code"] == code
        assert "uq_tags_name" not in answer.text
    assert client.get("/write/plain?nobody").headers["WWW-Authenticate"] == 'Bearer realm="deskbell"'


def test_a_commit_that_fails_is_an_error_and_not_a_success(client: FlaskClient, desk: Desk) -> None:
    answer = client.get("/write/late")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "conflict")
    assert tags(desk) == []
    assert client.get("/write/next").status_code == 200


def test_the_hosts_own_handlers_go_before(app: Flask, client: FlaskClient) -> None:
    app.register_error_handler(NotFoundError, lambda error: (f"<h1>{error.message}</h1>", 404))
    app.register_error_handler(DeskbellError, lambda _: ("all the same", 400))
    answer = client.get("/write/known")
    assert (answer.status_code, answer.text) == (404, "<h1>There is no such thing here.</h1>")
    assert client.get("/write/twice").text == "all the same"


def test_an_error_page_may_read_what_is_committed(client: FlaskClient) -> None:
    client.get("/write/plain")
    assert client.get("/write/friendly").text == "Never mind; there are 1 tags."


def test_a_stream_that_begins_with_the_session_reads_and_gives_the_connection_back(
    client: FlaskClient, desk: Desk
) -> None:
    with pytest.raises(RuntimeError, match="load what a stream or a later hook needs before the view returns"):
        client.get("/stream/after").get_data()
    assert tags(desk) == ["streamed"]
    assert client.get("/write/next").status_code == 200


def test_a_request_that_needs_no_desk_opens_none() -> None:
    app = Flask(__name__)
    helpdesk = Deskbell(app, actor_loader=who)
    app.add_url_rule("/", view_func=lambda: "fine")
    assert app.test_client().get("/").text == "fine"
    assert app.test_client().get("/nowhere").status_code == 404
    assert helpdesk.host.opened is None


def test_without_a_request_there_is_no_session(app: Flask, helpdesk: Deskbell) -> None:
    with app.app_context(), pytest.raises(RuntimeError, match=r"use `with helpdesk\.database\.transaction"):
        _ = helpdesk.session


def test_what_is_recorded_says_which_route_did_it(client: FlaskClient, desk: Desk) -> None:
    client.get("/write/plain")
    with desk.database.transaction(SYSTEM) as session:
        assert session.scalar(text("select act from operations order by id desc limit 1")) == "GET /write/<how>"


@pytest.mark.parametrize("prefix", ["", "/", "helpdesk", "/helpdesk/", "/help desk"])
def test_a_path_to_mount_at_is_written_in_one_way(app: Flask, helpdesk: Deskbell, prefix: str) -> None:
    with pytest.raises(ValueError, match="begins with a slash and ends without one"):
        helpdesk.mount(app, prefix)
