"""Take the pictures that README and docs show, of a new desk with its demo: `python -m tools.screenshots`."""

import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.web.running import serving

FOLDER: Final = Path("docs/images")
PICTURES: Final = {
    "tickets": "/tickets",
    "ticket": "/tickets/DB-1011",
    "reports": "/reports?period=30d",
    "administration": "/admin/system",
}
"""Name of the picture → what it shows."""
SIZE: Final = (1440, 900)


def main() -> None:
    """Start a desk, look at its pages, and stop it."""
    chromium = os.environ.get("DESKBELL_TEST_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as site, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(base_url=site.url, locale="en-GB", viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto("/login")
        page.get_by_label("E-mail address").fill(site.email)
        page.get_by_label("Password").fill(site.password)
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url("**/tickets**")
        for name, address in PICTURES.items():
            _take(page, name, address)
        browser.close()
        site.process.send_signal(signal.SIGINT)
        site.process.wait(timeout=60)


def _take(page: Page, name: str, address: str) -> None:
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1500)  # the stream of changes never ends, so the network is never idle
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
