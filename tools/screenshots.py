"""Take the pictures that README and docs show, of a new desk with its demo: `python -m tools.screenshots`."""

import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from tests.web.running import deskbell, serving

FOLDER: Final = Path("docs/images")
PICTURES: Final = {
    "tickets": "/tickets",
    "ticket": "/tickets/DB-1011",
    "reports": "/reports?period=30d",
    "administration": "/admin/system",
}
"""Name of the picture → what it shows."""
OF_MAIL: Final = {
    "mailboxes": "/admin/mailboxes",
    "incoming-mail": "/admin/mail",
}
"""The same, once there is mail."""
SIZE: Final = (1440, 900)
MAILBOXES: Final = {"support@acme.example": "Acme Support", "returns@acme.example": "Acme Returns"}
MAIL: Final = ("reply_with_quote", "out_of_office", "bounce_standard", "outlook_html_only", "forwarded", "inline_image")
"""Samples that come to the first of them, oldest first; then this, from somebody who takes no part in that ticket."""
STRANGER: Final = """\
From: Bo Lind <bo@harbour.example>
To: support@acme.example
Subject: Re: [DB-1011] Charged twice for the November invoice

The same has happened to us.
"""
SAMPLES: Final = Path("tests/mail/samples")


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
        _fill(Path(folder))
        for name, address in OF_MAIL.items():
            _take(page, name, address)
        browser.close()
        site.process.send_signal(signal.SIGINT)
        site.process.wait(timeout=60)


def _fill(folder: Path) -> None:
    """Give the desk mailboxes, and mail of several kinds."""
    first, *_ = MAILBOXES
    for address, name in MAILBOXES.items():
        deskbell(folder, "mailbox", "add", address, "--set", f"name={name}")
    last = folder / "stranger.eml"
    last.write_text(STRANGER, encoding="utf-8")
    for sample in (*(SAMPLES / f"{name}.eml" for name in MAIL), last):
        deskbell(folder, "mail", "receive", str(sample), "--to", first, "--file-now")


def _take(page: Page, name: str, address: str) -> None:
    page.goto(address, wait_until="load")
    page.wait_for_timeout(1500)  # the stream of changes never ends, so the network is never idle
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
