"""What can go wrong with a mail server: where, and in whose words."""

from enum import StrEnum

from deskbell.kernel.errors import UnavailableError


class Stage(StrEnum):
    """How far somebody came with a server."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    TOKEN = "token"  # noqa: S105 - a step, no secret
    LOG_IN = "log_in"
    CAPABILITIES = "capabilities"
    FOLDER = "folder"
    FETCH = "fetch"
    SENDER = "sender"


class MailServerError(UnavailableError):
    """A mail server does not do what it is asked for."""

    code = "mail_server"

    def __init__(self, message: str, stage: Stage) -> None:
        """`message` says it with the server's own words, `stage` where it happened."""
        super().__init__(message, stage=stage.value)
        self.stage = stage


class RefusedError(MailServerError):
    """The server said no; the connection stands."""

    code = "mail_server_refused"


class LostError(MailServerError):
    """There is no connection to the server, or none any more."""

    code = "mail_server_lost"


class RenumberedError(UnavailableError):
    """The server numbers the folder anew: begin again."""

    code = "folder_renumbered"
