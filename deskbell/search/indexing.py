"""Building search documents anew, and the language that they are read in.

Triggers keep the documents; this is for what is no change of a ticket: a desk from before there were any documents,
and another language.
"""

from typing import Final

from sqlalchemy import BigInteger, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from deskbell.kernel.errors import InvalidError
from deskbell.tickets.models import Ticket

BATCH: Final = 2_000
WEIGHED: Final = 20_000
"""Documents: two seconds."""
LANGUAGES: Final = (
    *("arabic", "armenian", "basque", "catalan", "danish", "dutch", "english", "finnish", "french", "german", "greek"),
    *("hindi", "hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian", "portuguese"),
    *("romanian", "russian", "serbian", "simple", "spanish", "swedish", "tamil", "turkish", "yiddish"),
)
"""Those for which PostgreSQL has a stemmer; `simple` has none, for desks that write in several."""


def index_batch(session: Session, after: int = 0, *, size: int = BATCH) -> int | None:
    """Build the documents of the next tickets by id; return the last one's id, None when there are no more."""
    ids = session.scalars(select(Ticket.id).where(Ticket.id > after).order_by(Ticket.id).limit(size)).all()
    if not ids:
        return None
    session.execute(select(func.deskbell_index_tickets(literal(ids, ARRAY(BigInteger)))))
    return ids[-1]


def weigh_words(session: Session, sample: int = WEIGHED) -> int:
    """Count in how many of the newest documents each word stands, to tell errors from what was meant."""
    changed: int = session.execute(select(func.deskbell_weigh_words(sample))).scalar_one()
    return changed


def search_language(session: Session) -> str:
    """Return the language whose words are stemmed."""
    language: str = session.execute(select(func.deskbell_search_language())).scalar_one()
    return language


def set_search_language(session: Session, language: str) -> bool:
    """Stem words in another language from now on; return whether it is another one. For administrators.

    What was indexed before was so in the old one: build the documents anew afterwards. Raises InvalidError.
    """
    if language not in LANGUAGES:
        message = f"There is no stemmer for {language!r}. Choose from {', '.join(LANGUAGES)}."
        raise InvalidError(message, field="language")
    if language == search_language(session):
        return False
    session.execute(select(func.deskbell_set_search_language(language)))
    return True
