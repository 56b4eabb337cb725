"""Many tickets at once: create them, move them, give them to somebody."""

from deskbell.kernel.errors import InvalidError
from deskbell.tickets.bulk import CreatedTicket
from deskbell.tickets.bulk_changes import bulk_assign_tickets, bulk_update_ticket_status
from deskbell.tickets.bulk_creation import bulk_insert_with_return
from deskbell.web.dependencies import STAFF_ONLY, Transaction
from deskbell.web.routes import WRITING_PROBLEMS, api_router
from deskbell.web.schemas.bulk import BulkAssignIn, BulkCreatedOut, BulkCreateIn, BulkResultOut, BulkStatusIn

router = api_router("/tickets/bulk", "tickets")


@router.post("", status_code=201, summary="Create many tickets", dependencies=[STAFF_ONLY], responses=WRITING_PROBLEMS)
async def create_tickets(session: Transaction, wanted: BulkCreateIn) -> BulkCreatedOut:
    """Create up to 5,000 tickets: all of them, or none where one is wrong, which is then named as `row`."""
    try:
        created: list[CreatedTicket] = await bulk_insert_with_return(session, [one.row() for one in wanted.tickets])
    except InvalidError as error:
        raise _in_words_of_the_api(error) from error
    return BulkCreatedOut.of(created)


@router.post("/status", summary="Move many tickets", dependencies=[STAFF_ONLY], responses=WRITING_PROBLEMS)
async def change_status(session: Transaction, wanted: BulkStatusIn) -> BulkResultOut:
    """Say where up to 100,000 tickets stand. What is left alone is named, and is no error."""
    return BulkResultOut.of(await bulk_update_ticket_status(session, wanted.ticket_ids, wanted.status))


@router.post("/assign", summary="Assign many tickets", dependencies=[STAFF_ONLY], responses=WRITING_PROBLEMS)
async def assign(session: Transaction, wanted: BulkAssignIn) -> BulkResultOut:
    """Give up to 100,000 tickets to somebody, or to nobody. The open ones are then in progress."""
    return BulkResultOut.of(await bulk_assign_tickets(session, wanted.ticket_ids, wanted.assignee_id))


def _in_words_of_the_api(error: InvalidError) -> InvalidError:
    """What the table calls the creator is the requester here."""
    field = "requester_id" if error.field == "creator_id" else error.field
    return InvalidError(error.message, field=field, row=error.details.get("row"))
