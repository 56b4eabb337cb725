"""The test of a mailbox's connections, as its form has them: with secrets that were typed, else those that are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter, Request, Response

from deskbell.kernel.errors import InvalidError
from deskbell.mail.sources.checking import Step
from deskbell.mail.sources.errors import Stage
from deskbell.web.admin.frame import ROOT, Outcome
from deskbell.web.admin.mailbox_forms import MailboxForm
from deskbell.web.admin.mailboxes import Sent, show_form, show_page
from deskbell.web.apart import AdminApart, Apart
from deskbell.web.i18n import marked
from deskbell.web.pages.rendering import render
from deskbell.web.schemas.base import PathId
from deskbell.web.trials import steps_of
from deskbell.web.worded import worded

router = APIRouter(prefix=f"{ROOT}/mailboxes", include_in_schema=False)
"""Without the transaction of an `admin_router`, which would wait for the servers: `AdminApart` asks who it is."""
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


@router.post("/test")
async def test_new_mailbox(request: Request, apart: AdminApart, form: Sent) -> Response:
    """Try the connections of a mailbox that is not there yet."""
    checked = await check(apart, form)
    if _is_part(request):
        return _result(request, checked)
    async with apart.transaction() as session:
        return await show_form(request, session, apart.me, form, _outcome(checked), checked)


@router.post("/{mailbox_id}/test")
async def test_mailbox(request: Request, apart: AdminApart, mailbox_id: PathId, form: Sent) -> Response:
    """Try the connections as the form has them; secrets that were not typed are those that are kept."""
    checked = await check(apart, form, mailbox_id)
    if _is_part(request):
        return _result(request, checked)
    async with apart.transaction() as session:
        return await show_page(request, session, apart.me, mailbox_id, _outcome(checked), form, checked)


async def check(apart: Apart, form: MailboxForm, mailbox_id: int | None = None) -> Checked:
    """Try the connections of a mailbox that would be like this. Nothing is saved."""
    try:
        return Checked(await steps_of(apart, form.wanted(), mailbox_id))
    except InvalidError as error:
        return Checked(errors={error.field or "": worded(error)})


def _outcome(checked: Checked) -> Outcome[None]:
    return Outcome(None, checked.errors, checked.status)


def _is_part(request: Request) -> bool:
    """Whether a script asks for the result alone."""
    return request.headers.get("hx-request") == "true"


def _result(request: Request, checked: Checked) -> Response:
    return render(request, "admin/_mailbox_check.html", checked=checked)
