"""`deskbell search`: finding tickets with their place, the language of words, and building the documents anew."""

from typing import TYPE_CHECKING, Annotated

import typer

from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import counted, note, safe, say, say_json, stdout

if TYPE_CHECKING:
    from rich.text import Text

    from deskbell.runtime import Desk
    from deskbell.search.finding import Found
    from deskbell.search.snippets import Snippet
    from deskbell.search.totals import Total

app = group(
    "Finding tickets, and what they are found by.",
    'deskbell search tickets "card not arrived"',
    "deskbell search language german",
)

Query = Annotated[str, typer.Argument(metavar="QUERY", help='Words, "phrases", field:value and more.')]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]

Language = Annotated[
    str,
    typer.Argument(metavar="[LANGUAGE]", help="Such as german; simple for several.", show_default=False),
]


@command(
    app,
    "search tickets",
    'deskbell search tickets "card not arrived"',
    'deskbell search tickets "refund -tag:spam created>-30d" --as sam@example.org',
    "deskbell search tickets refund --json",
)
def search_tickets(query: Query, limit: Limit = 10, as_: As = "", as_json: Json = False) -> None:
    """Find tickets by what is said in them, and show where.

    The newest matches are sorted by how well they fit; `sort:updated` in the query sorts by date. Where few tickets
    have a word, those with words that are written alike are found as well.
    """
    from deskbell.audit.models import AccessKind
    from deskbell.cli.desks import actor, note_reading, open_desk
    from deskbell.kernel.errors import InvalidError
    from deskbell.search.finding import BY_RELEVANCE, find
    from deskbell.search.queries import compile_query
    from deskbell.search.snippets import snippets
    from deskbell.search.totals import BY_WORDS, count_up_to
    from deskbell.tickets.queries import numbers_and_titles

    with open_desk(reading=True) as desk, desk.database.transaction(who := actor(desk, as_)) as session:
        try:
            found = find(session, query, limit=limit, default=BY_RELEVANCE)
        except InvalidError as error:
            error.details["query"] = query
            raise
        marked = snippets(session, found.ids, found.words) if found.words is not None and found.ids else {}
        tickets = numbers_and_titles(session, found.ids)
        total = count_up_to(session, compile_query(session, found.query), BY_WORDS)
        note_reading(desk, who, AccessKind.SEARCH, query=query, shown=len(tickets))
    if as_json:
        say_json(_document(found, tickets, marked, total))
    else:
        _say_found(found, tickets, marked, total)


def _document(
    found: "Found", tickets: dict[int, tuple[str, str]], marked: "dict[int, Snippet]", total: "Total"
) -> dict[str, object]:
    def hit(number: int) -> dict[str, object]:
        snippet = marked.get(number)
        html = {"title_html": snippet.title, "snippet_html": snippet.text} if snippet else {}
        return {"number": tickets[number][0], "title": tickets[number][1], **html}

    return {
        "tickets": [hit(number) for number in found.ids if number in tickets],
        "total": {"count": total.count, "is_exact": total.is_exact},
        "corrections": found.corrections,
        "hints": [hint.message for hint in found.hints],
    }


def _say_found(
    found: "Found", tickets: dict[int, tuple[str, str]], marked: "dict[int, Snippet]", total: "Total"
) -> None:
    from rich.text import Text

    for hint in found.hints:
        note(hint.message, "yellow")
    for word, similar in found.corrections.items():
        note(f"Few tickets have “{word}”: also searched for {', '.join(similar)}.", "yellow")
    for number in found.ids:
        if number in tickets:
            name, title = tickets[number]
            snippet = marked.get(number)
            line = _bold(snippet.title) if snippet else Text(safe(title))
            stdout().print(Text.assemble((f"{name}  ", "cyan"), line), soft_wrap=True)
            if snippet and snippet.text:
                stdout().print(_bold("    " + " ".join(snippet.text.split())), soft_wrap=True)
    note(f"{total} found." if found.ids else "Nothing was found.", "dim")


def _bold(html: str) -> "Text":
    """Turn a snippet into text for the terminal, what was found in bold."""
    from html import unescape

    from rich.text import Text

    text = Text()
    for index, part in enumerate(html.replace("</mark>", "<mark>").split("<mark>")):
        text.append(safe(unescape(part)), style="bold" if index % 2 else "")
    return text


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
    from deskbell.search.indexing import BATCH, index_batch, weigh_words
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
    with desk.database.transaction(system()) as session:
        weigh_words(session)
    if not done:
        note("There are no tickets yet.")
    return done
