"""What the forms on a ticket's page have in common: change and come back, or be refused with what was typed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from deskbell.composing.errors import MovedOnError
from deskbell.kernel.database import translating
from deskbell.kernel.errors import ConflictError, InvalidError, StaleError
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.worded import worded
from deskbell.web.workspace import thread
from deskbell.web.workspace.frame import show


@dataclass(frozen=True, slots=True)
class Target:
    """Which form of which ticket was sent, what was typed into it, and where on the page to come back to.

    `typed` is what the composer held, `value` what stood in a form of one field.
    """

    number: str
    form: str
    typed: dict[str, Any] | None = None
    anchor: str = ""
    value: str = ""


def is_script(request: Request) -> bool:
    """Whether one of our scripts asks, which wants JSON or a part of a page, and not a person's browser."""
    return "text/html" not in request.headers.get("accept", "")


async def changed(
    request: Request, session: Transaction, me: Me, target: Target, change: Callable[[], Awaitable[object]]
) -> Response:
    """Make a change and go back to the ticket; where it is refused, show the ticket as it is, with what was typed."""
    try:
        with translating(request.app.state.database.constraint_errors):
            async with session.begin_nested():
                await change()
    except (InvalidError, ConflictError) as error:
        return await refused(request, session, me, target, error)
    return back(target)


def back(target: Target) -> Response:
    """Lead to the ticket."""
    return RedirectResponse(f"/tickets/{quote(target.number, safe='')}{target.anchor}", status_code=303)


async def refused(
    request: Request, session: Transaction, me: Me, target: Target, error: InvalidError | ConflictError
) -> Response:
    """Show the ticket as it is now, with the reason beside the form and what was typed in it."""
    session.expunge_all()  # what the refused change left in memory was rolled back
    context = await session.run_sync(thread.ticket, target.number)
    kind = "stale" if isinstance(error, StaleError) else "invalid"
    context["form_error"] = {"form": target.form, "kind": kind, "message": worded(error), "value": target.value}
    if isinstance(error, MovedOnError):
        context["form_error"]["kind"] = "news"
        context["news"] = _news(error)
    context["typed"] = target.typed
    return await show(request, session, me, "workspace/ticket.html", status=error.status, **context)


def _news(error: MovedOnError) -> dict[str, Any]:
    news = error.news
    return {
        "comments": [thread.comment_with_names(comment) for comment in news.comments],
        "status": news.status,
        "requester": news.requester,
        "copies": [{"name": copy.name, "email": copy.email} for copy in news.copies],
    }
