"""Changing many tickets from the list: what is chosen, a preview of the effect, and the change as one operation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from deskbell.accounts.queries import agents
from deskbell.kernel.errors import InvalidError, NotFoundError
from deskbell.search.queries import compile_query
from deskbell.tickets.bulk_acts import BulkAct, bulk_change, changed_since, preview_bulk
from deskbell.tickets.bulk_changes import MOST_IDS, BulkResult
from deskbell.tickets.models import Ticket, TicketPriority, TicketStatus
from deskbell.tickets.queries import tags
from deskbell.web.dependencies import Key, Me, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import marked, number
from deskbell.web.pages import present
from deskbell.web.pages.doors import STAFF_PAGE
from deskbell.web.pages.rendering import inner_path
from deskbell.web.schemas.base import BIGGEST, Text
from deskbell.web.worded import worded
from deskbell.web.workspace.frame import show
from deskbell.web.workspace.outcome import Outcome

router = APIRouter(include_in_schema=False, dependencies=[STAFF_PAGE])

Ids = Annotated[list[Annotated[int, Field(ge=1, le=BIGGEST)]], Field(max_length=1000)]
TITLES: Final[Mapping[BulkAct, str]] = {
    BulkAct.STATUS: marked("Change the status"),
    BulkAct.ASSIGN: marked("Assign"),
    BulkAct.PRIORITY: marked("Change the priority"),
    BulkAct.TAG: marked("Add a tag"),
    BulkAct.UNTAG: marked("Remove a tag"),
    BulkAct.DELETE: marked("Delete"),
    BulkAct.RESTORE: marked("Restore"),
}
NEEDS_NO_VALUE: Final = frozenset({BulkAct.DELETE, BulkAct.RESTORE})
NOBODY: Final = "nobody"


class Chosen(BaseModel):
    """Which tickets, and what is to become of them. `all` stands for everything that `q` finds."""

    ids: Ids = []
    all: bool = False
    q: Annotated[Text, Field(max_length=5000)] = ""
    act: BulkAct
    value: Annotated[Text, Field(max_length=1000)] = ""
    back: Annotated[str, Field(max_length=6000)] = "/tickets"

    @property
    def is_complete(self) -> bool:
        """Whether it says what to change to."""
        return bool(self.value) or self.act in NEEDS_NO_VALUE

    @property
    def given(self) -> str:
        """The value as the act takes it."""
        return "" if self.act is BulkAct.ASSIGN and self.value == NOBODY else self.value


class Sent(Chosen):
    """What is to be done, and what the preview said: how many would change, and when that was."""

    expected: int = Field(0, ge=0)
    at: datetime | None = None


@router.get("/tickets/bulk")
async def show_bulk(request: Request, session: Transaction, me: Me, chosen: Annotated[Chosen, Query()]) -> Response:
    """Ask what to change to, and show what that would do."""
    return await _form(request, session, me, chosen)


@router.post("/tickets/bulk")
async def send_bulk(
    request: Request, session: Transaction, me: Me, key: Key, form: Annotated[Sent, Form()]
) -> Response:
    """Do it, and go back to the list with what came of it; where it is refused, say why."""
    try:
        async with session.begin_nested():
            outcome = await session.run_sync(_done, form)
    except (InvalidError, NotFoundError) as error:
        return await _form(request, session, me, form, error)
    address = _back_to(form.back)
    mark = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{mark}done={outcome.seal(key)}", status_code=303)


async def _form(
    request: Request, session: Transaction, me: Me, chosen: Chosen, error: InvalidError | NotFoundError | None = None
) -> Response:
    context = await session.run_sync(bulk_page, chosen)
    if error is not None:
        context["error"] = worded(error)
    status = InvalidError.status if context["error"] else 200
    request.state.shown = len(context["preview"].left_alone) if context["preview"] else 0
    return await show(request, session, me, "workspace/bulk.html", status=status, **context)


def bulk_page(session: Session, chosen: Chosen) -> dict[str, Any]:
    """Return what the page shows: choices for the value, and the preview once there is one."""
    preview, error, count = None, "", len(set(chosen.ids))
    try:
        ids = tickets_chosen(session, chosen)
        count = len(ids)
        preview = preview_bulk(session, ids, chosen.act, chosen.given) if chosen.is_complete else None
    except (InvalidError, NotFoundError) as wrong:
        error = worded(wrong)
    return {
        "chosen": chosen,
        "title": TITLES[chosen.act],
        "count": count,
        "preview": preview,
        "error": error,
        "choices": _choices(session, chosen.act),
        "back": _back_to(chosen.back),
        "most": MOST_IDS,
        "query": None,
    }


def tickets_chosen(session: Session, chosen: Chosen) -> list[int]:
    """Return the ids that were ticked, or all that the query finds. Raises InvalidError for none, or too many."""
    if not chosen.all:
        if not chosen.ids:
            raise InvalidError(_("No ticket is selected. Go back and tick some."), field="ids")
        return sorted(set(chosen.ids))
    found = compile_query(session, chosen.q).with_only_columns(Ticket.id).order_by(None).limit(MOST_IDS + 1)
    ids = list(session.scalars(found))
    if not ids:
        raise InvalidError(_("The search finds no ticket any more."), field="q")
    if len(ids) > MOST_IDS:
        wrong = _(
            "More than %(most)s tickets match, which is the most that can be changed at once. "
            "Narrow the search, by a date for example, and do it in parts."
        )
        raise InvalidError(wrong % {"most": number(MOST_IDS)}, field="q")
    return ids


def _done(session: Session, form: Sent) -> Outcome:
    """Make the change. Who else has changed what since the preview is asked before, in the same transaction."""
    if not form.is_complete:
        raise InvalidError(_("Say what to change to."), field="value")
    ids = tickets_chosen(session, form)
    meanwhile, numbers = changed_since(session, ids, form.at) if form.at and not form.all else (0, ())
    result: BulkResult = bulk_change(session, ids, form.act, form.given)
    facts = (result.changed, len(result.unchanged), len(result.deleted), len(result.missing))
    return Outcome(*facts, expected=form.expected, meanwhile=meanwhile, numbers=numbers)


def _back_to(path: str) -> str:
    """Return the list to go back to: no open redirect, and no redirect on which the outcome would be lost."""
    address = inner_path(path)
    return address if address.startswith(("/tickets", "/views/")) else "/tickets"


def _choices(session: Session, act: BulkAct) -> list[dict[str, str]]:
    match act:
        case BulkAct.STATUS:
            return present.choices(TicketStatus)
        case BulkAct.PRIORITY:
            return present.choices(TicketPriority)
        case BulkAct.ASSIGN:
            people = (present.person(agent) for agent in session.scalars(agents()))
            return [{"value": str(person["id"]), "label": person["name"]} for person in people]
        case BulkAct.TAG | BulkAct.UNTAG:
            return [{"value": tag.name, "label": tag.name} for tag in session.scalars(tags())]
        case _:
            return []
