"""The thread of a ticket: replies and internal notes."""

from functools import partial

from fastapi import Response

from deskbell.composing.guard import Seen, check_seen
from deskbell.tickets.changes import say
from deskbell.tickets.queries import OLDEST_COMMENT_FIRST, comments_of
from deskbell.web.bodies import read_body
from deskbell.web.conditional import Expected
from deskbell.web.dependencies import Tools, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.routes import WRITING_PROBLEMS, api_router
from deskbell.web.schemas.base import Number
from deskbell.web.schemas.tickets import CommentIn, CommentOut

router = api_router("/tickets/{number}/comments", "comments")


@router.get("", summary="List comments")
async def list_comments(session: Transaction, pages: Pages, number: Number) -> PageOf[CommentOut]:
    """Return the comments that you may see, oldest first."""
    return await pages.read(session, partial(comments_of, number=number), OLDEST_COMMENT_FIRST, CommentOut.of)


@router.post("", status_code=201, summary="Reply, or leave a note", responses=WRITING_PROBLEMS)
async def add_comment(
    response: Response, session: Transaction, tools: Tools, number: Number, wanted: CommentIn, expected: Expected
) -> CommentOut:
    """Answer in public, or, as the desk, note something that only the desk sees. The ETag is the ticket's.

    With what you have seen, something newer is a problem `moved_on`, which has it in `new_comments`, `new_copies` and
    `status_change`; `If-Match` refuses after any change at all.
    """
    body = await read_body(wanted.content, wanted.content_format)
    seen = Seen(wanted.seen_comment_id, wanted.seen_status, copy_id=wanted.seen_copy_id)
    if seen != Seen():
        await session.run_sync(check_seen, number, seen)
    comment, ticket = await session.run_sync(
        say,
        number,
        body,
        is_internal=wanted.is_internal,
        status=wanted.status,
        expected=expected,
        now=tools.clock.now(),
    )
    response.headers["ETag"] = f'"{ticket.version}"'
    return CommentOut.of(comment)
