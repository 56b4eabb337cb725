"""`deskbell storage`: encrypting and decrypting attachments on the disk, and whether all of them are there."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import Json, command, group
from deskbell.cli.console import counted, note, say, say_json
from deskbell.kernel.errors import InvalidError

if TYPE_CHECKING:
    from deskbell.kernel.rotation import Aim
    from deskbell.runtime import Desk

app = group("Attachments on the disk.", "deskbell storage check", "deskbell storage encrypt")

Background = Annotated[
    bool, typer.Option("--background", help="Leave it to the worker, and do not wait.", show_default=False)
]
Quick = Annotated[bool, typer.Option("--quick", help="Only look for the files, do not read them.", show_default=False)]


@command(app, "storage check", "deskbell storage check", "deskbell storage check --quick --json")
def check(quick: Quick = False, as_json: Json = False) -> int:
    """Read the file of every attachment and compare it with its row; 1 if one is missing or damaged.

    Files that no attachment has are listed too. They are no fault: an upload that was refused leaves one, and the
    worker removes it a day later.
    """
    from deskbell.cli.desks import open_desk
    from deskbell.cli.storage_check import examine

    with open_desk(reading=True) as desk:
        found = examine(desk, read=not quick)
    if as_json:
        say_json(found.document())
    else:
        say(*found.lines())
    return int(bool(found.faults))


@command(app, "storage encrypt", "deskbell storage encrypt", "deskbell storage encrypt --background")
def encrypt(background: Background = False) -> int:
    """Encrypt the attachments that lie on the disk in plain. The desk goes on working.

    Stopped, it goes on where it was when it is run again.
    """
    from deskbell.cli.desks import open_desk
    from deskbell.kernel.rotation import Aim

    with open_desk() as desk:
        if not desk.settings.storage.encrypt:
            raise InvalidError("New attachments would come in plain: set DESKBELL_STORAGE_ENCRYPT=true first.")
        return settle(desk, Aim.SEALED, "encrypted", background=background)


@command(app, "storage decrypt", "deskbell storage decrypt", "deskbell storage decrypt --background")
def decrypt(background: Background = False) -> int:
    """Decrypt the attachments that are encrypted on the disk. The desk goes on working."""
    from deskbell.cli.desks import open_desk
    from deskbell.kernel.rotation import Aim

    with open_desk() as desk:
        if desk.settings.storage.encrypt:
            raise InvalidError("New attachments would be encrypted: set DESKBELL_STORAGE_ENCRYPT=false first.")
        return settle(desk, Aim.PLAIN, "decrypted", background=background)


def settle(desk: "Desk", aim: "Aim", done: str, *, background: bool) -> int:
    """Bring all attachments to a state, here or by the worker; return the exit code: 1 if some could not be."""
    from deskbell.kernel.rotation import SETTLE_STORAGE

    if background:
        leave_to_worker(desk, SETTLE_STORAGE, aim)
        return 0
    changed, failed = settle_all(desk, aim)
    say(f"{counted(changed, 'file')} {done}.")
    return complain(failed)


def settle_all(desk: "Desk", aim: "Aim") -> tuple[int, list[str]]:
    """Go through the storage; return how many files were changed, and which could not be."""
    from deskbell.cli.progress import meter
    from deskbell.kernel.rotation import settle_shelf
    from deskbell.kernel.storage import SHELVES

    changed, failed, shelf = 0, list[str](), 0
    with meter("Going through the storage", "files", SHELVES) as bar:
        while shelf < SHELVES:
            batch = settle_shelf(desk.resources.storage, shelf, aim)
            changed += batch.changed
            if not batch.more:
                failed += batch.failed
                shelf += 1
            bar.show(items=changed, position=shelf)
    return changed, failed


def leave_to_worker(desk: "Desk", job: str, aim: "Aim | None" = None) -> None:
    """Add a job, and say so."""
    from deskbell.cli.desks import system
    from deskbell.kernel.jobs import add_job

    with desk.database.transaction(system()) as session:
        if aim is None:
            add_job(session, job, priority=-10)
        else:
            add_job(session, job, priority=-10, aim=aim.value)
    say(f"The worker has the job {job} now.")


def complain(failed: list[str]) -> int:
    """Name what could not be changed; return the exit code."""
    for place in failed:
        note(f"{place}: damaged, or its key is not at hand. It stays as it is.", "yellow")
    return int(bool(failed))
