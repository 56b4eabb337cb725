"""What a person wrote now, told apart from what their mail program quoted beneath, above or around it.

mail-parser-reply knows how programs introduce a quote in a dozen languages. Its own splitter drops indentation and
takes seconds on long lines, so its patterns are tried here on a few bounded lines at a time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from mailparser_reply.constants import MAIL_LANGUAGES

from deskbell.mail.parsing.signatures import signature_start

ANALYSED: Final = 1_000_000  # characters; what comes after belongs to where these end
_MOST_TRIES: Final = 1_000  # places looked at more closely
_WRAPPED: Final = 4  # lines that one introduction may be broken into
_LONGEST_LINE: Final = 200
_HEADER_ROWS: Final = 10

_KNOWN_INTROS: Final = [
    re.compile(words["wrote_header"], re.IGNORECASE) for words in MAIL_LANGUAGES.values() if "wrote_header" in words
]
# Languages that the library lacks or has wrong.
_MORE_INTROS: Final = re.compile(
    r"(?:(?:El|Em|Den|Op|Il|Le|On|Am|A|Pada|Vào|Στις)\s|[\"'(]?\d|\w{2,12}[.,]? \d).+"
    r"(?:escribió|escreveu|написала?(?:\(а\))?|пишет|писал\(а\)|пише|skrev|geschreven|schreef|kirjoitti|"
    r"yazdı|írta|a scris|έγραψε|wrote|menulis|đã viết|kirjutas)\s?[^\n]{0,80}[:：]",
    re.IGNORECASE | re.DOTALL,
)
_DATE: Final = re.compile(r"\d{4}|\d{1,2}[./:-]\d{1,2}")
_BEGINS_WITH_DATE: Final = re.compile(r"[\"'(]?\d|\w{2,12}[.,]? \d")
_RULE: Final = re.compile(r"\s?(?:[_-]\s?){10,}")
_ORIGINAL: Final = re.compile(
    r"-{2,}\s?(?:Original Message|Original Appointment|Reply Message|Ursprüngliche Nachricht|Originalnachricht|"
    r"Message d'origine|Message original|Mensaje original|Mensagem original|Messaggio originale|"
    r"Oorspronkelijk bericht|Oprindelig meddelelse|Opprinnelig melding|Ursprungligt meddelande|"
    r"Исходное сообщение|Оригинальное сообщение|Wiadomość oryginalna|Původní zpráva|原始邮件|元のメッセージ)\s?-{2,}",
    re.IGNORECASE,
)
_FORWARDED: Final = re.compile(
    r"-{2,}\s?(?:Forwarded message|Forwarded by .{1,80}|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|"
    r"Mensagem encaminhada|Messaggio inoltrato|Doorgestuurd bericht|Vidarebefordrat meddelande|"
    r"Пересылаемое сообщение|Пересланное сообщение)\s?-{2,}|"
    r"(?:Begin forwarded message|Anfang der weitergeleiteten (?:E-Mail|Nachricht)|"
    r"Début du message (?:réexpédié|transféré)|"
    r"Inicio del mensaje reenviado|Inizio messaggio inoltrato|Begin doorgestuurd bericht)\s?:",
    re.IGNORECASE,
)
_HEADER: Final = re.compile(
    r"(?:From|Sent|To|Cc|Bcc|Subject|Date|Reply-To|Von|Gesendet|An|Kopie|Betreff|Datum|De|Envoyé|À|Objet|"
    r"Enviado(?: el)?|Para|Asunto|Fecha|Enviada em|Assunto|Data|Da|Inviato|A|Oggetto|Van|Verzonden|Aan|Onderwerp|"
    r"Från|Skickat|Till|Ämne|Fra|Sendt|Til|Emne|Dato|Lähettäjä|Lähetetty|Vastaanottaja|Aihe|Od|Odesláno|Komu|Předmět|Wysłano|Do|Temat|DW|"
    r"От|От кого|Отправлено|Кому|Копия|Тема|Дата|Від|Надіслано|Gönderen|Gönderme Tarihi|Kime|Konu|"
    r"发件人|发送时间|收件人|抄送|主题|日期|差出人|送信日時|宛先|件名|보낸 사람|보낸 날짜|받는 사람|제목)\s?[:：].*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Split:
    """Both are parts of the text, whole lines; `folded` is empty where nothing is to be folded."""

    new: str
    folded: str


def split_reply(text: str, marks: frozenset[int] = frozenset()) -> Split:
    """Tell what was written now from quotes, signature and footer.

    Answers that stand between quotes keep the quotes they answer. `marks` are lines (from 0) at which a quote is known
    to begin, from the HTML. Where nothing would be new, all is: a bare forward is a message too. A signature *above*
    the quote stays with what was written, as mail programs put it there; `split_signature` finds it.
    """
    lines = text[:ANALYSED].split("\n")
    tail = text[ANALYSED:]
    start, end = _new_lines(lines, marks, whole=not tail)
    if start == end:
        return Split(_trim(text), "")
    if not any(line.strip() for line in lines[end:]):  # whatever was not looked at goes on with the last line
        end, lines[-1], tail = len(lines), lines[-1] + tail, ""
    above, below = _trim("\n".join(lines[:start])), _trim("\n".join(lines[end:]) + tail)
    return Split(_trim("\n".join(lines[start:end])), "\n\n".join(filter(None, (above, below))))


def _trim(text: str) -> str:
    """Drop blank lines around; the indentation of the first line stays."""
    stripped = text.strip()
    at = text.find(stripped)
    return text[text.rfind("\n", 0, at) + 1 : at] + stripped if stripped else ""


def _new_lines(lines: list[str], marks: frozenset[int], *, whole: bool) -> tuple[int, int]:
    """Return where the new lines begin and end, equal where there are none."""
    quoted = [line.startswith(">") for line in lines]
    quote_at = len(lines)
    for start, end, is_sure in _introductions(lines, marks):
        following = next((i for i in range(end, min(end + _WRAPPED, len(lines))) if lines[i].strip()), start)
        if quoted[following]:
            quoted[start:following] = [True] * (following - start)
        elif is_sure and not quoted[start]:
            quote_at = start
            break
    if whole and quote_at == len(lines):
        last = max((i for i, is_quoted in enumerate(quoted) if is_quoted), default=-1)
        quote_at = signature_start(lines, last + 1)
    return _between(lines[:quote_at], quoted)


def _between(lines: list[str], quoted: list[bool]) -> tuple[int, int]:
    """Take the one block that was written; with several, everything from the top to the last one."""
    written = [i for i, line in enumerate(lines) if line.strip() and not quoted[i]]
    if not written:
        return 0, 0
    first, last = written[0], written[-1]
    return (0 if any(quoted[first:last]) else first), last + 1


def _introductions(lines: list[str], marks: frozenset[int]) -> Iterator[tuple[int, int, bool]]:
    """Yield the first line of each place where a quote is introduced, the line after it, and whether that is sure.

    What is not sure needs quoted lines beneath it. Ends at a forwarded message: that is sent to be read.
    """
    skip_to = 0
    for start in islice(_candidates(lines, marks), _MOST_TRIES):
        if start < skip_to:
            continue
        window = [_squeezed(line) for line in lines[start : start + _HEADER_ROWS]]
        if _FORWARDED.fullmatch(next(filter(None, window), "")):
            return
        length, is_sure = _introduction(window)
        if length or start in marks:
            skip_to = start + (length or 1)
            yield start, skip_to, is_sure or start in marks


def _candidates(lines: list[str], marks: frozenset[int]) -> list[int]:
    """Return the lines that could begin an introduction: a ruling line, a header, one soon followed by a colon."""
    found = set(marks)
    for index, line in enumerate(lines):
        if line[:1] in {"", ">"}:
            continue
        begin = line[:_LONGEST_LINE].lstrip(" *")
        if begin[:2] in {"--", "__", "- ", "_ "} or _HEADER.match(begin) or _FORWARDED.match(begin):
            found.add(index)
        if line[-3:].rstrip(" *").endswith((":", "：")):
            found.update(range(max(index - _WRAPPED + 1, 0), index + 1))
    return sorted(found)


def _squeezed(line: str) -> str:
    return " ".join(line[:_LONGEST_LINE].replace("*", " ").split())


def _introduction(window: list[str]) -> tuple[int, bool]:
    """Return how many of these lines introduce a quote, 0 if they do not, and whether that is sure."""
    if _ORIGINAL.fullmatch(window[0]):
        return 1, True
    ruled = bool(_RULE.fullmatch(window[0]))
    rows = _header_rows(window[1:] if ruled else window, ruled=ruled)
    return (rows + ruled, True) if rows else _wrote(window[:_WRAPPED])


def _header_rows(window: list[str], *, ruled: bool) -> int:
    """Count the lines of a block like "From: … Sent: … To: … Subject: …".

    A customer's own "From: Berlin / To: Munich" is none: beneath a ruling line two rows will do, otherwise it takes
    four, or three with an address, and always a figure, for a mail has a date.
    """
    begin = next((i for i, line in enumerate(window) if line), len(window))
    if begin and not ruled:
        return 0
    text = "\n".join(window[begin:]).partition("\n\n")[0]
    block = text.split("\n")
    rows = sum(1 for line in block if _HEADER.fullmatch(line))
    enough = rows >= 4 or (rows >= 3 and "@" in text) or (rows >= 2 and ruled)  # noqa: PLR2004 - see above
    return begin + len(block) if enough and _HEADER.fullmatch(block[0]) and re.search(r"\d", text) else 0


def _wrote(window: list[str]) -> tuple[int, bool]:
    """Count the lines of "On Monday, 3 May 2027, Anna <anna@example.com> wrote:", however it is wrapped."""
    for count, line in enumerate(window, start=1):
        if not line:
            break
        joined = "\n".join(window[:count])
        if line.endswith((":", "：")) and _DATE.search(joined):
            is_sure = bool(_MORE_INTROS.fullmatch(joined)) or any(intro.match(joined) for intro in _KNOWN_INTROS)
            if is_sure or (_BEGINS_WITH_DATE.match(joined) and "@" in joined):
                return count, is_sure
    return 0, False
