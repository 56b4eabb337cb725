"""Letters: the words of what is sent, which administrators choose, with a look at what becomes of them."""

from typing import Annotated

from fastapi import Path

from deskbell.mail.outbound import templates
from deskbell.mail.outbound.models import OutboundKind
from deskbell.web.dependencies import ADMIN_ONLY, Transaction
from deskbell.web.routes import api_router
from deskbell.web.schemas.letters import LetterIn, LetterOut, LettersOut, LetterTrial, RenderedOut

router = api_router("/letters", "letters")

Kind = Annotated[OutboundKind, Path(description="What it is about.", examples=["answered"])]
Locale = Annotated[str, Path(max_length=20, pattern="^[A-Za-z-]+$", description="In which language.", examples=["de"])]


@router.get("", summary="List letters", dependencies=[ADMIN_ONLY])
async def list_letters(session: Transaction) -> LettersOut:
    """Return the letters of all kinds in all languages, without their bodies."""
    return LettersOut.of(await session.run_sync(templates.list_templates))


@router.get("/{kind}/{locale}", summary="Read a letter", dependencies=[ADMIN_ONLY])
async def read_letter(session: Transaction, kind: Kind, locale: Locale) -> LetterOut:
    """Return a letter as it is sent from now on, and the names that may stand in it."""
    return LetterOut.of(await session.run_sync(templates.get_template, kind, locale))


@router.put("/{kind}/{locale}", summary="Write a letter", dependencies=[ADMIN_ONLY])
async def write_letter(session: Transaction, kind: Kind, locale: Locale, words: LetterIn) -> LetterOut:
    """Write a letter anew. What cannot be sent is refused, with `field` and `position` in it."""
    return LetterOut.of(await session.run_sync(templates.save_template, kind, locale, words.subject, words.body))


@router.delete("/{kind}/{locale}", status_code=204, summary="Go back to the first words", dependencies=[ADMIN_ONLY])
async def reset_letter(session: Transaction, kind: Kind, locale: Locale) -> None:
    """Go back to the words that a letter came with. Doing it twice is no error."""
    await session.run_sync(templates.revert_template, kind, locale)


@router.post("/{kind}/{locale}/preview", summary="Look at a letter", dependencies=[ADMIN_ONLY])
async def preview_letter(session: Transaction, kind: Kind, locale: Locale, words: LetterTrial) -> RenderedOut:
    """Return what would be sent with these words, of made-up facts. Nothing is saved."""
    now = await session.run_sync(templates.get_template, kind, locale)
    given = words.given()
    subject, body = given.get("subject", now.subject), given.get("body", now.body)
    return RenderedOut.of(templates.preview(kind, locale, subject, body))
