"""What surrounds every page of the workspace: the rail with the views."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell.accounts.login import Identity
from deskbell.accounts.models import Role
from deskbell.search.views import all_views
from deskbell.web.i18n import marked
from deskbell.web.pages.rendering import render


@dataclass(frozen=True, slots=True)
class RailView:
    """A place in the rail. `key` names it in the answer of the counts; a built-in name is translated when shown."""

    key: str
    name: str
    icon: str
    query: str
    href: str
    is_built_in: bool = False


def _built_in(key: str, name: str, icon: str, query: str) -> RailView:
    return RailView(key, name, icon, query, f"/tickets?q={quote(query, safe=':-')}", is_built_in=True)


BUILT_IN: Final[Sequence[RailView]] = (
    _built_in("mine", marked("Assigned to me"), "person", "assignee:me status:open,in_progress,waiting_on_customer"),
    _built_in("unassigned", marked("Unassigned"), "inbox", "assignee:none status:open,in_progress"),
    _built_in("open", marked("All open"), "ticket", "status:open,in_progress"),
    _built_in("urgent", marked("Urgent"), "alert", "priority:urgent status:open,in_progress"),
    _built_in("overdue", marked("Overdue"), "clock", "is:overdue"),
)
"""Views that every desk needs, before anybody saved one."""


def rail(session: Session) -> list[RailView]:
    """Return the saved views that the actor sees, in their order. One statement."""
    return [
        RailView(f"view-{view.id}", view.name, "view", view.query, f"/views/{view.id}") for view in all_views(session)
    ]


async def show(
    request: Request, session: AsyncSession, me: Identity, template: str, *, status: int = 200, **context: object
) -> Response:
    """Render a page of the workspace in its frame; customers have no rail."""
    views = await session.run_sync(rail) if me.role is not Role.CUSTOMER else []
    return render(request, template, status=status, me=me, built_in_views=BUILT_IN, saved_views=views, **context)
