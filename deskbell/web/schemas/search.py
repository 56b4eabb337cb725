"""Searching: what was found and where, what was corrected, and what an editor may offer."""

from dataclasses import asdict
from typing import Self

from pydantic import Field

from deskbell.search.completion import Completion
from deskbell.search.finding import Found
from deskbell.search.language import print_query
from deskbell.search.names import Hint
from deskbell.search.totals import Total
from deskbell.web.schemas.base import Output
from deskbell.web.schemas.tickets import TicketSummary


class Hit(Output):
    """A ticket that was found. The two texts are safe HTML: escaped, and what was found is in `<mark>`."""

    ticket: TicketSummary
    title_html: str | None = Field(
        description="Null where the query has no words.", examples=["My <mark>card</mark> has not arrived."]
    )
    snippet_html: str | None = Field(
        description="Some words around those that were found.", examples=["… a new <mark>card</mark> was sent …"]
    )


class TotalOut(Output):
    """How many tickets fit; they are not counted further than 1,000."""

    count: int = Field(examples=[1000])
    is_exact: bool = Field(examples=[False])
    text: str = Field(examples=["1,000+"])

    @classmethod
    def of(cls, total: Total | None) -> Self | None:
        """Present a total, or nothing."""
        return None if total is None else cls(count=total.count, is_exact=total.is_exact, text=str(total))


class HintOut(Output):
    """Something in the query that is no mistake, but finds nothing: a name that nothing bears."""

    message: str = Field(examples=["There is no tag “biling”. Did you mean billing?"])
    position: int = Field(description="Zero-based character of `q`.", examples=[4])
    end: int = Field(examples=[10])
    suggestion: str | None = Field(description="What to put in its place.", examples=["billing"])

    @classmethod
    def of(cls, hint: Hint) -> Self:
        """Present a hint."""
        return cls(message=hint.message, position=hint.span.start, end=hint.span.end, suggestion=hint.suggestion)


class SearchFacts(Output):
    """What there is to say of a search beside what it found."""

    total: TotalOut | None = Field(description="Where it was asked for.")
    query: str = Field(description="The query as it was run.", examples=["(refudn OR refund) status:open"])
    corrections: dict[str, list[str]] = Field(
        description="Words that found too little, and those that were searched for as well.",
        examples=[{"refudn": ["refund"]}],
    )
    hints: list[HintOut]

    @classmethod
    def of(cls, found: Found, total: Total | None) -> Self:
        """Present what is known of a search."""
        return cls(
            total=TotalOut.of(total),
            query=print_query(found.query),
            corrections={word: list(similar) for word, similar in found.corrections.items()},
            hints=[HintOut.of(hint) for hint in found.hints],
        )


class SearchOut(SearchFacts):
    """A page of what was found."""

    items: list[Hit]
    next_cursor: str | None = Field(examples=["WyJhYmMiLDQyXQ.c2lnbmF0dXJl"])


class CompletionOut(Output):
    """Something that may stand at the cursor: `insert` takes the place of the characters from `start` to `end`."""

    insert: str = Field(examples=["status:"])
    label: str = Field(examples=["status:"])
    kind: str = Field(examples=["field"])
    detail: str = Field(examples=["where the ticket stands"])
    start: int = Field(examples=[0])
    end: int = Field(examples=[2])

    @classmethod
    def of(cls, completion: Completion) -> Self:
        """Present an offer."""
        return cls(**asdict(completion))


class CompletionsOut(Output):
    """What may stand at the cursor, the likeliest first."""

    items: list[CompletionOut]
