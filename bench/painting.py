"""When people see something: the first paint of each page in Chromium, from the click on."""

import os
import shutil
import statistics
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from bench.figures import Figure
from bench.pages import log_in, served_to_readers
from bench.reading import Options
from deskbell.web.csrf import COOKIE

TIMES: Final = 12
LIMIT: Final = 400
"""Milliseconds."""
_FLAGS: Final = ("--no-sandbox",)
_FIRST_PAINT: Final = """() => new Promise((tell) => new PerformanceObserver((list) => {
  const paint = list.getEntriesByName("first-contentful-paint")[0];
  if (paint) tell(paint.startTime);
}).observe({ type: "paint", buffered: true }))"""


def run(options: Options) -> Iterator[Figure]:
    """Yield for each page its first paint in milliseconds, of 95 in 100, with what is kept from earlier pages."""
    with served_to_readers(options) as (port, desk, readers), _browser() as browser:
        for reader in readers:
            context = browser.new_context(base_url=f"http://127.0.0.1:{port}", locale="en-GB")
            cookie = {"name": COOKIE, "value": log_in(desk, reader.user_id), "url": f"http://127.0.0.1:{port}"}
            context.add_cookies([cookie])  # type: ignore[list-item]
            page = context.new_page()
            for address in reader.pages:
                if not address.startswith("/workspace/"):  # parts of pages
                    yield _painted(page, address)
            context.close()


@contextmanager
def _browser() -> Iterator[Browser]:
    chromium = os.environ.get("DESKBELL_TEST_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver, closing(driver.chromium.launch(executable_path=chromium, args=_FLAGS)) as browser:
        yield browser


def _painted(page: Page, address: str) -> Figure:
    times = []
    for _ in range(TIMES):
        page.goto(address, wait_until="commit")
        times.append(float(page.evaluate(_FIRST_PAINT)))
    times = sorted(times[2:])  # what the pages share is kept after the first
    details = {"p50": statistics.median(times)}
    return Figure(f"first paint {address}", times[int(len(times) * 0.95)], "ms", at_most=LIMIT, details=details)
