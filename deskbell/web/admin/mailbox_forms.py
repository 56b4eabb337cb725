"""The form about a mailbox: its fields, how they are read, and how a mailbox fills them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, Field

from deskbell.kernel.errors import InvalidError
from deskbell.mail.mailboxes.actions import Wanted
from deskbell.mail.mailboxes.models import SECRETS, ClosedReply, LogIn, Mailbox, Security
from deskbell.mail.mailboxes.rules import FACTS, FIELDS
from deskbell.tickets.models import TicketPriority
from deskbell.web.admin.listing import whole
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked
from deskbell.web.schemas.base import Text

Line = Annotated[Text, Field(max_length=1000)]
Long = Annotated[Text, Field(max_length=40_000)]
FORM_FIELDS: Final = FIELDS
SECURITIES: Final = {
    Security.TLS: marked("TLS from the first byte on"),
    Security.STARTTLS: marked("STARTTLS"),
    Security.NONE: marked("Not encrypted"),
}
LOG_INS: Final = {LogIn.PASSWORD: marked("With a password"), LogIn.OAUTH2: marked("With OAuth 2 (a bearer token)")}
CLOSED_REPLIES: Final = {
    ClosedReply.REOPEN: marked("Opens the ticket again"),
    ClosedReply.FOLLOW_UP: marked("Opens a follow-up ticket"),
}
_FLAGS: Final = ("acknowledges", "is_plus")


class MailboxForm(BaseModel):
    """The fields of the form. Of a secret an empty field says that it stays; `forget` names those to be removed."""

    name: Line = ""
    address: Line = ""
    team_id: Line = ""
    tags: Line = ""
    priority: Line = TicketPriority.MEDIUM.value
    signature: Long = ""
    acknowledges: bool = False
    closed_reply: Line = ClosedReply.REOPEN.value
    is_plus: bool = False
    authority: Long = ""
    login: Line = LogIn.PASSWORD.value
    oauth_token_url: Line = ""
    oauth_client_id: Line = ""
    oauth_scope: Line = ""
    imap_host: Line = ""
    imap_port: Line = ""
    imap_security: Line = Security.TLS.value
    imap_user: Line = ""
    imap_folders: Long = ""
    smtp_host: Line = ""
    smtp_port: Line = ""
    smtp_security: Line = Security.STARTTLS.value
    smtp_user: Line = ""
    dkim_domain: Line = ""
    dkim_selector: Line = ""
    rate: Line = ""
    imap_password: Long = ""
    smtp_password: Long = ""
    oauth_secret: Long = ""
    oauth_refresh: Long = ""
    dkim_key: Long = ""
    forget: list[str] = Field(default_factory=list)

    @classmethod
    def empty(cls) -> Self:
        """Return the form for a new mailbox."""
        return cls(acknowledges=True, is_plus=True, imap_folders="INBOX")

    @classmethod
    def of(cls, mailbox: Mailbox, tags: Sequence[str]) -> Self:
        """Fill the form with what a mailbox is; secrets stay empty."""
        known = {name: getattr(mailbox, name) for name in FACTS}
        written = {
            name: value if name in _FLAGS else "" if value is None else str(value) for name, value in known.items()
        }
        return cls(**{**written, "imap_folders": "\n".join(mailbox.imap_folders), "tags": ", ".join(tags)})

    def wanted(self) -> Wanted:
        """Return what was asked for. Raises InvalidError for a team that is none."""
        facts: dict[str, Any] = {name: getattr(self, name) for name in FACTS}
        facts["team_id"] = self._team()
        facts["imap_folders"] = self.imap_folders.splitlines()
        secrets = {name: None if name in self.forget else getattr(self, name) for name in SECRETS}
        secrets |= {name: typed for name in SECRETS if (typed := getattr(self, name))}
        return Wanted(facts, secrets, [name.strip() for name in self.tags.split(",") if name.strip()])

    def shown(self) -> dict[str, Any]:
        """Return what goes back into the form: all but the secrets."""
        return self.model_dump(exclude=set(SECRETS)) | dict.fromkeys(SECRETS, "")

    def _team(self) -> int | None:
        number = whole(self.team_id)
        if self.team_id and number is None:
            raise InvalidError(_("Choose a team from the list."), field="team_id")
        return number


def offers() -> dict[str, Any]:
    """Return what the fields of the form offer."""
    return {
        "securities": _named(SECURITIES),
        "log_ins": _named(LOG_INS),
        "closed_replies": _named(CLOSED_REPLIES),
    }


def _named(kinds: dict[Any, str]) -> list[dict[str, str]]:
    return [{"value": kind.value, "label": _(name)} for kind, name in kinds.items()]
