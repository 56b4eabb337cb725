"""Take the pictures that README and docs show, of a new desk with its demo: `python -m tools.screenshots`."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

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
    with tempfile.TemporaryDirectory() as folder, _desk(Path(folder)) as (url, password), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(base_url=url, locale="en-GB", viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto("/login")
        page.get_by_label("E-mail address").fill("admin@deskbell.localhost")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in", exact=True).click()
        page.wait_for_url("**/tickets**")
        for name, address in PICTURES.items():
            _take(page, name, address)
        browser.close()


def _take(page: Page, name: str, address: str) -> None:
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1500)  # the stream of changes never ends, so the network is never idle
    page.screenshot(path=FOLDER / f"{name}.png")


@contextmanager
def _desk(folder: Path) -> Iterator[tuple[str, str]]:
    command = [str(Path(sys.executable).with_name("deskbell")), "serve", "--port", "0"]
    environment = {**os.environ, "DESKBELL_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout  # noqa: S101 - asked for above
        said = ""
        for line in process.stdout:
            said += line
            if "ready" in line:
                break
        url, password = re.search(r"http://\S+:\d+", said), re.search(r"^\s+password\s+(\S+)$", said, re.MULTILINE)
        assert url and password, said  # noqa: PT018, S101 - of a desk that is new
        yield url[0], password[1]
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


if __name__ == "__main__":
    main()
