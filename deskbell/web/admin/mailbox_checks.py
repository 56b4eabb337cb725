"""The test of a mailbox's connections, as its form has them: with secrets that were typed, else those that are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from deskbell.accounts.login import Identity
from deskbell.kernel.actor import Actor, ActorKind, Channel
from deskbell.kernel.database import Database
from deskbell.kernel.errors import InvalidError
from deskbell.mail.mailboxes.trials import secrets_of, trial_of
from deskbell.mail.sources.checking import Step
from deskbell.mail.sources.errors import Stage
from deskbell.mail.sources.trying import try_out
from deskbell.web.admin.mailbox_forms import MailboxForm
from deskbell.web.i18n import marked

STAGES: Final = {
    Stage.RESOLVE: marked("Find the server"),
    Stage.CONNECT: marked("Connect"),
    Stage.TLS: marked("Encrypt"),
    Stage.TOKEN: marked("Get a token"),
    Stage.LOG_IN: marked("Log in"),
    Stage.CAPABILITIES: marked("Hear of new mail"),
    Stage.FOLDER: marked("Open a folder"),
    Stage.FETCH: marked("Fetch"),
    Stage.SENDER: marked("Send as this address"),
}
SERVICES: Final = {"imap": marked("Fetching"), "smtp": marked("Sending")}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a test found: its steps, or what of the form makes no sense."""

    steps: Sequence[Step] = ()
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_service(self) -> list[tuple[str, list[tuple[str, Step]]]]:
        """The steps with the names of their stages, for each service that has any."""
        found = [(name, [step for step in self.steps if step.service == one]) for one, name in SERVICES.items()]
        return [(name, [(STAGES[step.stage], step) for step in steps]) for name, steps in found if steps]

    @property
    def is_fine(self) -> bool:
        """Whether all of it worked."""
        return all(step.is_ok for step in self.steps)

    @property
    def status(self) -> int:
        """The status of a page that tells this."""
        return 422 if self.errors else 200


async def check(
    request: Request, session: AsyncSession, me: Identity, form: MailboxForm, mailbox_id: int | None = None
) -> Checked:
    """Try the connections of a mailbox that would be like this. Nothing is saved.

    The kept secrets are the system's to open, and are told to no server but the one that they were given for.
    """
    try:
        trial = await session.run_sync(trial_of, form.wanted(), mailbox_id)
    except InvalidError as error:
        return Checked(errors={error.field or "": error.message})
    database: Database = request.app.state.database
    actor = Actor(ActorKind.SYSTEM, me.user_id, Channel.WEB, "test a mailbox")
    async with database.async_transaction(actor) as system:
        secrets = await system.run_sync(secrets_of, trial)
    return Checked(await try_out(trial, secrets))
