"""Doors: where mail servers deliver to the desk, as addresses like `lmtp://127.0.0.1:2424` and `lmtp+unix:///run/mail`."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import PurePosixPath
from typing import Final, Literal
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
Language = Literal["smtp", "lmtp"]
_LANGUAGES: Final[dict[str, Language]] = {"smtp": "smtp", "lmtp": "lmtp"}
_UNIX: Final = "+unix"
_LONGEST_PATH: Final = 107  # bytes of sun_path, unix(7)


@dataclass(frozen=True, slots=True)
class Door:
    """One address to listen at: a host and a port, or the path of a socket. RFC 5321 is spoken there, or RFC 2033."""

    language: Language
    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        """Write it as it is configured."""
        if self.path:
            return f"{self.language}{_UNIX}://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.language}://{host}:{self.port}"


def doors_in(text: str) -> tuple[Door, ...]:
    """Read addresses between spaces. Raises ValueError for what is none."""
    return tuple(_door(address) for address in text.split())


def networks_in(text: str) -> tuple[Network, ...]:
    """Read networks and addresses between spaces, such as `192.0.2.0/24 2001:db8::1`. Raises ValueError."""
    return tuple(ip_network(each) for each in text.split())


def _door(address: str) -> Door:
    parts = urlsplit(address)
    language = _LANGUAGES.get(parts.scheme.removesuffix(_UNIX))
    if language is None or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError(address)
    if parts.scheme.endswith(_UNIX):
        if parts.netloc or not PurePosixPath(parts.path).name or len(parts.path.encode()) > _LONGEST_PATH:
            raise ValueError(address)
        return Door(language, path=parts.path)
    if not parts.hostname or parts.port is None or parts.path not in {"", "/"}:
        raise ValueError(address)
    return Door(language, parts.hostname, parts.port)
