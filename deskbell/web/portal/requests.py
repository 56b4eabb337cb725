"""All of a customer's requests, and asking a new one."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy.orm import Session

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.paging import Cursor
from deskbell.tickets.actions import TITLE_LENGTH
from deskbell.web.dependencies import Key, Me, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.pages.doors import CUSTOMERS_PAGE
from deskbell.web.pages.rendering import render
from deskbell.web.portal import thread
from deskbell.web.portal.finding import Wanted, requests, similar
from deskbell.web.portal.once import new_key
from deskbell.web.portal.sending import Question, read_message, send_once
from deskbell.web.portal.visiting import address_of
from deskbell.web.portal.words import Standing
from deskbell.web.schemas.base import Text
from deskbell.web.uploads import Inbox
from deskbell.web.worded import worded

router = APIRouter(include_in_schema=False, dependencies=[CUSTOMERS_PAGE])


@router.get("/requests")
async def show_requests(
    request: Request,
    session: Transaction,
    me: Me,
    key: Key,
    whose: str = "",
    standing: str = "",
    q: Annotated[Text, Query(max_length=500)] = "",
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Show one's requests, or those of one's organization."""
    chosen = next((each for each in Standing if each.value == standing), None)
    place = Cursor.unseal(cursor, key) if cursor else None
    wanted = Wanted(whose == "organization", chosen, " ".join(q.split()), place)
    found = await session.run_sync(requests, wanted, key)
    request.state.shown = len(found["items"])
    return render(request, "portal/requests.html", me=me, found=found, cursor=cursor)


@router.get("/requests/new")
async def show_new(request: Request, me: Me, title: Annotated[Text, Query(max_length=500)] = "") -> Response:
    """Show the form to ask."""
    return _form(request, me, {"title": title, "content": ""})


@router.get("/requests/similar")
async def show_similar(
    request: Request, session: Transaction, me: Me, title: Annotated[Text, Query(max_length=1000)] = ""
) -> Response:
    """Show one's own requests that are like a subject: a piece of the form, fetched while one types."""
    found = await session.run_sync(similar, title)
    request.state.shown = len(found)
    return render(request, "portal/_similar.html", me=me, similar=found)


@router.post("/requests")
async def send_request(
    request: Request, inbox: Inbox, session: Transaction, me: Me, form: Annotated[Question, Form()]
) -> Response:
    """Ask, and go to the new request; where something is wrong, show the form with what was typed."""
    try:
        _check_title(form.title)
        message = await read_message(form, inbox)
    except InvalidError as error:
        found = await session.run_sync(similar, form.title)
        return _form(request, me, {"title": form.title, "content": form.content}, error=error, similar=found)
    ask = partial(thread.ask, title=form.title, body=message.body, files=message.files)
    return await send_once(request, session, form.once, partial(_address_after, ask))


def _address_after(ask: "partial[str]", session: Session) -> str:
    return address_of(ask(session))


def _check_title(title: str) -> None:
    if not title.strip():
        raise InvalidError(_("Say in a few words what it is about."), field="title")
    if len(title.strip()) > TITLE_LENGTH:
        wrong = _("A subject has at most %(most)s characters. Write the rest below.") % {"most": TITLE_LENGTH}
        raise InvalidError(wrong, field="title")


def _form(
    request: Request, me: Me, typed: dict[str, str], *, error: InvalidError | None = None, similar: object = ()
) -> Response:
    wrong = {"field": error.field or "content", "message": worded(error)} if error else None
    largest = request.app.state.resources.attachment_bytes
    status = error.status if error else 200
    context = {"typed": typed, "wrong": wrong, "once": new_key(), "similar": similar, "largest": largest}
    return render(request, "portal/new.html", status=status, me=me, **context)
