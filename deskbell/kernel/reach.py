"""How the desk reaches people and they reach it: the address of its pages, its mail server, the key of its links.

Plain values, made from the settings by whoever opens a desk.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

SmtpTls = Literal["starttls", "tls", "none"]
"""`starttls`: encrypt after the greeting, or not send at all; `tls`: from the first byte on; `none`: never."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. Without a user nobody logs in."""

    host: str
    port: int
    tls: SmtpTls = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    timeout: float = 30
    """Seconds to wait for each answer."""
    authority: str = field(default="", repr=False)
    """Certificates (PEM) that are trusted beside the system's."""


@dataclass(frozen=True, slots=True)
class Reach:
    """As a test finds it: nobody is told anything, and nothing is sent.

    `tells_requesters` is whether requesters hear by mail what becomes of their requests, `tells_desk` whether agents
    hear of what is new. `attach_bytes` is how much of an answer's files goes along with it, `quotes` whether what was
    written before stands beneath. `link_generation` goes into each signed link: raised, it makes all earlier links
    worthless. `domains` are those that may register; empty: all.
    """

    site_url: str = "http://127.0.0.1:8000"
    tells_requesters: bool = False
    tells_desk: bool = False
    attach_bytes: int = 10 * 1024 * 1024
    quotes: bool = True
    server: SmtpServer | None = None
    sender: str = "Deskbell <deskbell@localhost>"
    reply_to: str = ""
    registration: bool = True
    domains: tuple[str, ...] = ()
    link_lifetime: timedelta = timedelta(days=30)
    link_generation: int = 1
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """The master key, of which links are signed with a key derived."""
