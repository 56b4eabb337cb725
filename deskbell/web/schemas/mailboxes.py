"""Mailboxes: what holds for them, how fetching stands, and what a test of their connections found.

Secrets come in and never go out: `kept` names those that there are.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field

from deskbell.mail.mailboxes.actions import Wanted
from deskbell.mail.mailboxes.models import SECRETS, ClosedReply, LogIn, Mailbox, MailboxFolder, Security
from deskbell.mail.mailboxes.rules import FACTS, LONGEST_SECRET, LONGEST_TEXT, MOST_A_MINUTE, MOST_FOLDERS
from deskbell.mail.mailboxes.standing import Standing
from deskbell.mail.sources.checking import Step
from deskbell.mail.sources.errors import Stage
from deskbell.tickets.models import TicketPriority
from deskbell.web.schemas.base import EXAMPLE_TIME, Flag, Id, Input, Output, Str100, Str255, Text, absent

MOST_TAGS = 100
Long = Annotated[Text, Field(max_length=LONGEST_TEXT)]
Port = Annotated[int, Field(strict=True, ge=1, le=65_535)]
Rate = Annotated[int, Field(strict=True, ge=1, le=MOST_A_MINUTE)]
Secret = Annotated[str, Field(max_length=LONGEST_SECRET)]
_SECRET = "Never shown again. Left out or empty it stays as it is, null removes it."  # noqa: S105 - a description


class StandingOut(Output):
    """How fetching stands."""

    model_config = ConfigDict(from_attributes=True)

    code: Literal["off", "delivered", "waiting", "fine", "failing"] = Field(
        description="`off`: deactivated. `delivered`: nothing is fetched. `waiting`: nobody has looked yet.",
        examples=["failing"],
    )
    problem: str = Field(description="What goes wrong.", examples=["imap.example.org does not let support in."])
    since: datetime | None = Field(examples=[EXAMPLE_TIME])
    checked_at: datetime | None = Field(description="When a folder was last looked into.", examples=[EXAMPLE_TIME])
    missing: int = Field(description="Messages on the server that are not in the ledger.", examples=[0])


class MailboxOut(Output):
    """A mailbox, without its secrets."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[1])
    name: str = Field(description="Stands before the address in answers.", examples=["Acme Support"])
    address: str = Field(examples=["support@example.org"])
    is_active: bool = Field(description="Whether mail is fetched and sent by it.")
    team_id: int | None = Field(description="Who gets its new tickets.", examples=[5])
    tags: list[str] = Field(description="What its new tickets bear.", examples=[["cards"]])
    priority: TicketPriority = Field(examples=["medium"])
    signature: str = Field(description="Stands below each answer.", examples=["Acme Support"])
    acknowledges: bool = Field(description="Whether people are told that their request has come in.")
    closed_reply: ClosedReply = Field(description="What a reply to a closed ticket does.", examples=["reopen"])
    is_plus: bool = Field(description="Whether its server delivers `name+anything@` as well.")
    authority: str = Field(description="Certificates in PEM that are trusted beside the system's.", examples=[""])
    login: LogIn = Field(examples=["password"])
    oauth_token_url: str = Field(examples=[""])
    oauth_client_id: str = Field(examples=[""])
    oauth_scope: str = Field(examples=[""])
    imap_host: str = Field(description="Empty: its mail is delivered to the desk.", examples=["imap.example.org"])
    imap_port: int | None = Field(description="Null: the usual one.", examples=[993])
    imap_security: Security = Field(examples=["tls"])
    imap_user: str = Field(examples=["support"])
    imap_folders: list[str] = Field(description="What is fetched there.", examples=[["INBOX"]])
    smtp_host: str = Field(description="Empty: by the desk's own server.", examples=["smtp.example.org"])
    smtp_port: int | None = Field(description="Null: the usual one.", examples=[587])
    smtp_security: Security = Field(examples=["starttls"])
    smtp_user: str = Field(description="Empty: nobody logs in.", examples=["support"])
    dkim_domain: str = Field(examples=["example.org"])
    dkim_selector: str = Field(examples=["mail2026"])
    rate: int | None = Field(description="Messages that leave in a minute at most; null: no limit.", examples=[60])
    kept: list[str] = Field(description="The secrets that there are.", examples=[["imap_password"]])
    standing: StandingOut
    created_at: datetime = Field(examples=[EXAMPLE_TIME])
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, mailbox: Mailbox, tags: Sequence[str], standing: Standing) -> Self:
        """Present a mailbox."""
        plain = ("id", "is_active", *FACTS, "kept", "created_at", "updated_at")
        facts = {name: getattr(mailbox, name) for name in plain}
        return cls(**facts, tags=list(tags), standing=StandingOut.model_validate(standing))


class MailboxFacts(Input):
    """What can be chosen for a mailbox that is there or not; what is left out stays, or is as usual."""

    name: Str100 = Field(default_factory=absent, description="Empty: the address.", examples=["Acme Support"])
    address: Str255 = Field(default_factory=absent, examples=["support@example.org"])
    team_id: Id | None = Field(None, examples=[None])
    tags: Annotated[list[Str100], Field(max_length=MOST_TAGS)] = Field(
        default_factory=absent, description="New ones are made.", examples=[["cards"]]
    )
    priority: TicketPriority = Field(default_factory=absent)
    signature: Long = Field(default_factory=absent, examples=["Acme Support"])
    acknowledges: Flag = Field(default_factory=absent)
    closed_reply: ClosedReply = Field(default_factory=absent)
    is_plus: Flag = Field(default_factory=absent)
    authority: Long = Field(
        default_factory=absent, examples=[""], description="In PEM, it begins with -----BEGIN CERTIFICATE-----."
    )
    login: LogIn = Field(default_factory=absent)
    oauth_token_url: Str255 = Field(default_factory=absent, examples=[""])
    oauth_client_id: Str255 = Field(default_factory=absent, examples=[""])
    oauth_scope: Str255 = Field(default_factory=absent, examples=[""])
    imap_host: Str255 = Field(default_factory=absent, examples=["imap.example.org"])
    imap_port: Port | None = Field(None, description="Null: the usual one.")
    imap_security: Security = Field(default_factory=absent)
    imap_user: Str255 = Field(default_factory=absent, examples=["support"])
    imap_folders: Annotated[list[Str255], Field(max_length=MOST_FOLDERS)] = Field(
        default_factory=absent, examples=[["INBOX"]]
    )
    smtp_host: Str255 = Field(default_factory=absent, examples=["smtp.example.org"])
    smtp_port: Port | None = Field(None, description="Null: the usual one.")
    smtp_security: Security = Field(default_factory=absent)
    smtp_user: Str255 = Field(default_factory=absent, examples=["support"])
    dkim_domain: Str255 = Field(default_factory=absent, examples=[""])
    dkim_selector: Str100 = Field(default_factory=absent, examples=[""])
    rate: Rate | None = Field(None, description="Null: no limit.")
    imap_password: Secret | None = Field(None, description=_SECRET, examples=["correct horse battery"])
    smtp_password: Secret | None = Field(None, description=_SECRET, examples=[""])
    oauth_secret: Secret | None = Field(None, description=_SECRET, examples=[""])
    oauth_refresh: Secret | None = Field(None, description=_SECRET, examples=[""])
    dkim_key: Secret | None = Field(None, description=f"A private key in PEM. {_SECRET}", examples=[""])

    def wanted(self) -> Wanted:
        """Return what was asked for."""
        given = self.given()
        secrets = {name: given[name] for name in SECRETS if name in given}
        return Wanted({name: given[name] for name in FACTS if name in given}, secrets, given.get("tags"))


class MailboxIn(MailboxFacts):
    """A new mailbox."""

    address: Str255 = Field(examples=["support@example.org"])


class MailboxChange(MailboxFacts):
    """What changes about a mailbox; what is left out stays. With another server its password is wanted again."""

    is_active: Flag = Field(default_factory=absent, description="False: nothing is fetched or sent by it any more.")


class FolderOut(Output):
    """A folder of a mailbox on its server, and how fetching it stands."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[1])
    name: str = Field(examples=["INBOX"])
    problem: str = Field(description="What goes wrong; empty where all is well.", examples=[""])
    failing_since: datetime | None = Field(examples=[None])
    checked_at: datetime | None = Field(description="When it was last looked into.", examples=[EXAMPLE_TIME])
    compared_at: datetime | None = Field(description="When it was compared with the ledger.", examples=[EXAMPLE_TIME])
    on_server: int | None = Field(description="Messages in it then.", examples=[1042])
    missing: list[int] = Field(description="UIDs of those that are not in the ledger.", examples=[[4, 7]])

    @classmethod
    def of(cls, folder: MailboxFolder) -> Self:
        """Present a folder."""
        return cls.model_validate(folder)


class FoldersOut(Output):
    """The folders of a mailbox, by name."""

    items: list[FolderOut]


class ComparedOut(Output):
    """How many folders are compared with their server, in a moment."""

    count: int = Field(examples=[2])


class FilledOut(Output):
    """How many messages are fetched that were missing, in a moment."""

    count: int = Field(examples=[2])


class StepOut(Output):
    """One step of a test. After one that fails there are none that need it."""

    model_config = ConfigDict(from_attributes=True)

    service: Literal["imap", "smtp"]
    stage: Stage = Field(examples=["log_in"])
    about: str = Field(description="Which folder, where it is about one.", examples=[""])
    is_ok: bool
    words: str = Field(description="What was found; of a failure the server's words.", examples=["support is let in."])


class TestedOut(Output):
    """What a test of a mailbox's connections found. Without servers there are no steps."""

    __test__ = False
    is_ok: bool = Field(description="Whether all of it works.")
    steps: list[StepOut]

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Self:
        """Present the steps of a test."""
        return cls(is_ok=all(step.is_ok for step in steps), steps=[StepOut.model_validate(step) for step in steps])
