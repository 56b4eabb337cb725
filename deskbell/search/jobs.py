"""Jobs of the search slice."""

from sqlalchemy.orm import Session

from deskbell.kernel.jobs import add_job
from deskbell.search.indexing import index_batch, weigh_words

INDEX_DOCUMENTS = "search.index_documents"


def index_documents(session: Session, after: int = 0) -> None:
    """Build the search documents of the next tickets anew, and add a job for those that follow."""
    last = index_batch(session, after)
    if last is not None:
        add_job(session, INDEX_DOCUMENTS, after=last, priority=-10)


def weigh_all_words(session: Session) -> int:
    """Count in how many new documents each word stands, so that errors are corrected by the likeliest."""
    return weigh_words(session)
