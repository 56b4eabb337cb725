"""A new ticket that an agent opens for somebody who asked in another way: by telephone, at the door."""

import hashlib
import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from deskbell.accounts.profiles import find_requester
from deskbell.accounts.queries import agents
from deskbell.kernel.crypto import new_token
from deskbell.kernel.database import actor_of, translating
from deskbell.kernel.errors import DeskbellError, InvalidError, NotFoundError
from deskbell.tickets import actions, labels
from deskbell.tickets.bodies import Body
from deskbell.tickets.models import Ticket, TicketPriority
from deskbell.web.bodies import read_body
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.idempotency import AlreadyAnsweredError, Attempt, KeyReusedError, claim, keep_answer
from deskbell.web.pages import present
from deskbell.web.pages.doors import STAFF_PAGE
from deskbell.web.schemas.base import BIGGEST, Text
from deskbell.web.worded import worded
from deskbell.web.workspace.frame import show

router = APIRouter(include_in_schema=False, dependencies=[STAFF_PAGE])

MOST_TAGS: Final = 20
_KEY: Final = re.compile(r"[\w-]{20,100}", re.ASCII)


class NewTicketForm(BaseModel):
    """What the form holds. `key` is of this form alone: sent twice, it opens one ticket."""

    requester: Annotated[Text, Field(max_length=1000)] = ""
    requester_name: Annotated[Text, Field(max_length=1000)] = ""
    title: Annotated[Text, Field(max_length=2000)] = ""
    description: Annotated[Text, Field(max_length=1_000_000)] = ""
    priority: TicketPriority = TicketPriority.MEDIUM
    tags: Annotated[Text, Field(max_length=4000)] = ""
    assignee_id: Annotated[int, Field(ge=1, le=BIGGEST)] | Literal[""] = ""
    key: Annotated[str, Field(max_length=200)] = ""

    @property
    def tag_names(self) -> list[str]:
        """The names between the commas, each once."""
        return list(dict.fromkeys(name.strip() for name in self.tags.split(",") if name.strip()))

    @property
    def fingerprint(self) -> bytes:
        """What was sent, apart from the key."""
        return hashlib.sha256(self.model_dump_json(exclude={"key"}).encode(errors="replace")).digest()


@router.get("/tickets/new")
async def show_new_ticket(
    request: Request, session: Transaction, me: Me, requester: Annotated[Text, Query(max_length=254)] = ""
) -> Response:
    """Show the form."""
    return await _form(request, session, me, NewTicketForm(requester=requester))


@router.post("/tickets/new")
async def send_new_ticket(
    request: Request, session: Transaction, me: Me, form: Annotated[NewTicketForm, Form()]
) -> Response:
    """Open the ticket and show it; where something is wrong, show the form again with it."""
    try:
        with translating(request.app.state.database.constraint_errors):
            async with session.begin_nested():
                body = await read_body(form.description, "markdown", field="description")
                return await session.run_sync(_opened_once, form, body, me.user_id)
    except AlreadyAnsweredError as answered:
        return answered.response
    except KeyReusedError:
        sent_before = InvalidError(
            _("This form was sent before, and its ticket was opened. Send it again for another one.")
        )
        return await _form(request, session, me, form, sent_before)
    except (InvalidError, NotFoundError) as error:
        return await _form(request, session, me, form, error)


async def _form(
    request: Request, session: Transaction, me: Me, form: NewTicketForm, error: DeskbellError | None = None
) -> Response:
    people = await session.run_sync(lambda plain: [present.person(agent) for agent in plain.scalars(agents())])
    context: dict[str, Any] = {
        "form": form.model_copy(update={"key": new_token("form")}),
        "problem": {"field": _FIELDS.get(str(error.details.get("field", "")), ""), "message": worded(error)}
        if error
        else None,
        "priorities": present.choices(TicketPriority),
        "agents": people,
    }
    return await show(
        request, session, me, "workspace/new_ticket.html", status=InvalidError.status if error else 200, **context
    )


_FIELDS: Final = {
    "email": "requester",
    "requester_id": "requester",
    "title": "title",
    "description": "description",
    "content": "description",
    "name": "tags",
    "tags": "tags",
    "assignee_id": "assignee_id",
}
"""Field of an error → field of the form."""


def _opened_once(session: Session, form: NewTicketForm, body: Body, user_id: int) -> Response:
    """Open the ticket, or answer as before where this very form was sent before."""
    is_known = _KEY.fullmatch(form.key) is not None
    row_id = claim(session, user_id, Attempt(form.key, form.fingerprint)) if is_known else None
    ticket = _opened(session, form, body)
    response = RedirectResponse(f"/tickets/{quote(ticket.ticket_number, safe='')}", status_code=303)
    if row_id is not None:
        keep_answer(session, row_id, response)
    return response


def _opened(session: Session, form: NewTicketForm, body: Body) -> Ticket:
    if not form.title.strip():
        raise InvalidError(_("A ticket needs a title."), field="title")
    if len(form.tag_names) > MOST_TAGS:
        wrong = _("A ticket has at most %(most)s tags to begin with.") % {"most": MOST_TAGS}
        raise InvalidError(wrong, field="tags")
    if not form.requester.strip():
        raise InvalidError(_("Say who asks: an e-mail address."), field="email")
    requester = find_requester(session, user_id=None, email=form.requester, full_name=form.requester_name)
    ticket = actions.open_ticket(
        session,
        body=body,
        requester=requester,
        title=form.title,
        priority=form.priority,
        channel=actor_of(session).channel,
    )
    for name in form.tag_names:
        labels.tag(session, ticket.ticket_number, name)
    if form.assignee_id:
        actions.assign(session, ticket.ticket_number, form.assignee_id)
    return ticket
