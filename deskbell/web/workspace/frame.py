"""What surrounds every page of the workspace: the rail with the views, and the table of keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Role
from deskbell.kernel.database import actor_of
from deskbell.kernel.fields import fields_of
from deskbell.search.views import all_views
from deskbell.web.i18n import marked
from deskbell.web.pages.rendering import render
from deskbell.web.workspace.keys import KEYS


@dataclass(frozen=True, slots=True)
class RailView:
    """A place in the rail. `key` names it in the answer of the counts; a built-in name is translated when shown.

    `needs` is a field or a flag of the query language without which there is no such place. `shortcut` follows g.
    """

    key: str
    name: str
    icon: str
    query: str
    href: str
    is_built_in: bool = False
    needs: str = ""
    shortcut: str = ""


def list_address(text: str, **further: str) -> str:
    """Return the address of the list of what a query finds, with parameters that are not empty."""
    return address_with("/tickets", q=text, **further)


def address_with(path: str, **parameters: str) -> str:
    """Return a path with those of the parameters that are not empty."""
    asked = urlencode({name: value for name, value in parameters.items() if value})
    return f"{path}?{asked}" if asked else path


def _built_in(key: str, name: str, icon: str, query: str, *, shortcut: str = "", needs: str = "") -> RailView:
    return RailView(key, name, icon, query, list_address(query), is_built_in=True, needs=needs, shortcut=shortcut)


_WORKED_ON: Final = "status:open,in_progress"
BUILT_IN: Final[Sequence[RailView]] = (
    _built_in("mine", marked("Assigned to me"), "person", "assignee:me is:unresolved", shortcut="m"),
    _built_in("mentions", marked("Mentions of me"), "at", "mentions:me is:unresolved", shortcut="@", needs="mentions"),
    _built_in("unassigned", marked("Unassigned"), "inbox", f"assignee:none {_WORKED_ON}", shortcut="u"),
    _built_in("open", marked("All open"), "ticket", _WORKED_ON, shortcut="i"),
    _built_in("waiting", marked("Waiting on customer"), "clock", "status:waiting_on_customer", shortcut="w"),
    _built_in("urgent", marked("Urgent"), "alert", f"priority:urgent {_WORKED_ON}", shortcut="p"),
    _built_in("overdue", marked("Overdue"), "calendar", "is:overdue", shortcut="o"),
)
"""Views that every desk needs, before anybody saved one."""


def built_in_views(session: Session) -> list[RailView]:
    """Return the built-in views whose fields there are."""
    known = fields_of(session).known_to(actor_of(session))
    return [view for view in BUILT_IN if not view.needs or view.needs in known]


def rail(session: Session) -> tuple[list[RailView], list[RailView]]:
    """Return the built-in views, and the saved ones that the actor sees, in their order. One statement."""
    saved = [
        RailView(f"view-{view.id}", view.name, "view", view.query, f"/views/{view.id}") for view in all_views(session)
    ]
    return built_in_views(session), saved


def surroundings(session: Session) -> dict[str, object]:
    """Return what a template of the workspace needs beside what the page is about."""
    built_in, saved = rail(session)
    return {"built_in_views": built_in, "saved_views": saved, "keys": KEYS}


async def show(
    request: Request, session: AsyncSession, me: Identity, template: str, *, status: int = 200, **context: object
) -> Response:
    """Render a page of the workspace in its frame; customers have no rail."""
    if me.role is not Role.CUSTOMER:
        context |= await session.run_sync(surroundings)
    return render(request, template, status=status, me=me, **context)
