"""Mailboxes: where mail comes from and how answers leave, and whether that works."""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from sqlalchemy.orm import Session

from deskbell.mail.mailboxes import actions
from deskbell.mail.mailboxes.queries import get_folder
from deskbell.mail.sources.comparing import fill_gaps
from deskbell.web.admin import mailbox_pages
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show, wanted_or_missing
from deskbell.web.admin.mailbox_checks import Checked, check
from deskbell.web.admin.mailbox_forms import FORM_FIELDS, MailboxForm
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
from deskbell.web.pages.rendering import render
from deskbell.web.schemas.base import PathId

router = admin_router("/mailboxes")
Sent = Annotated[MailboxForm, Form()]


@router.get("")
async def list_mailboxes(request: Request, session: Transaction, me: Me) -> Response:
    """List mailboxes with how they stand."""
    return await show(request, session, me, "mailboxes.html", **await session.run_sync(mailbox_pages.mailbox_list))


@router.get("/new")
async def new_mailbox(request: Request, session: Transaction, me: Me) -> Response:
    """Show the empty form."""
    return await _form(request, session, me, MailboxForm.empty(), Outcome())


@router.post("")
async def add_mailbox(request: Request, session: Transaction, me: Me, form: Sent) -> Response:
    """Add a mailbox."""
    outcome = await attempt(request, session, lambda db: actions.create_mailbox(db, form.wanted()), FORM_FIELDS)
    if outcome.errors:
        return await _form(request, session, me, form, outcome)
    made = wanted_or_missing(outcome.value)
    return done(request, f"/mailboxes/{made.id}", marked("%(name)s was added."), name=made.name)


@router.post("/test")
async def test_new_mailbox(request: Request, session: Transaction, me: Me, form: Sent) -> Response:
    """Try the connections of a mailbox that is not there yet."""
    checked = await check(request, session, me, form)
    if _is_part(request):
        return _result(request, checked)
    return await _form(request, session, me, form, Outcome(None, checked.errors, checked.status), checked=checked)


@router.get("/{mailbox_id}")
async def show_mailbox(request: Request, session: Transaction, me: Me, mailbox_id: PathId) -> Response:
    """Show a mailbox: how it stands, and the form that changes it."""
    return await _page(request, session, me, mailbox_id, Outcome())


@router.post("/{mailbox_id}")
async def save_mailbox(request: Request, session: Transaction, me: Me, mailbox_id: PathId, form: Sent) -> Response:
    """Change a mailbox."""

    def change(db: Session) -> None:
        actions.change_mailbox(db, mailbox_id, form.wanted())

    outcome = await attempt(request, session, change, FORM_FIELDS)
    if outcome.errors:
        return await _page(request, session, me, mailbox_id, outcome, form)
    return done(request, f"/mailboxes/{mailbox_id}", marked("Saved."))


@router.post("/{mailbox_id}/test")
async def test_mailbox(request: Request, session: Transaction, me: Me, mailbox_id: PathId, form: Sent) -> Response:
    """Try the connections as the form has them; secrets that were not typed are those that are kept."""
    checked = await check(request, session, me, form, mailbox_id)
    if _is_part(request):
        return _result(request, checked)
    outcome: Outcome[None] = Outcome(None, checked.errors, checked.status)
    return await _page(request, session, me, mailbox_id, outcome, form, checked=checked)


@router.post("/{mailbox_id}/activate")
async def activate(request: Request, session: Transaction, mailbox_id: PathId) -> Response:
    """Fetch and send again."""
    await session.run_sync(lambda db: actions.set_mailbox_active(db, mailbox_id, active=True))
    return done(request, f"/mailboxes/{mailbox_id}", marked("The mailbox is in use again."))


@router.post("/{mailbox_id}/deactivate")
async def deactivate(request: Request, session: Transaction, mailbox_id: PathId) -> Response:
    """Neither fetch nor send any more."""
    await session.run_sync(lambda db: actions.set_mailbox_active(db, mailbox_id, active=False))
    return done(request, f"/mailboxes/{mailbox_id}", marked("The mailbox rests: nothing is fetched or sent by it."))


@router.post("/{mailbox_id}/compare")
async def compare(request: Request, session: Transaction, mailbox_id: PathId) -> Response:
    """Compare the folders on the server with the ledger, soon."""
    await session.run_sync(mailbox_pages.compare_folders, mailbox_id)
    return done(
        request, f"/mailboxes/{mailbox_id}", marked("The folders are compared now. Load this page in a moment.")
    )


@router.post("/{mailbox_id}/folders/{folder_id}/fill")
async def fill(request: Request, session: Transaction, mailbox_id: PathId, folder_id: PathId) -> Response:
    """Fetch what the comparison missed, soon."""
    await session.run_sync(lambda db: fill_gaps(db, get_folder(db, mailbox_id, folder_id).id))
    return done(request, f"/mailboxes/{mailbox_id}", marked("The missing messages are fetched now."))


def _is_part(request: Request) -> bool:
    """Whether a script asks for the result alone."""
    return request.headers.get("hx-request") == "true"


def _result(request: Request, checked: Checked) -> Response:
    return render(request, "admin/_mailbox_check.html", checked=checked)


async def _form(
    request: Request,
    session: Transaction,
    me: Me,
    form: MailboxForm,
    outcome: Outcome[Any],
    checked: Checked | None = None,
) -> Response:
    context = await session.run_sync(mailbox_pages.form_choices)
    context |= {"values": form.shown(), "errors": outcome.errors, "kept": [], "mailbox": None, "checked": checked}
    return await show(request, session, me, "mailbox_new.html", status=outcome.status, **context)


async def _page(
    request: Request,
    session: Transaction,
    me: Me,
    mailbox_id: int,
    outcome: Outcome[Any],
    form: MailboxForm | None = None,
    checked: Checked | None = None,
) -> Response:
    context = await session.run_sync(mailbox_pages.mailbox_page, mailbox_id)
    context |= {"errors": outcome.errors, "kept": context["mailbox"]["kept"], "checked": checked} | (
        {"values": form.shown()} if form else {}
    )
    return await show(request, session, me, "mailbox.html", status=outcome.status, **context)
