"""The real thing: `deskbell serve` on an empty data directory, and a real Chromium."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState, expect, sync_playwright

from deskbell.kernel.address import Address
from deskbell.testing.servers import clone, environment
from tests.web.running import Site, serving

expect.set_options(timeout=60_000)  # milliseconds: nothing here depends on how quick the machine is

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

expect.set_options(timeout=30_000)  # milliseconds: a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, the one that `make test` found or installed.

    Not for the whole session: Playwright's event loop runs as long as this, and asynchronous tests need theirs.
    """
    path = os.environ.get("DESKBELL_TEST_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("no Chromium: install it, or name it in DESKBELL_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try again where a test failed, as Chromium itself may stumble; the summary says how often that was needed."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The data directory of the test file's own desk."""
    with tempfile.TemporaryDirectory(prefix="deskbell-site-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def own_settings(server: Address, folder: Path) -> Iterator[dict[str, str]]:
    """The settings of a desk of the test file's own, on a new database: sooner there than a server of its own."""
    with clone(server, f"site_{os.getpid()}") as address:
        yield environment(address, folder)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A desk that was just started for the first time, demo and all; stopped as Ctrl-C does."""
    with tempfile.TemporaryDirectory(prefix="deskbell-site-") as folder, serving(Path(folder)) as site:
        yield site
        site.process.send_signal(signal.SIGINT)
        assert site.process.wait(timeout=60) == 0
        assert not (Path(folder) / "postgres" / "postmaster.pid").exists()


@pytest.fixture(scope="module")
def logged_in(browser: Browser, site: Site) -> StorageState:
    """What the browser of an administrator keeps."""
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("E-mail address").fill(site.email)
    page.get_by_label("Password").fill(site.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/tickets")
    kept = context.storage_state()
    context.close()
    return kept
