"""The test of a mailbox's connections: what is needed is read first, and then the servers are talked to."""

from sqlalchemy.orm import Session

from deskbell.mail.mailboxes.actions import Wanted
from deskbell.mail.mailboxes.trials import Trial, secrets_of, trial_of
from deskbell.mail.sources.checking import Step
from deskbell.mail.sources.trying import try_out
from deskbell.web.apart import Apart


async def steps_of(apart: Apart, wanted: Wanted, mailbox_id: int | None = None) -> list[Step]:
    """Try the connections of a mailbox that would be like this; nothing is saved. For an administrator.

    The kept secrets are the system's to open, and are told to no server but the one that they were given for. Raises
    InvalidError as saving does, and NotFoundError.
    """
    async with apart.as_system() as session:
        trial, secrets = await session.run_sync(_opened, wanted, mailbox_id)
    return await try_out(trial, secrets)


def _opened(session: Session, wanted: Wanted, mailbox_id: int | None) -> tuple[Trial, dict[str, str]]:
    trial = trial_of(session, wanted, mailbox_id)
    return trial, secrets_of(session, trial)
