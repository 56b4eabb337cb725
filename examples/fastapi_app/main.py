"""A shop's application on FastAPI: whoever has an account at the helpdesk asks there, and sees their own tickets."""

from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from deskbell import Ticket, both_worlds, get_tickets_with_details
from deskbell.integrations.fastapi import Deskbell
from deskbell.integrations.people import current_user
from deskbell.tickets.actions import open_ticket
from deskbell.tickets.bodies import body_of
from deskbell.tickets.labels import tag

helpdesk = Deskbell(upgrade=True)

app = FastAPI(title="Shop", lifespan=helpdesk.lifespan)
helpdesk.install(app)
helpdesk.mount(app, "/helpdesk")

HelpdeskSession = Annotated[AsyncSession, Depends(helpdesk.session, scope="function")]


class Question(BaseModel):
    """What somebody asks. The tag is for the desk's own use."""

    message: str
    tag: str = ""


class Answer(BaseModel):
    """A ticket, as the shop shows it."""

    number: str
    title: str
    status: str


@app.get("/tickets")
async def show_tickets(session: HelpdeskSession) -> list[Answer]:
    """List the tickets that whoever asks may see."""
    return [shown(ticket) for ticket in await get_tickets_with_details(session, limit=50)]


@both_worlds
def open_and_tag(session: Session, question: Question) -> Ticket:
    """Do two things that belong together: where a customer may not use tags, no ticket is opened either."""
    ticket = open_ticket(session, body=body_of(question.message), requester=current_user(session))
    if question.tag:
        tag(session, ticket.ticket_number, question.tag)
    return ticket


@app.post("/tickets", status_code=201)
async def ask(session: HelpdeskSession, question: Question) -> Answer:
    """Open a ticket. It is committed before the answer is sent, and not at all where anything is refused."""
    return shown(await open_and_tag(session, question))


def shown(ticket: Ticket) -> Answer:
    """Show a ticket."""
    return Answer(number=ticket.ticket_number, title=ticket.title, status=ticket.status.value)
