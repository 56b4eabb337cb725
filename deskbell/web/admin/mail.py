"""The inbound ledger: every message that arrived, with what became of it and why; and what is decided about it."""

from functools import partial
from typing import Annotated, Literal

from fastapi import Form, Path, Query, Request, Response
from pydantic import BaseModel, Field

from deskbell.kernel.errors import InvalidError
from deskbell.mail.inbound import decisions
from deskbell.mail.inbound.models import MailState
from deskbell.web.admin import messages
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show
from deskbell.web.admin.listing import day, whole
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
from deskbell.web.pages import originals
from deskbell.web.pages.pager import Paged
from deskbell.web.schemas.base import PathId, Text

router = admin_router("/mail")
Line = Annotated[Text, Field(max_length=255)]
Images = Annotated[str, Query(max_length=5)]
"""Whether images from elsewhere are wanted: something, or nothing."""
Why = Annotated[Text, Form(max_length=1000)]


class Asked(BaseModel):
    """Which messages, as the address says it."""

    state: MailState | Literal[""] = ""
    mailbox: Line = ""
    words: Line = ""
    ticket: Line = ""
    since: Line = ""
    until: Line = ""

    def filters(self) -> messages.Filters:
        """Return it as the list takes it; a day that is none is left out."""
        return messages.Filters(
            self.state or None, self.mailbox, self.words, self.ticket, day(self.since), day(self.until)
        )


@router.get("")
async def list_mail(
    request: Request, session: Transaction, me: Me, pager: Paged, asked: Annotated[Asked, Query()]
) -> Response:
    """List messages, newest first."""
    context = await session.run_sync(messages.message_list, asked.filters(), pager, me.time_zone)
    return await show(request, session, me, "mail.html", status=422 if context["errors"] else 200, **context)


@router.post("/replay")
async def replay_all(
    request: Request,
    session: Transaction,
    mailbox: Annotated[Text, Form(max_length=30)] = "",
    state: Annotated[Text, Form(max_length=30)] = MailState.FAILED.value,
) -> Response:
    """Have all messages read and filed again that could not be."""
    if state not in messages.REPLAYED:
        raise InvalidError(field="state")
    again = partial(decisions.replay_all, state=MailState(state), mailbox_id=whole(mailbox))
    count = await session.run_sync(again)
    return done(request, "/mail", marked("Messages that are read again now: %(count)s."), count=count)


@router.get("/{message_id}")
async def show_message(
    request: Request, session: Transaction, me: Me, message_id: PathId, images: Images = ""
) -> Response:
    """Show a message: what became of it and why, how it came, what it says."""
    return await _page(request, session, me, message_id, Outcome(), images=bool(images))


@router.get("/{message_id}/body")
async def show_body(request: Request, session: Transaction, message_id: PathId, images: Images = "") -> Response:
    """Show what a message says, inside of the frame on its page."""
    raw = await session.run_sync(originals.raw_of, message_id)
    return originals.body(request, await originals.read(raw), images=bool(images))


@router.get("/{message_id}/files/{number}")
async def download_file(
    session: Transaction, message_id: PathId, number: Annotated[int, Path(ge=0, lt=10_000)]
) -> Response:
    """Send a file of a message."""
    raw = await session.run_sync(originals.raw_of, message_id)
    return originals.file(await originals.read(raw), number)


@router.get("/{message_id}/raw")
async def download_message(session: Transaction, message_id: PathId) -> Response:
    """Send a message as it came, to be kept as a file: no browser shows it."""
    return originals.as_it_came(await session.run_sync(originals.raw_of, message_id), message_id)


@router.post("/{message_id}/release")
async def release(request: Request, session: Transaction, me: Me, message_id: PathId) -> Response:
    """Let a suspended message in."""
    outcome = await attempt(request, session, lambda db: decisions.release(db, message_id))
    return await _decided(request, session, me, message_id, outcome, marked("It is let in now."))


@router.post("/{message_id}/reject")
async def reject(request: Request, session: Transaction, me: Me, message_id: PathId, why: Why = "") -> Response:
    """Turn a message away."""
    outcome = await attempt(request, session, lambda db: decisions.reject(db, message_id, why))
    return await _decided(request, session, me, message_id, outcome, marked("It was turned away."))


@router.post("/{message_id}/replay")
async def replay(request: Request, session: Transaction, me: Me, message_id: PathId) -> Response:
    """Have a message read and filed again."""
    outcome = await attempt(request, session, lambda db: decisions.replay(db, message_id))
    return await _decided(request, session, me, message_id, outcome, marked("It is read again now."))


async def _decided(
    request: Request, session: Transaction, me: Me, message_id: int, outcome: Outcome[None], said: str
) -> Response:
    if outcome.errors:
        return await _page(request, session, me, message_id, outcome, images=False)
    return done(request, f"/mail/{message_id}", said)


async def _page(
    request: Request, session: Transaction, me: Me, message_id: int, outcome: Outcome[None], *, images: bool
) -> Response:
    context = await session.run_sync(messages.message_page, message_id)
    raw = context.pop("raw")
    context |= originals.about(await originals.read(raw) if raw else None)
    context |= {"errors": outcome.errors, "with_images": images}
    return await show(request, session, me, "message.html", status=outcome.status, **context)
