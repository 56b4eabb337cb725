"""`deskbell secrets`: taking another key for everything that is encrypted."""

from typing import TYPE_CHECKING

from deskbell.cli.commands import command, group
from deskbell.cli.console import counted, say
from deskbell.cli.storage import Background, complain, leave_to_worker, settle_all

if TYPE_CHECKING:
    from deskbell.runtime import Desk

app = group("The keys that secrets and attachments are encrypted with.", "deskbell secrets rotate")


@command(app, "secrets rotate", "deskbell secrets rotate", "deskbell secrets rotate --background")
def rotate(background: Background = False) -> int:
    """Encrypt secrets and attachments with the newest key of DESKBELL_ENCRYPTION_KEYS.

    Of an attachment only the key that lies in front of it is encrypted anew. The desk goes on working. Stopped, it goes
    on where it was when it is run again. 1 if something could not be changed: keep the old keys then.
    """
    from deskbell.cli.desks import open_desk
    from deskbell.kernel.rotation import ROTATE_SECRETS, SETTLE_STORAGE, Aim, forget_unused_keys

    with open_desk() as desk:
        newest = desk.resources.vault.ring.newest.name
        if background:
            leave_to_worker(desk, ROTATE_SECRETS)
            leave_to_worker(desk, SETTLE_STORAGE, Aim.ROTATED)
            return 0
        secrets, failed = _rotate_secrets(desk)
        files, damaged = settle_all(desk, Aim.ROTATED)
        needed = forget_unused_keys(desk.resources.storage, newest)
    say(f"{counted(secrets, 'secret')} and {counted(files, 'attachment')} went over to the key {newest}.")
    if not (failed or damaged or needed):
        say("Nothing here needs an older key any more; backups of before do.")
    return complain([*failed, *damaged])


def _rotate_secrets(desk: "Desk") -> tuple[int, list[str]]:
    """Go through all columns of secrets, each batch in its own transaction; return how many, and which could not."""
    from deskbell.cli.desks import system
    from deskbell.kernel.rotation import renew_secrets, secret_columns

    changed, failed = 0, list[str]()
    for column in secret_columns():
        after, more = 0, True
        while more:
            with desk.database.transaction(system()) as session:
                batch, after = renew_secrets(session, column, after)
            changed, more = changed + batch.changed, batch.more
            failed += batch.failed
    return changed, failed
