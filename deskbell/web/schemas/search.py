"""Searching: what was found and where, what was corrected, and what an editor may offer."""

from pydantic import Field

from deskbell.web.schemas.base import Output
from deskbell.web.schemas.tickets import TicketSummary


class Hit(Output):
    """A ticket that was found. The two texts are HTML that is safe to show: escaped, with what was found in `<mark>`."""

    ticket: TicketSummary
    title_html: str | None = Field(
        description="Null where the query has no words.", examples=["My <mark>card</mark> has not arrived."]
    )
    snippet_html: str | None = Field(
        description="Some words around those that were found.", examples=["… a new <mark>card</mark> was sent …"]
    )


class TotalOut(Output):
    """How many tickets fit; they are not counted further than 10,000."""

    count: int = Field(examples=[10000])
    is_exact: bool = Field(examples=[False])
    text: str = Field(examples=["10,000+"])


class HintOut(Output):
    """Something in the query that is no mistake, but finds nothing: a name that nothing bears."""

    message: str = Field(examples=["There is no tag “biling”. Did you mean billing?"])
    position: int = Field(description="Zero-based character of `q`.", examples=[4])
    end: int = Field(examples=[10])
    suggestion: str | None = Field(description="What to put in its place.", examples=["billing"])


class SearchOut(Output):
    """A page of what was found."""

    items: list[Hit]
    next_cursor: str | None = Field(examples=["WyJhYmMiLDQyXQ.c2lnbmF0dXJl"])
    total: TotalOut | None = Field(description="Where it was asked for.")
    query: str = Field(description="The query as it was run.", examples=["(refudn OR refund) status:open"])
    corrections: dict[str, list[str]] = Field(
        description="Words that found too little, and those that were searched for as well.",
        examples=[{"refudn": ["refund"]}],
    )
    hints: list[HintOut]


class CompletionOut(Output):
    """Something that may stand at the cursor: `insert` takes the place of the characters from `start` to `end`."""

    insert: str = Field(examples=["status:"])
    label: str = Field(examples=["status:"])
    kind: str = Field(examples=["field"])
    detail: str = Field(examples=["where the ticket stands"])
    start: int = Field(examples=[0])
    end: int = Field(examples=[2])


class CompletionsOut(Output):
    """What may stand at the cursor, the likeliest first."""

    items: list[CompletionOut]
