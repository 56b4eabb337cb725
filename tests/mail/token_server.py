"""A server of OAuth 2 tokens for tests: gives them for a refresh token, and tells Dovecot whose they are."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass
class TokenServer:
    """It gives a token for the right refresh token.

    `asked` is what it was asked with, `refuses` what it answers instead; when it `rotates`, the refresh token is
    another one each time.
    """

    email: str = "help@example.test"
    lifetime: int = 3600
    refuses: dict[str, str] | None = None
    rotates: bool = False
    refresh: str = "refresh-0"
    asked: list[dict[str, str]] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    def answer(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append(form)
        if self.refuses:
            return 400, self.refuses
        if form.get("refresh_token") != self.refresh:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        given: dict[str, Any] = {"access_token": f"access-{len(self.asked)}", "expires_in": self.lifetime}
        if self.rotates:
            self.refresh = given["refresh_token"] = f"refresh-{len(self.asked)}"
        return 200, given

    def introspect(self, bearer: str) -> dict[str, Any]:
        is_good = bearer.startswith("access-") and bearer not in self.revoked
        return {"active": "true" if is_good else "false", "email": self.email}


@contextmanager
def token_server(**what: Any) -> Iterator[TokenServer]:
    tokens = TokenServer(**what)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(*tokens.answer({name: values[0] for name, values in parse_qs(text).items()}))

        def do_GET(self) -> None:
            self._answer(200, tokens.introspect(self.headers.get("Authorization", "").removeprefix("Bearer ")))

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        tokens.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield tokens
        finally:
            server.shutdown()
            thread.join()
