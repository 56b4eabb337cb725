"""Letters: the words of what is sent, for each kind and language."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import ConfigDict, Field

from deskbell.mail.outbound.models import OutboundKind
from deskbell.mail.outbound.rendering import Rendered
from deskbell.mail.outbound.templates import Template, names_of
from deskbell.mail.outbound.wording import LONGEST_BODY, LONGEST_SUBJECT
from deskbell.web.schemas.base import EXAMPLE_TIME, Input, Output, Text, absent

_SUBJECT = "[{{ ticket.number }}] {{ ticket.title }}"
_BODY = "{{ author.name }} has answered:\n\n{{ message }}\n\n{{ link }}"
Subject = Annotated[Text, Field(max_length=10 * LONGEST_SUBJECT, examples=[_SUBJECT])]
Body = Annotated[Text, Field(max_length=10 * LONGEST_BODY, examples=[_BODY])]
"""Longer than a letter may be: that is told with the place where it is too long."""


class LetterSummary(Output):
    """A kind of letter in a language, and whose words it has."""

    model_config = ConfigDict(from_attributes=True)

    kind: OutboundKind = Field(examples=["answered"])
    locale: str = Field(examples=["de"])
    subject: str = Field(examples=[_SUBJECT])
    is_own: bool = Field(description="Whether an administrator wrote it; else it is as it came.")
    updated_at: datetime | None = Field(description="When they did.", examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, template: Template) -> Self:
        """Present a letter."""
        return cls.model_validate(template)


class LettersOut(Output):
    """The letters of all kinds in all languages."""

    items: list[LetterSummary]

    @classmethod
    def of(cls, found: Sequence[Template]) -> Self:
        """Present letters."""
        return cls(items=[LetterSummary.of(each) for each in found])


class LetterOut(LetterSummary):
    """A letter: templates of its subject and, in Markdown, its body."""

    body: str = Field(examples=[_BODY])
    names: list[str] = Field(description="What may stand in it.", examples=[["link", "message", "site"]])

    @classmethod
    def of(cls, template: Template) -> Self:
        """Present a letter with the names that it knows."""
        words = {name: getattr(template, name) for name in cls.model_fields if name != "names"}
        return cls(**words, names=list(names_of(template.kind)))


class LetterIn(Input):
    """The words of a letter."""

    subject: Subject
    body: Body


class LetterTrial(Input):
    """Words to be looked at; what is left out is as it is."""

    subject: Subject = Field(default_factory=absent)
    body: Body = Field(default_factory=absent)


class RenderedOut(Output):
    """What would be sent, of made-up facts."""

    model_config = ConfigDict(from_attributes=True)

    subject: str = Field(examples=["[DB-1042] My card has not arrived"])
    text: str = Field(examples=["Sam Weber has answered:\n\nThe card was sent on Monday."])
    html: str = Field(examples=["<!doctype html>…"])

    @classmethod
    def of(cls, rendered: Rendered) -> Self:
        """Present a letter as it is read."""
        return cls.model_validate(rendered)
