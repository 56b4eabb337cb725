"""Letters: the words of what is sent, for each kind and language, with a look at what becomes of them."""

from typing import Annotated, Any, Final

from fastapi import Form, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from deskbell.kernel.errors import InvalidError, NotFoundError
from deskbell.mail.outbound import templates
from deskbell.mail.outbound.models import OutboundKind
from deskbell.mail.outbound.rendering import Rendered
from deskbell.web.admin.frame import ROOT, admin_router, done, show
from deskbell.web.admin.outbox import KINDS
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import languages, marked
from deskbell.web.pages.rendering import render
from deskbell.web.schemas.base import Text
from deskbell.web.worded import worded

router = admin_router("/letters")
FIELDS: Final = ("subject", "body")
POLICY: Final = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'; sandbox"
)
"""What a previewed letter may do: nothing but look as it will."""
CONDITION: Final = "{% if files %}…{% endif %}"
_AROUND: Final = 40
MEANINGS: Final = {
    "agent.name": marked("who answered, else who has the ticket"),
    "author.name": marked("who wrote the message"),
    "can_reply": marked("for conditions: whether an answer by mail arrives"),
    "files": marked("files that are too large to go along"),
    "link": marked("the link, as a button"),
    "message": marked("what was written"),
    "quote": marked("what was written before"),
    "reason": marked("what the server said"),
    "recipient.name": marked("to whom it goes"),
    "requester.name": marked("who asked"),
    "signature": marked("the mailbox's signature"),
    "site": marked("the name of this desk"),
    "ticket.number": marked("the ticket's number"),
    "ticket.title": marked("the ticket's title"),
    "time": marked("how long the link works"),
}


class LetterForm(BaseModel):
    """The fields of the form."""

    subject: Annotated[Text, Field(max_length=5_000)] = ""
    body: Annotated[Text, Field(max_length=100_000)] = ""


Sent = Annotated[LetterForm, Form()]


@router.get("")
async def list_letters(request: Request, session: Transaction, me: Me) -> Response:
    """List letters: kinds by languages."""
    return await show(request, session, me, "letters.html", **await session.run_sync(letter_list))


@router.get("/{kind}/{locale}")
async def show_letter(request: Request, session: Transaction, me: Me, kind: OutboundKind, locale: str) -> Response:
    """Show a letter with the form that changes it."""
    return await _page(request, session, me, kind, locale)


@router.post("/{kind}/{locale}")
async def save_letter(
    request: Request, session: Transaction, me: Me, kind: OutboundKind, locale: str, form: Sent
) -> Response:
    """Write a letter anew."""
    _known(locale)
    try:
        await session.run_sync(templates.save_template, kind, locale, form.subject, form.body)
    except InvalidError as error:
        return await _page(request, session, me, kind, locale, form, error)
    return done(request, f"/letters/{kind}/{locale}", marked("Saved. Letters are sent like this from now on."))


@router.post("/{kind}/{locale}/revert")
async def revert_letter(request: Request, session: Transaction, kind: OutboundKind, locale: str) -> Response:
    """Go back to our words."""
    _known(locale)
    await session.run_sync(templates.revert_template, kind, locale)
    return done(request, f"/letters/{kind}/{locale}", marked("The letter has its first words again."))


@router.get("/{kind}/{locale}/preview")
async def preview_letter(request: Request, session: Transaction, kind: OutboundKind, locale: str) -> Response:
    """Show, inside of the frame on the page, what the letter looks like as it is."""
    words = await session.run_sync(templates.get_template, kind, _known(locale))
    return _preview(request, kind, locale, LetterForm(subject=words.subject, body=words.body))


@router.post("/{kind}/{locale}/preview")
async def preview_typed(
    request: Request, _session: Transaction, kind: OutboundKind, locale: str, form: Sent
) -> Response:
    """Show, inside of the frame on the page, what would be sent with what was typed."""
    return _preview(request, kind, _known(locale), form)


def letter_list(session: Session) -> dict[str, Any]:
    """Return kinds, languages, and which letters an administrator wrote. One statement."""
    found = templates.list_templates(session)
    letters: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        shown = {"locale": one.locale, "is_own": one.is_own, "updated_at": one.updated_at}
        letters.setdefault(one.kind.value, []).append(shown)
    return {"letters": letters, "kinds": KINDS, "languages": _languages()}


def where(text: str, position: int) -> dict[str, Any]:
    """Return the line and column of a place in a text, from 1, and what stands before and after it in its line."""
    begin = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[begin : end if end >= 0 else None]
    column = position - begin
    return {
        "line": text.count("\n", 0, position) + 1,
        "column": column + 1,
        "before": line[max(column - _AROUND, 0) : column],
        "at": line[column : column + 1],
        "after": line[column + 1 : column + _AROUND],
    }


def _languages() -> dict[str, str]:
    return {code: one.name for code, one in languages().items()}


def _known(locale: str) -> str:
    if locale not in languages():
        raise NotFoundError(_("There is no such language."))
    return locale


async def _page(
    request: Request,
    session: Transaction,
    me: Me,
    kind: OutboundKind,
    locale: str,
    form: LetterForm | None = None,
    error: InvalidError | None = None,
) -> Response:
    letter = await session.run_sync(templates.get_template, kind, _known(locale))
    field = error.field if error and error.field in FIELDS else ""
    context = {
        "letter": {"kind": kind.value, "locale": locale, "is_own": letter.is_own, "updated_at": letter.updated_at},
        "values": (form or LetterForm(subject=letter.subject, body=letter.body)).model_dump(),
        "errors": {field or "": worded(error)} if error else {},
        "place": _place(form, field, error),
        "names": [(f"{{{{ {name} }}}}", MEANINGS.get(name, "")) for name in templates.names_of(kind)],
        "condition": CONDITION,
        "kinds": KINDS,
        "languages": _languages(),
        "root": f"{ROOT}/letters/{kind}/{locale}",
    }
    return await show(request, session, me, "letter.html", status=error.status if error else 200, **context)


def _place(form: LetterForm | None, field: str | None, error: InvalidError | None) -> dict[str, Any] | None:
    if form is None or not field or error is None or error.position is None:
        return None
    text = " ".join(form.subject.split()) if field == "subject" else form.body.replace("\r\n", "\n").strip()
    return where(text, min(error.position, len(text))) | {"field": field}


def _preview(request: Request, kind: OutboundKind, locale: str, form: LetterForm) -> Response:
    rendered: Rendered | None = None
    problem = ""
    try:
        rendered = templates.preview(kind, locale, form.subject, form.body)
    except InvalidError as error:
        problem = worded(error)
    page = render(request, "admin/letter_preview.html", letter=rendered, problem=problem)
    headers = {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "private, no-store"}
    return HTMLResponse(page.body, headers=headers)
