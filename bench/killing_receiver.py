"""The server that takes a desk's mail while the desk is being killed: it counts how often each message came."""

import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>\s]+>)", re.MULTILINE | re.IGNORECASE)


@dataclass
class Receiver:
    """Takes everything, a little slowly, so that its 250 often comes to somebody who is dead."""

    port: int = 0
    came: Counter[str] = field(default_factory=Counter)
    """Message-ID → how often it was taken."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Take a message, for good: from here on it was delivered."""
        found = _MESSAGE_ID.search(envelope.original_content or b"")
        with self._lock:
            self.came[found[1].decode() if found else "none"] += 1
        time.sleep(random.random() * 0.02)  # noqa: ASYNC251 - one message after the other
        return "250 Taken"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Take mail on a free port of this machine while the block runs."""
    receiver = Receiver()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        receiver.port = listener.getsockname()[1]
    controller = Controller(receiver, hostname="127.0.0.1", port=receiver.port)
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()
