"""`deskbell letter`: the words of what is sent, by kind and language.

A letter is written as it is shown: `Subject: …`, an empty line, and the body.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

import typer

from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import note, safe, say, say_json, say_table, when
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import clean

if TYPE_CHECKING:
    from deskbell.mail.outbound.templates import Template

app = group(
    "The words of what is sent, in each language: yours where you have written any, else those that came with it.",
    "deskbell letter show answered de > answered.txt",
    "deskbell letter preview answered de answered.txt",
    "deskbell letter edit answered de answered.txt --as ada@example.org",
)
KindName = Literal[
    "confirm",
    "known",
    "reset",
    "log_in",
    "received",
    "answered",
    "opened",
    "replied",
    "assigned",
    "mentioned",
    "undelivered",
]
Kind = Annotated[KindName, typer.Argument(metavar="KIND", help="What it is about: see `deskbell letter list`.")]
Language = Annotated[str, typer.Argument(metavar="LANGUAGE", help="Its code, like de.")]
File = Annotated[str, typer.Argument(metavar="FILE", help="A letter as `show` prints it; - for standard input.")]
MaybeFile = Annotated[
    str, typer.Argument(metavar="[FILE]", help="A letter as `show` prints it, instead of the one there is.")
]
Html = Annotated[bool, typer.Option("--html", help="Print the HTML instead of the text.")]
_BEGIN: Final = "Subject:"


class Words(NamedTuple):
    """What a letter says."""

    subject: str
    body: str


@command(app, "letter list", "deskbell letter list", "deskbell letter list --json")
def list_letters(as_json: Json = False) -> None:
    """List letters: kinds by languages, and whose words they have."""
    from deskbell.cli.desks import open_desk, system
    from deskbell.mail.outbound.templates import list_templates

    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found = list_templates(session)
    if as_json:
        names = ("kind", "locale", "subject", "is_own", "updated_at")
        say_json({"letters": [{name: getattr(each, name) for name in names} for each in found]})
        return
    rows = [(one.kind.value, one.locale, "yours" if one.is_own else "-", when(one.updated_at)) for one in found]
    say_table(("Kind", "Language", "Words", "Written"), rows)


@command(app, "letter show", "deskbell letter show answered de", "deskbell letter show answered de > answered.txt")
def show(kind: Kind, language: Language, as_json: Json = False) -> None:
    """Show a letter as it is sent from now on. The names that may stand in it are told beside it."""
    from deskbell.mail.outbound.models import OutboundKind
    from deskbell.mail.outbound.templates import names_of

    found, names = _letter(kind, language), list(names_of(OutboundKind(kind)))
    if as_json:
        facts = ("kind", "locale", "subject", "body", "is_own", "updated_at")
        say_json({**{name: getattr(found, name) for name in facts}, "names": names})
        return
    say(safe(f"{_BEGIN} {found.subject}"), "", safe(found.body))
    note(f"It knows these names: {', '.join(names)}.")


@command(
    app,
    "letter edit",
    "deskbell letter edit answered de answered.txt --as ada@example.org",
    "sed s/Hello/Moin/ answered.txt | deskbell letter edit answered de - --as ada@example.org",
)
def edit(kind: Kind, language: Language, file: File, as_: As = "") -> None:
    """Write a letter anew, as an administrator. What cannot be sent is refused, with its place."""
    from deskbell.cli.desks import actor, open_desk
    from deskbell.mail.outbound.models import OutboundKind
    from deskbell.mail.outbound.templates import save_template

    words = _read(file)
    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        try:
            save_template(session, OutboundKind(kind), language, *words)
        except InvalidError as error:
            raise _placed(error, words) from error
    say(f"Saved. Letters of the kind {kind} are sent like this in {language} from now on.")


@command(
    app,
    "letter preview",
    "deskbell letter preview answered de",
    "deskbell letter preview answered de answered.txt --html > answered.html",
)
def preview(kind: Kind, language: Language, file: MaybeFile = "", html: Html = False, as_json: Json = False) -> None:
    """Show what would be sent, of made-up facts. Nothing is saved."""
    from deskbell.mail.outbound.models import OutboundKind
    from deskbell.mail.outbound.templates import preview as rendered

    words = _read(file) if file else _words(_letter(kind, language))
    try:
        made = rendered(OutboundKind(kind), language, *words)
    except InvalidError as error:
        raise _placed(error, words) from error
    if as_json:
        say_json({"subject": made.subject, "text": made.text, "html": made.html})
    else:
        say(*((made.html,) if html else (safe(f"{_BEGIN} {made.subject}"), "", safe(made.text))))


@command(app, "letter reset", "deskbell letter reset answered de --as ada@example.org")
def reset(kind: Kind, language: Language, as_: As = "") -> None:
    """Go back to the words that a letter came with, as an administrator."""
    from deskbell.cli.desks import actor, open_desk
    from deskbell.mail.outbound.models import OutboundKind
    from deskbell.mail.outbound.templates import revert_template

    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        were_others = revert_template(session, OutboundKind(kind), language)
    say("The letter has its first words again." if were_others else "It had its first words already.")


def _letter(kind: KindName, language: str) -> "Template":
    from deskbell.cli.desks import open_desk, system
    from deskbell.mail.outbound.models import OutboundKind
    from deskbell.mail.outbound.templates import get_template

    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        return get_template(session, OutboundKind(kind), language)


def _words(letter: "Template") -> Words:
    return Words(letter.subject, letter.body)


def _read(file: str) -> Words:
    """Read a letter as `show` prints it. Raises InvalidError."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    first, _, body = clean(text).replace("\r\n", "\n").lstrip().partition("\n")
    if not first.startswith(_BEGIN):
        raise InvalidError("The first line is “Subject: …”, as `deskbell letter show` prints it.")
    return Words(" ".join(first.removeprefix(_BEGIN).split()), body.strip())


def _placed(error: InvalidError, words: Words) -> InvalidError:
    """Say where in a letter something is wrong."""
    if error.position is None or error.field not in Words._fields:
        return error
    text, position = getattr(words, error.field), error.position
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    place = (
        f"line {line}, character {column} of the body"
        if error.field == "body"
        else f"character {column} of the subject"
    )
    return InvalidError(f"{error.message} ({place})", field=error.field, position=position)
