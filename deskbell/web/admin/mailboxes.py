"""Mailboxes: where mail comes from and how answers leave, and whether that works."""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell.accounts.login import Identity
from deskbell.mail.mailboxes import actions
from deskbell.mail.mailboxes.queries import get_folder
from deskbell.mail.sources.comparing import compare_mailbox, fill_gaps
from deskbell.web.admin import mailbox_pages
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show, wanted_or_missing
from deskbell.web.admin.mailbox_forms import FORM_FIELDS, MailboxForm
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
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
    return await show_form(request, session, me, MailboxForm.empty(), Outcome())


@router.post("")
async def add_mailbox(request: Request, session: Transaction, me: Me, form: Sent) -> Response:
    """Add a mailbox."""
    outcome = await attempt(request, session, lambda db: actions.create_mailbox(db, form.wanted()), FORM_FIELDS)
    if outcome.errors:
        return await show_form(request, session, me, form, outcome)
    made = wanted_or_missing(outcome.value)
    return done(request, f"/mailboxes/{made.id}", marked("%(name)s was added."), name=made.name)


@router.get("/{mailbox_id}")
async def show_mailbox(request: Request, session: Transaction, me: Me, mailbox_id: PathId) -> Response:
    """Show a mailbox: how it stands, and the form that changes it."""
    return await show_page(request, session, me, mailbox_id, Outcome())


@router.post("/{mailbox_id}")
async def save_mailbox(request: Request, session: Transaction, me: Me, mailbox_id: PathId, form: Sent) -> Response:
    """Change a mailbox."""

    def change(db: Session) -> None:
        actions.change_mailbox(db, mailbox_id, form.wanted())

    outcome = await attempt(request, session, change, FORM_FIELDS)
    if outcome.errors:
        return await show_page(request, session, me, mailbox_id, outcome, form)
    return done(request, f"/mailboxes/{mailbox_id}", marked("Saved."))


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
    await session.run_sync(compare_mailbox, mailbox_id)
    return done(
        request, f"/mailboxes/{mailbox_id}", marked("The folders are compared now. Load this page in a moment.")
    )


@router.post("/{mailbox_id}/folders/{folder_id}/fill")
async def fill(request: Request, session: Transaction, mailbox_id: PathId, folder_id: PathId) -> Response:
    """Fetch what the comparison missed, soon."""
    await session.run_sync(lambda db: fill_gaps(db, get_folder(db, mailbox_id, folder_id).id))
    return done(request, f"/mailboxes/{mailbox_id}", marked("The missing messages are fetched now."))


async def show_form(
    request: Request,
    session: AsyncSession,
    me: Identity,
    form: MailboxForm,
    outcome: Outcome[Any],
    checked: object = None,
) -> Response:
    """Show the form of a mailbox that is not there yet; `checked` is what a test of its connections found."""
    context = await session.run_sync(mailbox_pages.form_choices)
    context |= {"values": form.shown(), "errors": outcome.errors, "kept": [], "mailbox": None, "checked": checked}
    return await show(request, session, me, "mailbox_new.html", status=outcome.status, **context)


async def show_page(
    request: Request,
    session: AsyncSession,
    me: Identity,
    mailbox_id: int,
    outcome: Outcome[Any],
    form: MailboxForm | None = None,
    checked: object = None,
) -> Response:
    """Show a mailbox, with a form where one was filled in; `checked` is what a test of its connections found."""
    context = await session.run_sync(mailbox_pages.mailbox_page, mailbox_id)
    context |= {"errors": outcome.errors, "kept": context["mailbox"]["kept"], "checked": checked} | (
        {"values": form.shown()} if form else {}
    )
    return await show(request, session, me, "mailbox.html", status=outcome.status, **context)
