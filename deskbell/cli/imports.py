"""`deskbell import`: tickets from files and from mailboxes."""

from pathlib import Path
from typing import Annotated

import typer

from deskbell.cli.commands import Json, command, group
from deskbell.kernel.errors import InvalidError

app = group(
    "Bring in tickets from elsewhere. Running the same import again adds nothing.",
    "deskbell import csv questions.csv --map text=message,category=tag --requester kim@example.org",
    "deskbell import mail ~/Maildir",
)

CsvFile = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file whose first line names the columns.")]
Mapping = Annotated[
    str,
    typer.Option(
        "--map",
        metavar="COLUMN=FIELD,…",
        help="Which column is what: message (needed), title, tag, requester, status, priority, created_at, "
        "external_id, assignee.",
        show_default=False,
    ),
]
Requester = Annotated[
    str,
    typer.Option(
        metavar="EMAIL", help="Who asked, for rows that name nobody. Added as a customer if new.", show_default=False
    ),
]
Encoding = Annotated[str, typer.Option(help="How the file is encoded.")]
Delimiter = Annotated[
    str,
    typer.Option(
        metavar="CHARACTER", help="What separates the columns; found out from the header.", show_default=False
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Keep nothing when one row is bad.")]
ForceNew = Annotated[bool, typer.Option("--force-new", help="Add every row, also those that were imported before.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
BatchSize = Annotated[int, typer.Option(min=1, max=10_000, help="Rows in one transaction.")]
Paths = Annotated[list[Path], typer.Argument(metavar="PATH…", help="Messages, folders of them, mbox files, Maildirs.")]


@command(
    app,
    "import csv",
    "deskbell import csv questions.csv --map text=message,category=tag --requester kim@example.org",
    "deskbell import csv export.csv --map 'Body=message,Created=created_at' --requester kim@example.org --dry-run",
    "deskbell import csv old.csv --map text=message --requester kim@example.org --encoding cp1252 --strict",
)
def import_csv(
    file: CsvFile,
    *,
    mapping: Mapping = "",
    requester: Requester = "",
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = "",
    strict: Strict = False,
    force_new: ForceNew = False,
    dry_run: DryRun = False,
    batch_size: BatchSize = 1000,
    as_json: Json = False,
) -> int:
    """Make a ticket of each row of a CSV file.

    A row that was imported before is known by its content and passed over, so an import that was interrupted goes on
    when it is run again. Bad rows are named on standard error with line and reason, the good ones are kept, and the
    exit code is 1.
    """
    from deskbell.cli.csv_import import Plan, run_import
    from deskbell.curation.csv_fields import parse_mapping
    from deskbell.kernel.text import clean_email

    if not mapping:
        raise InvalidError(
            "Say which column is what with --map, at least the message: --map text=message,category=tag."
        )
    if not requester:
        raise InvalidError("Say who asked, for rows that name nobody: --requester kim@example.org.")
    plan = Plan(
        file=file,
        mapping=parse_mapping(mapping),
        requester=clean_email(requester, field="requester"),
        encoding=encoding,
        delimiter={"\\t": "\t", "": None}.get(delimiter, delimiter),
        strict=strict,
        force_new=force_new,
        dry_run=dry_run,
        batch_size=batch_size,
    )
    return run_import(plan, as_json=as_json)


@command(
    app,
    "import mail",
    "deskbell import mail message.eml",
    "deskbell import mail ~/Maildir archive.mbox",
    "deskbell import mail exported-messages/ --json",
)
def import_mail(paths: Paths, as_json: Json = False) -> int:
    """Take in messages: files, folders, mbox, Maildir.

    Each message is written down as it is before anything reads it, then filed: as a new ticket, as a comment on the
    ticket that it answers, or in a state that says why neither. A message that is there already is passed over.
    """
    from deskbell.cli.mail_import import run_import

    return run_import(paths, as_json=as_json)
