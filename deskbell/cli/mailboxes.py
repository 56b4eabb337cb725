"""`deskbell mailbox`: where mail is fetched and sent, and whether that works.

Secrets never stand on the command line, where others on the machine would see them.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import counted, note, safe, say, say_json, say_table, when
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from deskbell.mail.mailboxes.actions import Wanted
    from deskbell.mail.mailboxes.models import Mailbox, MailboxFolder

app = group(
    "Addresses at which the desk is written to: where their mail is fetched, and how answers leave.",
    "deskbell mailbox add support@example.org --set imap_host=imap.example.org --secret imap_password",
    "deskbell mailbox test support@example.org",
)
ENVIRONMENT: Final = "DESKBELL_MAILBOX_"
_TRUE: Final = frozenset({"yes", "true", "on", "1"})
_FALSE: Final = frozenset({"no", "false", "off", "0"})
_FLAGS: Final = frozenset({"acknowledges", "is_plus"})

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The mailbox's address, or its number.")]
NewAddress = Annotated[str, typer.Argument(metavar="ADDRESS", help="Where customers write to.")]
Facts = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="What holds for it; may be repeated. See the reference."),
]
Secrets = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="NAME",
        help="A secret to be given: from DESKBELL_MAILBOX_NAME, else asked for, else a line of standard input.",
    ),
]
Forget = Annotated[list[str] | None, typer.Option("--forget", metavar="NAME", help="A secret to be removed.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="What its new tickets bear; may be repeated.")]
Files = Annotated[
    list[str] | None,
    typer.Option("--file", metavar="NAME=FILE", help="What stands in a file: dkim_key, authority or signature."),
]


@command(app, "mailbox list", "deskbell mailbox list", "deskbell mailbox list --json")
def list_mailboxes(as_json: Json = False) -> None:
    """List mailboxes with how their folders stand."""
    from deskbell.cli.desks import open_desk, system
    from deskbell.mail.mailboxes.queries import folders_of, mailboxes

    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        found = session.scalars(mailboxes()).all()
        folders = folders_of(session, [each.id for each in found])
    if as_json:
        say_json({"mailboxes": [_document(each, folders.get(each.id, ())) for each in found]})
    elif found:
        rows = [(str(m.id), m.address, m.name, _standing(m, folders.get(m.id, ()))) for m in found]
        say_table(("Id", "Address", "Name", "How it stands"), rows, flexible="How it stands")
    else:
        note("There are no mailboxes. `deskbell mailbox add` adds one.")


@command(
    app,
    "mailbox add",
    "deskbell mailbox add support@example.org --set imap_host=imap.example.org --set imap_user=support"
    " --secret imap_password",
    "deskbell mailbox add sales@example.org --set name='Acme Sales' --set team=Sales --tag sales",
)
def add(
    address: NewAddress,
    facts: Facts = None,
    secrets: Secrets = None,
    tags: Tags = None,
    files: Files = None,
    as_: As = "",
) -> None:
    """Add a mailbox. Without imap_host nothing is fetched: its mail is delivered to the desk."""
    from deskbell.cli.desks import actor, open_desk
    from deskbell.mail.mailboxes.actions import create_mailbox

    given = _secrets(secrets or (), ())
    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        wanted = _wanted(session, facts or (), files or (), given, tags, {"address": address})
        made = create_mailbox(session, wanted)
    say(f"The mailbox {made.address} was added. `deskbell mailbox test {made.address}` tries its connections.")


@command(
    app,
    "mailbox change",
    "deskbell mailbox change support@example.org --secret imap_password",
    "deskbell mailbox change support@example.org --set closed_reply=follow_up --set rate=30",
    "deskbell mailbox change support@example.org --set dkim_domain=example.org --set dkim_selector=mail2026"
    " --file dkim_key=key.pem",
)
def change(
    address: Address,
    facts: Facts = None,
    secrets: Secrets = None,
    forget: Forget = None,
    tags: Tags = None,
    files: Files = None,
    as_: As = "",
) -> None:
    """Change a mailbox; what is not named stays. Tags take the place of those that were."""
    from deskbell.cli.desks import actor, open_desk
    from deskbell.mail.mailboxes.actions import change_mailbox

    given = _secrets(secrets or (), forget or ())
    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        wanted = _wanted(session, facts or (), files or (), given, tags, {})
        changed = change_mailbox(session, mailbox_named(session, address).id, wanted)
    say(f"The mailbox {changed.address} was changed.")


@command(app, "mailbox deactivate", "deskbell mailbox deactivate support@example.org")
def deactivate(address: Address, as_: As = "") -> None:
    """Fetch and send by it no longer. What came stays."""
    _set_active(address, as_, active=False)
    say(f"The mailbox {address} rests.")


@command(app, "mailbox activate", "deskbell mailbox activate support@example.org")
def activate(address: Address, as_: As = "") -> None:
    """Fetch and send by it again."""
    _set_active(address, as_, active=True)
    say(f"The mailbox {address} is in use.")


@command(app, "mailbox test", "deskbell mailbox test support@example.org")
def try_connections(address: Address, as_json: Json = False) -> int:
    """Try its connections, step by step; 1 if one does not work. Nothing is fetched or sent."""
    from deskbell.cli.desks import open_desk, system
    from deskbell.mail.mailboxes.actions import Wanted
    from deskbell.mail.mailboxes.trials import secrets_of, trial_of
    from deskbell.mail.sources.trying import try_out

    with open_desk(reading=True) as desk:
        with desk.database.transaction(system()) as session:
            trial = trial_of(session, Wanted({}), mailbox_named(session, address).id)
            secrets = secrets_of(session, trial)
        steps = asyncio.run(try_out(trial, secrets))
    if as_json:
        names = ("service", "stage", "about", "is_ok", "words")
        say_json({"steps": [{name: getattr(step, name) for name in names} for step in steps]})
    for step in () if as_json else steps:
        place = " ".join(word for word in (step.service, step.stage.value, step.about) if word)
        say(safe(f"{'ok' if step.is_ok else 'FAILS':<6}{place}: {step.words}"))
    if not steps and not as_json:
        note("There is nothing to test: mail is delivered to the desk, and sent by the desk's own server.")
    return 0 if all(step.is_ok for step in steps) else 1


@command(app, "mailbox folders", "deskbell mailbox folders support@example.org")
def folders(address: Address, as_json: Json = False) -> None:
    """List its folders: when they were looked into, what went wrong, what is missing."""
    from deskbell.cli.desks import open_desk, system
    from deskbell.mail.mailboxes.queries import folders_of

    with open_desk(reading=True) as desk, desk.database.transaction(system()) as session:
        mailbox = mailbox_named(session, address)
        found = folders_of(session, [mailbox.id]).get(mailbox.id, [])
    if as_json:
        say_json({"folders": [_folder(each) for each in found]})
    elif found:
        rows = [
            (each.name, when(each.checked_at), when(each.compared_at), str(len(each.missing)), each.problem or "-")
            for each in found
        ]
        say_table(("Folder", "Looked into", "Compared", "Missing", "Problem"), rows, flexible="Problem")
    else:
        note("None of its folders was looked into yet.")


def mailbox_named(session: "Session", name: str) -> "Mailbox":
    """Load a mailbox by address in any case, or by number. Raises NotFoundError."""
    from sqlalchemy import func

    from deskbell.kernel.errors import NotFoundError
    from deskbell.mail.mailboxes.actions import get_mailbox
    from deskbell.mail.mailboxes.models import Mailbox
    from deskbell.mail.mailboxes.queries import mailboxes

    if name.isascii() and name.isdigit() and len(name) < 19:  # noqa: PLR2004 - a bigint
        return get_mailbox(session, int(name))
    found = session.scalar(mailboxes().where(func.lower(Mailbox.address) == name.strip().lower()))
    if found is None:
        raise NotFoundError(f"There is no mailbox {name!r}. `deskbell mailbox list` shows those that there are.")
    return found


def _set_active(address: str, email: str, *, active: bool) -> None:
    from deskbell.cli.desks import actor, open_desk
    from deskbell.mail.mailboxes.actions import set_mailbox_active

    with open_desk() as desk, desk.database.transaction(actor(desk, email)) as session:
        set_mailbox_active(session, mailbox_named(session, address).id, active=active)


def _wanted(
    session: "Session",
    facts: "Sequence[str]",
    files: "Sequence[str]",
    secrets: dict[str, str | None],
    tags: "Sequence[str] | None",
    known: dict[str, Any],
) -> "Wanted":
    from deskbell.mail.mailboxes.actions import Wanted

    values, given = dict(known), dict(secrets)
    for each in facts:
        name, _, value = each.partition("=")
        field, read = _read(session, name.strip(), value)
        values[field] = read
    for each in files:
        name, _, path = each.partition("=")
        field = _of_file(name)
        (given if field == "dkim_key" else values)[field] = _content(path)
    return Wanted(values, given, tags)


def _read(session: "Session", name: str, value: str) -> tuple[str, Any]:
    from deskbell.cli.groups import team_named
    from deskbell.mail.mailboxes.models import SECRETS
    from deskbell.mail.mailboxes.rules import FACTS

    if name in SECRETS:
        raise InvalidError(f"Others on this machine would see it: give it with --secret {name}.")
    if name == "team":
        return "team_id", team_named(session, value).id if value else None
    if name not in FACTS or name == "team_id":
        raise InvalidError(f"A mailbox has no {name!r}. It has: {', '.join(sorted({*FACTS, 'team'} - {'team_id'}))}.")
    if name in _FLAGS:
        return name, _flag(name, value)
    return name, value.split(",") if name == "imap_folders" else value


def _flag(name: str, value: str) -> bool:
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise InvalidError(f"{name} is yes or no, not {value!r}.")
    return word in _TRUE


def _of_file(name: str) -> str:
    if name not in {"dkim_key", "authority", "signature"}:
        raise InvalidError(f"--file is for dkim_key, authority and signature, not for {name!r}.")
    return name


def _content(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _secrets(given: "Sequence[str]", forgotten: "Sequence[str]") -> dict[str, str | None]:
    from deskbell.mail.mailboxes.models import SECRETS

    unknown = sorted({*given, *forgotten} - set(SECRETS))
    if unknown:
        raise InvalidError(f"There is no secret {unknown[0]!r}. There are: {', '.join(SECRETS)}.")
    return {**dict.fromkeys(forgotten), **{name: _secret(name) for name in given}}


def _secret(name: str) -> str:
    """Where a program runs this the environment has it, or the line that it pipes in; a person is asked."""
    if value := os.environ.get(f"{ENVIRONMENT}{name.upper()}"):
        return value
    if sys.stdin.isatty():
        typed: str = typer.prompt(name.replace("_", " "), hide_input=True, err=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidError(f"No {name} came: set {ENVIRONMENT}{name.upper()}, or pipe it in as a line.")
    return line


def _standing(mailbox: "Mailbox", folders: "Sequence[MailboxFolder]") -> str:
    if not mailbox.is_active:
        return "deactivated"
    missing = sum(len(each.missing) for each in folders)
    lacking = f"; {counted(missing, 'message')} missing" if missing else ""
    problem = next((each.problem for each in folders if each.problem), "")
    if problem:
        return problem + lacking
    if not mailbox.imap_host:
        return "mail is delivered to the desk"
    checked = max((each.checked_at for each in folders if each.checked_at), default=None)
    return (f"fetched {when(checked)}" if checked else "not fetched yet") + lacking


def _document(mailbox: "Mailbox", folders: "Sequence[MailboxFolder]") -> dict[str, object]:
    from deskbell.mail.mailboxes.rules import FACTS

    facts = {name: getattr(mailbox, name) for name in ("id", "is_active", *FACTS)}
    return {**facts, "kept": mailbox.kept, "folders": [_folder(each) for each in folders]}


def _folder(folder: "MailboxFolder") -> dict[str, object]:
    names = ("id", "name", "checked_at", "compared_at", "on_server", "missing", "problem", "failing_since")
    return {name: getattr(folder, name) for name in names}
