"""What our messages say: a letter for each kind, in the language that is spoken just now. Values in, a letter out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from deskbell.kernel.languages import gettext as _
from deskbell.kernel.languages import span
from deskbell.kernel.text import one_line
from deskbell.mail.outbound.models import OutboundKind

SUBJECT_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Letter:
    """The parts of a message. `link` goes with a button called `button`; `quoted` is what a person wrote.

    `quoted_html` is the same as sanitised HTML, empty where there is none.
    """

    subject: str
    opening: str
    link: str
    button: str
    closing: str = ""
    quoted: str = ""
    quoted_html: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What letters are made of. `seconds` is how long the link is good."""

    link: str
    seconds: int
    site: str
    number: str = ""
    title: str = ""
    author: str = ""
    words: str = field(default="", repr=False)
    words_html: str = field(default="", repr=False)


def letter_of(kind: OutboundKind, facts: Facts) -> Letter:
    """Write the letter of a kind."""
    return _LETTERS[kind](facts)


def _confirm(facts: Facts) -> Letter:
    return Letter(
        subject=_("Confirm your e-mail address"),
        opening=_("Somebody, probably you, wants to register at %(site)s with this address.") % {"site": facts.site},
        link=facts.link,
        button=_("Confirm and choose a password"),
        closing=_until(facts) + " " + _("If it was not you, do nothing: no account is made."),
    )


def _known(facts: Facts) -> Letter:
    opening = _("Somebody, probably you, wants to register at %(site)s. You have an account there already.")
    return Letter(
        subject=_("You have an account already"),
        opening=opening % {"site": facts.site},
        link=facts.link,
        button=_("Choose a new password"),
        closing=_until(facts) + " " + _("If you know your password, or it was not you, do nothing."),
    )


def _reset(facts: Facts) -> Letter:
    opening = _("Somebody, probably you, asked for a new password at %(site)s.")
    return Letter(
        subject=_("Choose a new password"),
        opening=opening % {"site": facts.site},
        link=facts.link,
        button=_("Choose a new password"),
        closing=_until(facts) + " " + _("If it was not you, do nothing: your password stays as it is."),
    )


def _log_in(facts: Facts) -> Letter:
    opening = _("Somebody, probably you, asked for a link to log in at %(site)s.")
    return Letter(
        subject=_("Your link to log in"),
        opening=opening % {"site": facts.site},
        link=facts.link,
        button=_("Log in"),
        closing=_until(facts) + " " + _("If it was not you, do nothing: nobody gets in without this link."),
    )


def _received(facts: Facts) -> Letter:
    return Letter(
        subject=_about(facts),
        opening=_("We have received your request. Its number is %(number)s. We will answer as soon as we can.")
        % {"number": facts.number},
        link=facts.link,
        button=_("See your request"),
        closing=_private(facts),
        quoted=facts.words,
        quoted_html=facts.words_html,
    )


def _answered(facts: Facts) -> Letter:
    return Letter(
        subject=_about(facts),
        opening=_("%(name)s has answered your request %(number)s:") % {"name": facts.author, "number": facts.number},
        link=facts.link,
        button=_("See your request and answer"),
        closing=_private(facts),
        quoted=facts.words,
        quoted_html=facts.words_html,
    )


def _about(facts: Facts) -> str:
    return one_line(f"[{facts.number}] {facts.title}", SUBJECT_LENGTH)


def _until(facts: Facts) -> str:
    return _("The link works once, for %(time)s.") % {"time": span(facts.seconds)}


def _private(facts: Facts) -> str:
    return _("The link opens this request without logging in: do not pass this mail on. It works for %(time)s.") % {
        "time": span(facts.seconds)
    }


_LETTERS: Final[Mapping[OutboundKind, Callable[[Facts], Letter]]] = {
    OutboundKind.CONFIRM: _confirm,
    OutboundKind.KNOWN: _known,
    OutboundKind.RESET: _reset,
    OutboundKind.LOG_IN: _log_in,
    OutboundKind.RECEIVED: _received,
    OutboundKind.ANSWERED: _answered,
}
