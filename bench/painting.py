"""When people see something: the first paint of each page in Chromium, from the click on."""

import os
import shutil
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import psycopg
from playwright.sync_api import Page, sync_playwright

from bench.desk import fill, served_alone
from bench.figures import Figure
from bench.pages import log_in, readers_of
from bench.reading import Options, folder_of
from deskbell.kernel.settings import Settings
from deskbell.runtime import ensure_schema, open_desk
from deskbell.web.csrf import COOKIE

TIMES: Final = 12
LIMIT: Final = 400
"""Milliseconds."""
_FIRST_PAINT: Final = """() => new Promise((tell) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (paint) tell(paint.startTime);
}).observe({ type: "paint", buffered: true }))"""


def run(options: Options) -> Iterator[Figure]:
    """Yield for each page its first paint in milliseconds, of 95 in 100, with what is kept from earlier pages."""
    with ExitStack() as stack:
        folder = stack.enter_context(folder_of(options))
        port = stack.enter_context(served_alone(folder))
        desk = stack.enter_context(open_desk(Settings(data_dir=folder)))
        ensure_schema(desk, upgrade=True)
        with psycopg.connect(desk.admin.dsn, autocommit=True) as admin:
            fill(admin, options.tickets)
            readers = readers_of(desk, admin)
        chromium = os.environ.get("DESKBELL_TEST_CHROMIUM") or shutil.which("chromium")
        driver = stack.enter_context(sync_playwright())
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        stack.callback(browser.close)
        for reader in readers:
            context = browser.new_context(base_url=f"http://127.0.0.1:{port}", locale="en-GB")
            cookie = {"name": COOKIE, "value": log_in(desk, reader.user_id), "url": f"http://127.0.0.1:{port}"}
            context.add_cookies([cookie])  # type: ignore[list-item]
            page = context.new_page()
            for address in reader.pages:
                if not address.startswith("/workspace/"):  # parts of pages
                    yield _painted(page, address)
            context.close()


def _painted(page: Page, address: str) -> Figure:
    times = []
    for _ in range(TIMES):
        page.goto(address, wait_until="commit")
        times.append(float(page.evaluate(_FIRST_PAINT)))
    times = sorted(times[2:])  # what the pages share is kept after the first
    details = {"p50": statistics.median(times)}
    return Figure(f"first paint {address}", times[int(len(times) * 0.95)], "ms", at_most=LIMIT, details=details)
