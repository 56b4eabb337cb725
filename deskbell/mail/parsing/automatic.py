"""Whether a program sent a message, and what kind of program. Answering one is how mail loops begin (RFC 3834)."""

import re
from collections.abc import Callable
from typing import Final

from deskbell.kernel.text import one_line
from deskbell.mail.parsing.headers import Headers, decoded, field
from deskbell.mail.parsing.model import MailKind

_DAEMON: Final = re.compile(r"\b(?:mailer-daemon|mail-daemon|mdaemon|postmaster)@", re.IGNORECASE)
_DAEMON_NAME: Final = re.compile(
    r"\s*\"?(?:mail(?:er)?[ -]?(?:delivery )?(?:daemon|(?:sub)?system)|postmaster)\b", re.IGNORECASE
)
_REPORTED: Final = re.compile(  # subjects with which servers begin their reports
    r"(?:undeliver|unzustellbar|non remis|no (?:se puede )?entreg|niet.?bestelbaar|mancato recapito|не доставлено|"
    r"(?:mail |message )?delivery (?:status notification|failure|failed|delayed|report|has failed|incomplete|problem)|"
    r"(?:mail|message) (?:delivery|system) (?:failed|failure|error|problem)|mail system error|returned mail|недоставл|"
    r"failure notice|nondeliverable|warning: (?:message|could not send)|message not delivered|delivered:|relayed:|"
    r"could not (?:be delivered|deliver)|zustellung|échec de (?:la )?remise|배달|配信|退信|系统退信)",
    re.IGNORECASE,
)
_REPLY_MARKS: Final = r"(?:(?:re|aw|sv|vs|antw|rif)\s?:\s?)*\[?"
_AWAY: Final = re.compile(  # subjects with which programs of many languages say that nobody is there
    _REPLY_MARKS
    + r"(?:auto(?:matic|matische|matisch)?[ -]?(?:reply|response|antwort|antwoord|svar|respon\w+)|autoreply|"
    r"autosvar|automatische abwesenheit|abwesen(?:heit|d)|out of (?:the )?office|ooo\b|away from (?:the |my )?office|"
    r"(?:on )?(?:annual |parental )?(?:vacation|holiday)\b|réponse automatique|absence du bureau|absent\b|"
    r"respuesta automática|fuera de (?:la )?oficina|resposta automática|ausência|risposta automatica|fuori sede|"
    r"afwezig|frånvaro|fravær|poissa|automaattinen vastaus|automatisk svar|autom\. |odpowiedź automatyczna|"
    r"poza biurem|automatická odpověď|автоответ|автоматический ответ|automatikus válasz|otomatik yanıt|自动回复|"
    r"自動返信|自動回覆|자동 회신|رد تلقائي)",
    re.IGNORECASE,
)
_AUTO_REPLY_FIELDS: Final = (
    *("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Autoreply-From", "X-Mail-Autoreply", "X-Autorespond-From"),
    *("X-Vacation", "X-MS-Exchange-Inbox-Rules-Loop", "X-POST-MessageClass"),
)


def _anything(value: str) -> bool:
    return bool(value)


def _unless_no(value: str) -> bool:
    return bool(value) and value not in {"no", "none"}


_PRECEDENCES: Final = {"bulk", "junk", "list", "auto_reply", "auto-reply"}

# Header field → when it tells that no person wrote the message. The first that does is the reason.
_SIGNS: Final[dict[str, Callable[[str], bool]]] = {
    "Auto-Submitted": _unless_no,  # RFC 3834 5
    "X-Auto-Response-Suppress": _unless_no,  # MS-OXCMAIL 2.1.3.2.20: on the mail of people as well
    "Precedence": lambda value: value in _PRECEDENCES,
    "List-Id": _anything,  # RFC 2919
    "List-Unsubscribe": _anything,  # RFC 2369
    "List-Post": _anything,
    "X-Autoreply": _unless_no,
    "X-Autorespond": _anything,
    "X-Failed-Recipients": _anything,
    "Return-Path": lambda value: value == "<>",  # RFC 5321 4.5.5: bounces and other notifications
    "Content-Type": lambda value: value.startswith("multipart/report"),  # RFC 6522
    "From": lambda value: bool(_DAEMON.search(value)),
}


def automatic_reason(headers: Headers) -> str:
    """Return the field that tells that a program sent this, as `Name: value`, or an empty string."""
    for name, tells in _SIGNS.items():
        value = one_line(field(headers, name), 120)
        if tells(value.partition(";")[0].strip().lower()):
            return f"{name}: {value}"
    return ""


def kind_of(headers: Headers) -> MailKind:
    """Return who or what wrote, by the headers alone; a bounce also where only its subject gives it away."""
    if _is_bounce(headers):
        return MailKind.BOUNCE
    if _is_auto_reply(headers):
        return MailKind.AUTO_REPLY
    if _value(headers, "Auto-Submitted") not in {"", "no"}:
        return MailKind.BULK
    return _passed_on(headers)


def _is_bounce(headers: Headers) -> bool:
    kind = str(headers.get("Content-Type", "")).lower()
    if kind.startswith("multipart/report"):
        return "disposition-notification" not in kind and "feedback-report" not in kind
    if field(headers, "X-Failed-Recipients"):
        return True
    sender = decoded(field(headers, "From"))
    from_server = _DAEMON.search(sender) or _DAEMON_NAME.match(sender) or _value(headers, "Return-Path") == "<>"
    return bool(from_server and _REPORTED.match(decoded(field(headers, "Subject"))))


def _is_auto_reply(headers: Headers) -> bool:
    submitted = _value(headers, "Auto-Submitted")
    if submitted.startswith("auto-replied") or _value(headers, "Precedence") in {"auto_reply", "auto-reply"}:
        return True
    if "disposition-notification" in str(headers.get("Content-Type", "")).lower():  # RFC 8098: a read receipt
        return True
    if any(_value(headers, name) not in {"", "no"} for name in _AUTO_REPLY_FIELDS):
        return True
    says_so = bool(_AWAY.match(decoded(field(headers, "Subject"))))
    unaddressed = _value(headers, "Return-Path") == "<>"
    answers = bool(field(headers, "In-Reply-To") or field(headers, "References"))
    return (says_so and bool(automatic_reason(headers))) or (unaddressed and answers)


def _passed_on(headers: Headers) -> MailKind:
    """Tell list, bulk and person apart where nothing says that a program wrote."""
    precedence = _value(headers, "Precedence")
    if precedence == "list" or any(field(headers, name) for name in ("List-Id", "List-Post")):
        return MailKind.LIST
    if precedence in {"bulk", "junk"}:
        return MailKind.BULK
    if any(field(headers, name) for name in ("List-Unsubscribe", "List-Help", "List-Subscribe")):
        return MailKind.LIST
    is_automatic = automatic_reason(headers) and not _only_asks_for_silence(headers)
    return MailKind.BULK if is_automatic else MailKind.PERSON


def _only_asks_for_silence(headers: Headers) -> bool:
    return automatic_reason(headers).startswith("X-Auto-Response-Suppress") and not any(
        tells(_value(headers, name)) for name, tells in _SIGNS.items() if name != "X-Auto-Response-Suppress"
    )


def _value(headers: Headers, name: str) -> str:
    return one_line(field(headers, name), 120).partition(";")[0].strip().lower()
