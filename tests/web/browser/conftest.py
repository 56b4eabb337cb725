"""The real thing: `deskbell serve` on an empty data directory, and a real Chromium."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Site:
    """A running desk and how its administrator logs in."""

    url: str
    email: str
    password: str


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium, the one that `make test` found or installed."""
    path = os.environ.get("DESKBELL_TEST_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("no Chromium: install it, or name it in DESKBELL_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A desk that was just started for the first time, demo and all; stopped as Ctrl-C does."""
    with tempfile.TemporaryDirectory(prefix="deskbell-site-") as folder:
        environment = {**os.environ, "DESKBELL_DATA_DIR": folder, "PYTHONUNBUFFERED": "1"}
        command = [str(Path(sys.executable).with_name("deskbell")), "serve", "--port", "0"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as server:
            assert server.stdout
            said = ""
            for line in server.stdout:
                said += line
                if "ready" in line:
                    break
            url, password = re.search(r"http://\S+:\d+", said), re.search(r"^\s+password\s+(\S+)$", said, re.MULTILINE)
            assert url, said
            assert password, said
            yield Site(url[0], "admin@deskbell.localhost", password[1])
            server.send_signal(signal.SIGINT)
            assert server.wait(timeout=30) == 0
            assert not (Path(folder) / "postgres" / "postmaster.pid").exists()
