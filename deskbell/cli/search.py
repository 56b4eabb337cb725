"""`deskbell search`: the language that words are stemmed in, and building the documents anew."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import command, group
from deskbell.cli.console import counted, note, say

if TYPE_CHECKING:
    from deskbell.runtime import Desk

app = group("What tickets are found by.", "deskbell search language german", "deskbell search reindex")

Language = Annotated[
    str,
    typer.Argument(metavar="[LANGUAGE]", help="Such as german; simple for several.", show_default=False),
]


@command(app, "search language", "deskbell search language", "deskbell search language german")
def choose_language(language: Language = "") -> None:
    """Show the language whose words are stemmed, or choose another one.

    "arrived" finds "arrives" because both have the same stem. Another language builds all documents anew, during which
    the desk goes on working.
    """
    from deskbell.cli.desks import open_desk, system
    from deskbell.search.indexing import search_language, set_search_language

    with open_desk() as desk:
        with desk.database.transaction(system()) as session:
            changed = bool(language) and set_search_language(session, language.lower())
            current = search_language(session)
        if changed:
            _build(desk)
    say(f"The search reads {current}." if changed or not language else f"The search reads {current} already.")


@command(app, "search reindex", "deskbell search reindex")
def reindex() -> None:
    """Build the search documents of all tickets anew.

    Triggers keep them, so nothing should ask for this; it does no harm either.
    """
    from deskbell.cli.desks import open_desk

    with open_desk() as desk:
        done = _build(desk)
    say(f"{counted(done, 'document')} built.")


def _build(desk: "Desk") -> int:
    """Build all documents, each batch in its own transaction; return how many."""
    from sqlalchemy import func, select

    from deskbell.cli.desks import system
    from deskbell.cli.progress import meter
    from deskbell.search.indexing import BATCH, index_batch
    from deskbell.tickets.models import Ticket

    with desk.database.transaction(system()) as session:
        total = session.scalar(select(func.count()).select_from(Ticket)) or 0
    last, done = 0, 0
    with meter("Building", "tickets", total) as bar:
        while True:
            with desk.database.transaction(system()) as session:
                found = index_batch(session, last)
            if found is None:
                break
            last, done = found, min(done + BATCH, total)
            bar.show(items=done, position=done)
    if not done:
        note("There are no tickets yet.")
    return done
