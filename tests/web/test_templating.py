"""Words that pages are made of, and pages rendered without a server."""

import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, UndefinedError

from deskbell.web import i18n
from deskbell.web import templating as t
from deskbell.web.workspace.rows import columns_of

NOW = datetime(2026, 11, 22, 22, 9, tzinfo=UTC)
STATUSES = [{"value": value, "label": t.label(value)} for value in ("open", "in_progress", "resolved")]
ANNA = {"id": 7, "name": "Anna <Kowalska>", "email": "anna@shop.example", "is_staff": False}
RAVI = {"id": 8, "name": "Ravi", "email": "ravi@bank.example", "is_staff": True}
AGENT = {**RAVI, "role": "agent", "time_zone": "Europe/Berlin"}
CUSTOMER = {**ANNA, "role": "customer", "time_zone": "Europe/Berlin"}


@pytest.fixture(scope="module")
def pages() -> Environment:
    """The environment that the server uses."""
    return t.build_environment()


def ticket(**changed: object) -> dict[str, Any]:
    """A ticket as templates see it."""
    times = ("due_at", "first_responded_at", "resolved_at", "deleted_at")
    plain = dict.fromkeys(("assignee", "team", "organization", "description_html", *times))
    return {
        **plain,
        "number": "DB#1042",
        "title": "<script>alert(1)</script>",
        "status": "in_progress",
        "priority": "urgent",
        "channel": "mail",
        "version": 4,
        "created_at": NOW - timedelta(days=3),
        "updated_at": NOW - timedelta(minutes=5),
        "requester": ANNA,
        "tags": [{"name": f"tag-{n}", "color": "#d73a4a"} for n in range(5)],
        "description": "First line\n  <b>second</b> line",
        "description_folded": "-- \nAnna",
        "attachments": [],
        **changed,
    }


def comment(number: int, author: dict[str, Any], **changed: object) -> dict[str, Any]:
    """A comment as templates see it."""
    message: dict[str, Any] = {"content": f"words {number}", "content_html": None, "folded": None, "attachments": []}
    message["mentions"] = []
    return {**message, "id": number, "author": author, "is_internal": False, "created_at": NOW, **changed}


def row(**changed: object) -> dict[str, Any]:
    """A ticket as the list sees it."""
    beside = dict.fromkeys(("reply", "title_html", "snippet_html", "responded_at"))
    return ticket(id=1042, unread=False, reopened=0, **{**beside, "organization": "", "team": "", **changed})


def list_page(pages: Environment, **changed: object) -> str:
    """The list of tickets."""
    context: dict[str, Any] = {
        "viewer": AGENT,
        "csrf_token": "secret-token",
        "now": NOW,
        "statuses": STATUSES,
        "query": {"text": "", "error": None},
        "page": {"items": [row()], "next": "", "previous": "", "first": ""},
        "columns": [{"column": column, "href": ""} for column in columns_of((), "updated")],
        **dict.fromkeys(("sorts", "corrections", "hints"), ()),
        "heading": "All tickets",
        "view": None,
        "here": "/tickets",
        "run_query": "",
        "sort": "updated",
    }
    return pages.get_template("workspace/list.html").render(context | changed)


def ticket_page(pages: Environment, **changed: object) -> str:
    """The page of one ticket."""
    context: dict[str, Any] = {
        "viewer": AGENT,
        "csrf_token": "secret-token",
        "now": NOW,
        "statuses": STATUSES,
        "priorities": [{"value": "urgent", "label": "Urgent"}],
        "agents": [{"id": 8, "name": "Ravi"}],
        "teams": [],
        "tag_names": ["billing"],
        "others": {"tickets": [], "count": 0},
        "older": {"count": 0, "step": 0, "shown": 2},
        "seen": {"comment": 2, "status": "in_progress", "requester": 7, "newest_copy": 0},
        "ticket": ticket(),
        "comments": [comment(1, RAVI), comment(2, RAVI, is_internal=True)],
    }
    return pages.get_template("workspace/ticket.html").render(context | changed)


class Forms(HTMLParser):
    """Collects each form's action with the names and values of its inputs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the form would send."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._fields = self.found.setdefault(given.get("action", ""), {})
        elif tag in {"input", "textarea", "select"}:
            self._fields[given["name"]] = given.get("value", "")


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=-40), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23), "23 hr ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=29), "4 wk ago"),
        (timedelta(days=31), "1 mo ago"),
        (timedelta(days=800), "2 yr ago"),
    ],
)
def test_a_time_is_told_in_its_largest_whole_unit(passed: timedelta, words: str) -> None:
    assert t.ago(NOW - passed, NOW) == words


def test_a_time_is_shown_where_the_reader_lives() -> None:
    assert t.local_time(NOW, "Europe/Berlin") == "22 Nov 2026, 23:09"
    assert t.local_moment(NOW, "Europe/Berlin") == "22 Nov 2026, 23:09 CET"
    assert t.local_time(NOW, timezone(timedelta(hours=9), "JST")) == "23 Nov 2026, 07:09"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "a\0b", "Europe"])
def test_an_unknown_time_zone_shows_utc_instead_of_failing(zone: str) -> None:
    assert t.local_time(NOW, zone) == "22 Nov 2026, 22:09"


def test_machines_read_times_in_utc() -> None:
    assert t.iso(NOW.astimezone(timezone(timedelta(hours=-5)))) == "2026-11-22T22:09:00Z"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (60, "1 minute"), (61, "2 minutes"), (3600, "1 hour"), (3601, "2 hours")],
)
def test_a_wait_is_never_told_too_short(seconds: int, words: str) -> None:
    assert i18n.span(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1,023 bytes"),
        (1024, "1 kB"),
        (1_500_000, "1.4 MB"),
        (25 * 1024**2, "25 MB"),
        (1023 * 1024, "1,023 kB"),
        (5000 * 1024**4, "5,000 TB"),
    ],
)
def test_sizes_are_short(size: int, words: str) -> None:
    assert t.size_in_words(size) == words


def test_codes_become_words() -> None:
    assert t.label("waiting_on_customer") == "Waiting on customer"
    assert t.label("assignee_id") == "Assignee"
    assert t.label("mail") == "E-mail"
    assert t.file_kind("image/svg+xml") == "SVG image"
    assert t.file_kind("application/pdf") == "PDF"
    assert t.file_kind("application/x-unheard-of") == "application/x-unheard-of"


@pytest.mark.parametrize(
    ("name", "letters"), [("Anna Maria Kowalska", "AK"), ("madonna", "M"), ("", "?"), ("<b>!", "B"), ("🎉", "?")]
)
def test_an_avatar_has_one_or_two_letters(name: str, letters: str) -> None:
    assert t.initials(name) == letters


def test_a_status_link_replaces_only_the_status() -> None:
    query = 'card status:open "status:open said he" -status:closed tag:"two words"'
    assert t.with_status(query, "resolved") == 'status:resolved card "status:open said he" tag:"two words"'
    assert t.with_status(query, None) == 'card "status:open said he" tag:"two words"'


@given(st.text(), st.sampled_from(["open", "closed"]))
def test_the_link_for_a_status_is_marked_as_chosen_once_followed(query: str, status: str) -> None:
    assert t.only_status(t.with_status(query, status)) == status
    assert t.only_status(t.with_status(query, None)) == ""


def test_no_status_is_marked_when_the_query_asks_for_several() -> None:
    assert t.only_status("status:open status:closed") is None
    assert t.only_status("-status:open") is None


def test_a_name_that_a_route_forgets_is_an_error(pages: Environment) -> None:
    with pytest.raises(UndefinedError):
        pages.get_template("workspace/list.html").render(viewer=AGENT, query={"text": "", "error": None})


def test_what_people_wrote_is_shown_not_run(pages: Environment) -> None:
    for html in (
        list_page(pages),
        ticket_page(pages, typed={"content": "</textarea><script>", "is_internal": False, "status": ""}),
    ):
        assert "<script>" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "First line\n  &lt;b&gt;second&lt;/b&gt; line</div>" in ticket_page(pages)


def test_a_ticket_number_with_a_hash_still_makes_a_working_link(pages: Environment) -> None:
    assert 'href="/tickets/DB%231042"' in list_page(pages)


def test_the_forms_send_the_fields_that_the_routes_read(pages: Environment) -> None:
    forms = Forms(ticket_page(pages)).found
    base = "/tickets/DB%231042"
    assert forms.keys() == {
        "/tickets",
        "/logout",
        "",  # the dialog of a picture
        *(f"{base}/{name}" for name in ("reply", "properties", "tags", "tags/remove", "delete", "unread")),
    }
    written = {"is_internal", "content", "files", "status", "revision"}
    seen = {"seen_comment", "seen_status", "seen_requester", "seen_copy"}
    assert forms[f"{base}/reply"].keys() == {"csrf_token", *written, *seen}
    fields = {"title", "status", "priority", "assignee_id", "team_id", "due_at"}
    assert forms[f"{base}/properties"].keys() == {"csrf_token", *fields, *(f"was_{name}" for name in fields)}
    assert forms[f"{base}/tags"].keys() == forms[f"{base}/tags/remove"].keys() == {"csrf_token", "name"}
    assert forms[f"{base}/reply"]["seen_comment"] == "2"


def test_every_form_that_changes_something_carries_the_csrf_token(pages: Environment) -> None:
    login = pages.get_template("login.html").render(
        csrf_token="secret-token", next="/tickets", email="", error=None, registration=True
    )
    login = login.replace('method="post" action="/language"', "")  # changes only how this browser reads
    for html in (list_page(pages), ticket_page(pages), ticket_page(pages, viewer=CUSTOMER), login):
        assert html.count('method="post"') == html.count('name="csrf_token" value="secret-token"') > 0


def test_an_internal_note_is_named_in_words_and_by_its_form(pages: Environment) -> None:
    html = ticket_page(pages)
    note = html[html.index('id="comment-2"') :]
    assert html.count("Internal note by") == 1
    assert "Internal note by" in note


def test_a_customer_sees_no_staff_controls_history_or_addresses(pages: Environment) -> None:
    html = ticket_page(pages, viewer=CUSTOMER, comments=[comment(1, RAVI)])
    forms = Forms(html).found
    assert forms.keys() - {"/tickets", "/requests"} == {"", "/logout", "/tickets/DB%231042/reply"}
    assert forms["/tickets/DB%231042/reply"].keys() == {"csrf_token", "version", "content", "files"}
    for hidden in ("History", "ravi@bank.example", "Urgent", "Internal note", "mailto:"):
        assert hidden not in html


def test_a_refused_reply_keeps_what_was_typed(pages: Environment) -> None:
    html = ticket_page(
        pages,
        form_error={"form": "reply", "kind": "invalid", "message": "Not like this."},
        typed={"content": "\n my words", "is_internal": True, "status": "resolved"},
    )
    assert ">\n\n my words</textarea>" in html  # a browser drops the first line break of a text area
    assert "Not like this." in html
    assert re.search(r'value="true"[^>]* checked', html)
    assert '<option value="resolved" selected>' in html


def test_an_assignee_who_is_no_longer_an_agent_is_not_lost_by_saving(pages: Environment) -> None:
    html = ticket_page(pages, ticket=ticket(assignee={"id": 99, "name": "Gone"}))
    assert '<option value="99" selected>Gone</option>' in html


def test_a_deleted_ticket_offers_nothing_to_change(pages: Environment) -> None:
    assert Forms(ticket_page(pages, ticket=ticket(deleted_at=NOW))).found.keys() == {
        *("", "/tickets", "/logout"),
        "/tickets/DB%231042/restore",
    }


@pytest.mark.parametrize(
    ("position", "end", "marked"),
    [
        (7, 11, '<code dir="auto">status:<mark><span class="vh">here: </span>opne</mark> &amp; card</code>'),
        (99, 99, 'card<mark class="missing"><span class="vh">here: </span></mark></code>'),
        (0, 11, '<code dir="auto"><mark><span class="vh">here: </span>status:opne</mark> &amp; card</code>'),
    ],
)
def test_a_query_that_fails_comes_back_marked(pages: Environment, position: int, end: int, marked: str) -> None:
    error = {"message": "There is no status “opne”.", "position": position, "end": end, "fixed": ""}
    html = list_page(pages, query={"text": "status:opne & card", "error": error})
    assert marked in html
    assert "There is no status “opne”." in html
    assert 'value="status:opne &amp; card"' in html


def test_an_empty_list_says_why(pages: Environment) -> None:
    empty: dict[str, Any] = {"items": [], "next": "", "previous": "", "first": ""}
    assert "No tickets yet" in list_page(pages, page=empty)
    assert "No ticket matches" in list_page(pages, page=empty, query={"text": "card", "error": None})


def test_the_log_in_page_remembers_the_address_and_tells_the_wait(pages: Environment) -> None:
    error = {"message": "Too many attempts.", "retry_after": 130}
    given = {"csrf_token": "x", "next": "/tickets", "registration": False}
    html = pages.get_template("login.html").render(**given, email="ravi@bank.example", error=error)
    assert 'value="ravi@bank.example"' in html
    assert "Try again in 3 minutes." in html


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 418, 422, 429, 500, 502, 503])
def test_an_error_page_needs_nobody_logged_in_and_no_database(pages: Environment, status: int) -> None:
    error = {"status": status, "message": "What <was> wrong.", "retry_after": None, "reference": None}
    html = pages.get_template("error.html").render(error=error)
    assert "What &lt;was&gt; wrong." in html
    assert str(status) in html


def test_a_badge_that_is_kept_is_kept_in_each_language_by_itself(pages: Environment) -> None:
    badge = pages.from_string("{{ drawn_status('open') }}")
    said = []
    for code in ("en", "de", "en"):
        with i18n.speaking(i18n.languages()[code]):
            said.append(badge.render())
    assert (said[0] == said[2], "Open" in said[0], "Offen" in said[1]) == (True, True, True)


@pytest.mark.parametrize(
    ("key", "name"), [("Mod+k", "Ctrl/⌘ k"), ("ArrowDown", "↓"), ("Shift+Enter", "Shift Enter"), ("?", "?"), ("+", "+")]
)
def test_a_key_is_called_by_what_stands_on_it(key: str, name: str) -> None:
    assert t.key_name(key) == name


def test_styles_of_mail_are_left_out_of_pages_and_its_words_are_not() -> None:
    """The policy of pages refuses them: each message would write a fault on its reader's console."""
    html = '<p style="margin:0" dir="ltr">One</p><td width="3" style="color:red">a style="x" b</td><p>style="y"</p>'
    assert t.unstyled(html) == ('<p class="line" dir="ltr">One</p><td width="3">a style="x" b</td><p>style="y"</p>')
    long = "<" + "a style " * 100_000
    assert t.unstyled(long) == long
