"""Mail servers and programs that deliver to a desk which is being killed: they try until they are told it is taken.

Trying again, half of them send the same bytes, and half put another Received field on top, as a server does that went
another way. Some hang up before they hear the answer.
"""

import contextlib
import http.client
import random
import smtplib
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 20
"""Seconds that a sender waits for an answer."""
REPLIES = 3
"""Answers that a conversation has at most."""
PROGRAM = str(Path(sys.executable).with_name("deskbell"))


@dataclass(frozen=True, slots=True)
class Places:
    """Where a desk takes mail. `environment` is that of the command for pipes."""

    http: int
    lmtp: int
    smtp: int
    token: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """One message; `mark` is a word of its text that no other message has."""

    mark: str
    sender: str
    raw: bytes


@dataclass
class Sender:
    """One of those who deliver, in a thread of its own. `tries` counts the attempts, `taken` holds what was taken."""

    name: str
    deliver: "Callable[[Places, Letter, bytes, random.Random], bool]"
    places: Places
    chance: random.Random
    stop: threading.Event
    pause: float
    """Seconds between two letters, at most."""
    taken: list[Letter] = field(default_factory=list)
    tries: int = 0
    _threads: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Write and deliver letters until told to stop; the last one is delivered too."""
        number = 0
        while not self.stop.wait(self.chance.random() * self.pause):
            number += 1
            letter = self._letter(number)
            self._insist(letter)
            self.taken.append(letter)

    def _letter(self, number: int) -> Letter:
        mark = f"mark-{self.name}-{number}"
        before = self.taken[-1] if self.taken and self.chance.random() < 0.4 else None  # noqa: PLR2004 - a share
        sender = before.sender if before else f"{self.name}-{number}@customers.example.test"
        if before and self._threads.get(sender, 0) >= REPLIES:
            before, sender = None, f"{self.name}-{number}@customers.example.test"
        self._threads[sender] = self._threads.get(sender, 0) + 1
        headers = [f"From: {sender}", "To: help@example.test", f"Message-ID: <{mark}@customers.example.test>"]
        if before:
            headers += [f"In-Reply-To: <{before.mark}@customers.example.test>"]
        padding = "More words, as people write them.\r\n" * self.chance.choice((1, 1, 10, 3000))
        text = "\r\n".join([*headers, f"Subject: {'Re: ' * bool(before)}About {sender}", "", f"{mark}.", "", padding])
        return Letter(mark, sender, text.encode())

    def _insist(self, letter: Letter) -> None:
        raw = letter.raw
        while True:
            self.tries += 1
            with contextlib.suppress(OSError, smtplib.SMTPException, http.client.HTTPException):
                if self.deliver(self.places, letter, raw, self.chance):
                    return
            if self.chance.random() < 0.5:  # noqa: PLR2004 - one half
                hop = f"Received: from hop{self.tries}.example.test by mx.example.test; Mon, 23 Nov 2026 09:00:00 +0000"
                raw = hop.encode() + b"\r\n" + letter.raw
            threading.Event().wait(0.05 + self.chance.random() * 0.2)


def by_lmtp(places: Places, letter: Letter, raw: bytes, chance: random.Random) -> bool:
    """Deliver by LMTP."""
    with smtplib.LMTP("127.0.0.1", places.lmtp, timeout=PATIENCE) as client:
        return _dialogue(client, letter, raw, chance)


def by_smtp(places: Places, letter: Letter, raw: bytes, chance: random.Random) -> bool:
    """Deliver by SMTP."""
    with smtplib.SMTP("127.0.0.1", places.smtp, timeout=PATIENCE) as client:
        return _dialogue(client, letter, raw, chance)


def _dialogue(client: smtplib.SMTP, letter: Letter, raw: bytes, chance: random.Random) -> bool:
    client.ehlo_or_helo_if_needed()
    if client.mail(letter.sender)[0] != 250 or client.rcpt("help@example.test")[0] != 250:  # noqa: PLR2004 - SMTP's
        return False
    if chance.random() < 0.1:  # noqa: PLR2004 - a share
        client.docmd("DATA")
        client.send(raw + b"\r\n.\r\n" if chance.random() < 0.7 else raw[: len(raw) // 2])  # noqa: PLR2004 - a share
        client.close()
        return False
    return client.data(raw)[0] == 250  # noqa: PLR2004 - SMTP's


def by_http(places: Places, letter: Letter, raw: bytes, _chance: random.Random) -> bool:
    """Deliver by the API."""
    headers = {"Authorization": f"Bearer {places.token}", "Content-Type": "message/rfc822"}
    address = f"/api/v1/mail/inbound?envelope_from={letter.sender}&envelope_to=help@example.test"
    connection = http.client.HTTPConnection("127.0.0.1", places.http, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request("POST", address, raw, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == 202  # noqa: PLR2004 - HTTP's


def by_pipe(places: Places, letter: Letter, raw: bytes, chance: random.Random) -> bool:
    """Deliver to the command, which is killed itself now and then."""
    command = [PROGRAM, "mail", "receive", "--from", letter.sender, "--to", "help@example.test"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=places.environment, stdin=pipe, stderr=subprocess.DEVNULL) as process:
        assert process.stdin
        killer = threading.Timer(chance.random() * 2, process.kill) if chance.random() < 0.3 else None  # noqa: PLR2004 - a share
        if killer:
            killer.start()
        with contextlib.suppress(BrokenPipeError):
            process.communicate(raw.replace(b"\r\n", b"\n"))  # as a mail server writes it to a program
        if killer:
            killer.cancel()
    return process.returncode == 0


WAYS: Mapping[str, Callable[[Places, Letter, bytes, random.Random], bool]] = {
    "lmtp": by_lmtp,
    "smtp": by_smtp,
    "http": by_http,
    "pipe": by_pipe,
}
