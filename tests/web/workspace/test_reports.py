"""The pages of reports: what they show, whom, for which period, and that figures lead to their tickets."""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from html import escape, unescape
from io import StringIO
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest
from babel import Locale
from sqlalchemy import text

from deskbell.accounts.models import Role, User
from deskbell.reports import PERIODS, By, Period
from deskbell.search.finding import find_tickets
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.testing.statements import count_statements
from deskbell.tickets.bulk import NewTicket, create_tickets
from deskbell.tickets.models import TicketStatus
from deskbell.web.i18n import languages, speaking
from deskbell.web.workspace import reports_words as words
from tests.web.pages.conftest import Browser, Pages

pytestmark = pytest.mark.anyio
HTMX = {"HX-Request": "true"}
HOSTILE = '<script>alert("1")</script>'
ROWS = re.compile(r"<tr>\s*<th scope=\"row\">(.*?)</th>(.*?)</tr>", re.DOTALL)
CELL = re.compile(r"<td[^>]*>(?:<a href=\"([^\"]*)\">)?([^<]*)")
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
MARCH = f"/reports?from={FIRST}&to={LAST}"


@pytest.fixture
async def busy(desk: Pages) -> Pages:
    """A desk with sixty tickets of three months: with tags, teams and agents, among them hostile names."""

    def build(factory: Factory) -> None:
        agents = [factory.user(Role.AGENT, full_name=name) for name in (HOSTILE, "Bert")]
        tags = [factory.tag(name).id for name in ("vip", '"no" \\ <b>')]
        team, customer, chance = factory.team(name="none"), factory.user(), Random(3)  # noqa: S311 - a test's
        with factory.database.transaction(SYSTEM) as session:
            create_tickets(session, [new(chance, customer.id, [*agents, None], tags) for _ in range(60)])
            session.execute(text("update tickets set team_id = :team where id % 3 = 0"), {"team": team.id})
            session.execute(text("update tickets set first_responded_at = created_at + interval '90 min'"))

    await desk.make(build)
    return desk


def new(chance: Random, customer: int, agents: Sequence[User | None], tags: Sequence[int]) -> NewTicket:
    created = datetime.combine(FIRST, time(), UTC) + timedelta(days=chance.random() * 90 - 30)
    resolved = created + timedelta(days=chance.random() * 9) if chance.random() < 0.6 else None
    agent = chance.choice(agents)
    return NewTicket(
        title="x",
        description="",
        creator_id=customer,
        created_at=created,
        resolved_at=resolved,
        status=TicketStatus.CLOSED if resolved else TicketStatus.OPEN,
        assignee_id=agent.id if agent else None,
        tag_ids=tuple(chance.sample(list(tags), chance.randrange(3))),
    )


async def figures(browser: Browser, path: str) -> dict[str, list[tuple[str, str]]]:
    """Return what the tables of a page have: heading of a row → (figure, address) of its cells, in all of them."""
    page = await browser.client.get(path)
    assert page.status_code == 200, page.text
    found: dict[str, list[tuple[str, str]]] = {}
    for heading, cells in ROWS.findall(page.text):
        name = unescape(re.sub(r"</?bdi>", "", heading))
        found.setdefault(name, []).extend((value, unescape(href)) for href, value in CELL.findall(cells))
    return found


@pytest.mark.parametrize("by", list(By))
async def test_each_figure_leads_to_the_tickets_that_were_counted(busy: Pages, by: By) -> None:
    """Days of the report are those of UTC, wherever the reader lives."""
    agent = await busy.make(lambda f: f.user(Role.AGENT))
    browser = await busy.browser(agent)
    shown = await figures(browser, f"{MARCH}&by={by}&show=all")
    assert len(shown) > 31
    linked = [(value, href) for cells in shown.values() for value, href in cells if href]
    assert len(linked) > 40
    reader = replace(actor(agent), time_zone="Pacific/Auckland")
    async with busy.database.async_transaction(reader) as session:
        for value, href in linked:
            [query] = parse_qs(urlsplit(href).query)["q"]
            found = await session.run_sync(find_tickets, query, limit=100)
            assert len(found.items) == int(value), query


@pytest.mark.parametrize("by", list(By))
async def test_the_tables_have_what_the_file_has(busy: Pages, by: By) -> None:
    browser = await busy.browser_of(Role.AGENT)
    page = await browser.client.get(f"{MARCH}&by={by}&show=all")
    files = [unescape(href) for href in re.findall(r'href="(/api/v1/reports/[^"]*)"', page.text)]
    assert len(files) == 3
    flow, by_value, times = [list(csv.DictReader(StringIO((await browser.client.get(f)).text))) for f in files]
    shown = await figures(browser, f"{MARCH}&show=all")
    days = {row["day"] for row in flow}
    assert len(days) == 31
    for day in days:
        of_day = [row for row in flow if row["day"] == day]
        name = f"{date.fromisoformat(day).day} Mar"
        expected = [sum(int(row[key]) for row in of_day) for key in ("created", "resolved", "backlog")]
        assert [int(value) for value, _ in shown[name]] == expected
    assert sum(int(row["created"]) for row in flow) <= sum(int(row["created"]) for row in by_value)
    assert {row["response_median"] for row in times} == {"1.5"}
    assert "1.5 hrs" in page.text


async def test_customers_find_no_reports(busy: Pages) -> None:
    browser = await busy.browser_of(Role.CUSTOMER)
    for path in ("/reports", "/reports/breakdown", "/reports/times"):
        assert (await browser.client.get(path, headers=HTMX)).status_code == 404


async def test_who_is_not_logged_in_is_asked_to(busy: Pages) -> None:
    page = await (await busy.browser()).client.get("/reports?period=7d")
    assert page.headers["Location"] == "/login?next=%2Freports%3Fperiod%3D7d"


@pytest.mark.parametrize("period", [*PERIODS, ""])
async def test_every_period_has_an_address(busy: Pages, period: str) -> None:
    browser = await busy.browser_of(Role.AGENT)
    page = await browser.client.get(f"/reports?period={period}")
    assert page.status_code == 200
    assert page.text.count('aria-current="true"') == 2
    assert page.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("first", "last", "field", "message"),
    [
        ("2026-03-31", "2026-03-01", "to", "The last day is before the first."),
        ("2026-03-31", "", "to", "Give both the first and the last day."),
        ("<b>", "2026-03-31", "from", "&lt;b&gt;"),
        ("1969-12-31", "1970-01-31", "from", "before 1970"),
        ("2000-01-01", "2026-01-01", "to", "longer than ten years"),
        ("9999-12-31", "9999-12-31", "to", "after 8999"),
    ],
)
async def test_dates_that_make_no_sense_come_back_with_what_is_wrong(
    busy: Pages, first: str, last: str, field: str, message: str
) -> None:
    browser = await busy.browser_of(Role.AGENT)
    page = await browser.client.get("/reports", params={"from": first, "to": last})
    assert page.status_code == 422
    assert message in page.text
    assert f'aria-describedby="{field}-error"' in page.text
    assert f'value="{escape(first)}"' in page.text


async def test_an_unknown_period_is_refused(busy: Pages) -> None:
    page = await (await busy.browser_of(Role.AGENT)).client.get("/reports?period=<i>")
    assert page.status_code == 422
    assert "&lt;i&gt;" in page.text
    assert "<i>" not in page.text


async def test_hostile_names_are_shown_as_text(busy: Pages) -> None:
    browser = await busy.browser_of(Role.AGENT)
    shown = await figures(browser, f"{MARCH}&by=assignee&show=all")
    assert HOSTILE in shown
    page = await browser.client.get(f"{MARCH}&by=assignee&show=all")
    assert HOSTILE not in page.text
    assert '"no" \\ <b>' in await figures(browser, f"{MARCH}&by=tag&show=all")


async def test_an_empty_period_says_so(busy: Pages) -> None:
    page = await (await busy.browser_of(Role.AGENT)).client.get("/reports?from=2020-01-01&to=2020-02-01&show=all")
    assert page.text.count("No tickets in this period.") == 3
    assert "<table" not in page.text


async def test_what_takes_longer_is_a_part_of_the_page_that_comes_after_it(busy: Pages) -> None:
    browser = await busy.browser_of(Role.AGENT)
    page = (await browser.client.get(f"{MARCH}&by=tag")).text
    for name in ("breakdown", "times"):
        [address] = re.findall(rf'hx-get="(/reports/{name}\?[^"]*)"', page)
        part = await browser.client.get(unescape(address), headers=HTMX)
        assert part.text.lstrip().startswith(f'<section id="{name}"')
        without_scripts = await browser.client.get(unescape(address))
        assert without_scripts.status_code == 303
        whole = await browser.client.get(without_scripts.headers["Location"])
        assert part.text.strip() in whole.text
        assert "hx-get" not in whole.text


async def test_the_number_of_statements_is_fixed(busy: Pages) -> None:
    browser = await busy.browser_of(Role.AGENT)
    await browser.client.get("/reports")
    counts = []
    for path in (f"{MARCH}&by=team", "/reports?period=12m&by=team"):
        with count_statements(busy.database.async_engine.sync_engine) as statements:
            await browser.client.get(path)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 9


@pytest.mark.parametrize(
    ("code", "hours", "days"), [("de", "3,2 Std.", "24.\u201326. Nov. 2026"), ("ar", "3.2 س", "2026")]
)
def test_times_and_dates_are_written_as_the_reader_does(code: str, hours: str, days: str) -> None:
    with speaking(replace(languages()["en"], locale=Locale.parse(code))):
        assert words.hours(3.2).replace("\xa0", " ") == hours
        assert days in words.span(Period(date(2026, 11, 24), date(2026, 11, 27)))


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (0, 0, ""),
        (3, 0, "none before"),
        (3, 3, "about the same"),
        (3, 2, "50% more"),
        (1, 2, "50% less"),
        (1, None, ""),
    ],
)
def test_a_change_is_said_in_words(now: float, before: float | None, said: str) -> None:
    assert words.change(now, before) == said
