"""What our messages say: for each kind a letter in the language of `wording`, which administrators may replace.

Beside it stands what letters are made of, and which names a kind knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from deskbell.kernel.languages import gettext, marked
from deskbell.mail.outbound.models import OutboundKind

SUBJECT_LENGTH: Final = 200

BLOCKS: Final = frozenset({"files", "link", "message", "quote", "reason", "signature"})
"""Names that stand for whole paragraphs: not for subjects."""
_ALWAYS: Final = frozenset({"site", "link", "recipient.name"})
_ABOUT_TICKET: Final = _ALWAYS | {
    "agent.name",
    "author.name",
    "can_reply",
    "message",
    "requester.name",
    "ticket.number",
    "ticket.title",
}
_TO_CUSTOMERS: Final = _ABOUT_TICKET | {"files", "quote", "signature", "time"}


@dataclass(frozen=True, slots=True)
class Quote:
    """What was written before: by whom, when (a time of the recipient's), what."""

    author: str
    at: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """What letters are made of. `seconds` is how long the link is good.

    `words` is what a person wrote, `words_html` the same as sanitised HTML, empty where there is none. `files` are
    lines about those that do not go along, `reason` lines that say why something did not arrive. `can_reply` says that
    an answer to the mail reaches the ticket.
    """

    link: str
    site: str
    seconds: int = 0
    number: str = ""
    title: str = ""
    requester: str = ""
    agent: str = ""
    author: str = ""
    recipient: str = ""
    words: str = field(default="", repr=False)
    words_html: str = field(default="", repr=False)
    signature: str = ""
    quote: Quote | None = None
    files: tuple[str, ...] = ()
    reason: tuple[str, ...] = ()
    can_reply: bool = False


@dataclass(frozen=True, slots=True)
class Original:
    """A letter as we wrote it, by paragraphs; one may be there only if a name stands for something.

    `button` is what the link's button says, `needed` the name that no letter may leave out.
    """

    subject: str
    body: tuple[str | tuple[str, str], ...]
    button: str
    names: frozenset[str]
    needed: str


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of a letter: templates of its subject and, in Markdown, its body."""

    subject: str
    body: str


def original_of(kind: OutboundKind) -> Wording:
    """Return our letter of a kind, in the language that is spoken just now."""
    original = ORIGINALS[kind]
    return Wording(gettext(original.subject), "\n\n".join(map(_said, original.body)))


def _said(paragraph: str | tuple[str, str]) -> str:
    if isinstance(paragraph, tuple):
        condition, text = paragraph
        return f"{{% if {condition} %}}{gettext(text)}{{% endif %}}"
    return paragraph if paragraph.startswith("{{") and paragraph.endswith("}}") else gettext(paragraph)


_NUMBERED: Final = "[{{ ticket.number }}] {{ ticket.title }}"
_ONCE: Final = marked("The link works once, for {{ time }}.")
_PRIVATE: Final = (
    "link",
    marked("The link opens this request without logging in: do not pass this mail on. It works for {{ time }}."),
)
_ANSWERABLE: Final = ("can_reply", marked("You can answer this mail."))
_TO_REQUESTER: Final = ("can_reply", marked("What you answer to this mail goes to the requester."))
_SEE_TICKET: Final = marked("See the ticket")
_LETTERS_IN: Final = _ALWAYS | {"time"}

ORIGINALS: Final[Mapping[OutboundKind, Original]] = {
    OutboundKind.CONFIRM: Original(
        marked("Confirm your e-mail address"),
        (
            marked("Somebody, probably you, wants to register at {{ site }} with this address."),
            "{{ link }}",
            _ONCE,
            marked("If it was not you, do nothing: no account is made."),
        ),
        marked("Confirm and choose a password"),
        _LETTERS_IN,
        "link",
    ),
    OutboundKind.KNOWN: Original(
        marked("You have an account already"),
        (
            marked("Somebody, probably you, wants to register at {{ site }}. You have an account there already."),
            "{{ link }}",
            _ONCE,
            marked("If you know your password, or it was not you, do nothing."),
        ),
        marked("Choose a new password"),
        _LETTERS_IN,
        "link",
    ),
    OutboundKind.RESET: Original(
        marked("Choose a new password"),
        (
            marked("Somebody, probably you, asked for a new password at {{ site }}."),
            "{{ link }}",
            _ONCE,
            marked("If it was not you, do nothing: your password stays as it is."),
        ),
        marked("Choose a new password"),
        _LETTERS_IN,
        "link",
    ),
    OutboundKind.LOG_IN: Original(
        marked("Your link to log in"),
        (
            marked("Somebody, probably you, asked for a link to log in at {{ site }}."),
            "{{ link }}",
            _ONCE,
            marked("If it was not you, do nothing: nobody gets in without this link."),
        ),
        marked("Log in"),
        _LETTERS_IN,
        "link",
    ),
    OutboundKind.RECEIVED: Original(
        _NUMBERED,
        (
            marked(
                "We have received your request. Its number is {{ ticket.number }}. We will answer as soon as we can."
            ),
            "{{ message }}",
            "{{ link }}",
            _ANSWERABLE,
            _PRIVATE,
        ),
        marked("See your request"),
        _TO_CUSTOMERS - {"files", "quote"},
        "",
    ),
    OutboundKind.ANSWERED: Original(
        _NUMBERED,
        (
            marked("{{ author.name }} has answered your request {{ ticket.number }}:"),
            "{{ message }}",
            "{{ signature }}",
            "{{ files }}",
            "{{ link }}",
            _ANSWERABLE,
            _PRIVATE,
            "{{ quote }}",
        ),
        marked("See your request and answer"),
        _TO_CUSTOMERS,
        "message",
    ),
    OutboundKind.OPENED: Original(
        _NUMBERED,
        (
            marked("{{ author.name }} has opened {{ ticket.number }}:"),
            "{{ message }}",
            "{{ link }}",
            _TO_REQUESTER,
        ),
        _SEE_TICKET,
        _ABOUT_TICKET,
        "",
    ),
    OutboundKind.REPLIED: Original(
        _NUMBERED,
        (
            marked("{{ author.name }} has written in {{ ticket.number }}:"),
            "{{ message }}",
            "{{ files }}",
            "{{ link }}",
            _TO_REQUESTER,
        ),
        _SEE_TICKET,
        _ABOUT_TICKET | {"files"},
        "",
    ),
    OutboundKind.ASSIGNED: Original(
        _NUMBERED,
        (
            marked("{{ ticket.number }} was given to you. {{ requester.name }} wrote:"),
            "{{ message }}",
            "{{ link }}",
            _TO_REQUESTER,
        ),
        _SEE_TICKET,
        _ABOUT_TICKET,
        "",
    ),
    OutboundKind.MENTIONED: Original(
        _NUMBERED,
        (
            marked("{{ author.name }} mentions you in {{ ticket.number }}:"),
            "{{ message }}",
            "{{ files }}",
            "{{ link }}",
            _TO_REQUESTER,
        ),
        _SEE_TICKET,
        _ABOUT_TICKET | {"files"},
        "",
    ),
    OutboundKind.UNDELIVERED: Original(
        marked("Not delivered: [{{ ticket.number }}] {{ ticket.title }}"),
        (
            marked("A message in {{ ticket.number }} did not arrive:"),
            "{{ reason }}",
            "{{ message }}",
            "{{ link }}",
        ),
        _SEE_TICKET,
        _ABOUT_TICKET | {"reason"},
        "",
    ),
}
