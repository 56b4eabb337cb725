"""What was answered with 2xx is kept, whatever happens to the server next."""

import os
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest

from tests.web.running import deskbell, serving

WRITERS = 4
ENOUGH = 40


def write_until_it_dies(url: str, token: str, kept: list[str], enough: Event) -> None:
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        try:
            while True:
                answer = client.post("/api/v1/tickets", json={"description": "Was this kept?"})
                assert answer.status_code == 201, answer.text
                kept.append(answer.json()["ticket_number"])
                if len(kept) >= ENOUGH:
                    enough.set()
        except httpx.TransportError:
            return


@pytest.mark.parametrize("victim", ["server", "database"])
def test_a_killed_process_loses_nothing_that_was_answered(victim: str) -> None:
    with tempfile.TemporaryDirectory(prefix="deskbell-site-") as name:
        folder, kept, enough = Path(name), list[str](), Event()
        with serving(folder) as site, ThreadPoolExecutor(WRITERS) as threads:
            made = deskbell(folder, "token", "create", site.email, "--name", "test", "--json")
            token = httpx.Response(200, text=made.stdout).json()["token"]
            writers = [threads.submit(write_until_it_dies, site.url, token, kept, enough) for _ in range(WRITERS)]
            assert enough.wait(timeout=60), [writer.exception(timeout=0) for writer in writers if writer.done()]
            if victim == "database":
                os.kill(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            site.process.kill()
            for writer in writers:
                if victim == "server":
                    writer.result(timeout=60)
                else:
                    writer.exception(timeout=60)  # between the two it may have been told 503
        with serving(folder) as site:
            headers = {"Authorization": f"Bearer {token}"}
            for number in kept:
                assert httpx.get(f"{site.url}/api/v1/tickets/{number}", headers=headers).status_code == 200, number
            site.process.send_signal(signal.SIGINT)
            assert site.process.wait(timeout=60) == 0
