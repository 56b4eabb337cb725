"""The search documents say what the tables say, whichever way a change came; customers get nothing of a note."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from deskbell.accounts.models import Role
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.models import Ticket

HITS = text(
    "select coalesce(staff_vector, public_vector) @@ q as staff, public_vector @@ q as public"
    " from search_documents, phraseto_tsquery('public.deskbell', deskbell_words(:words)) q where ticket_id = :ticket"
)
COUNTS = text(
    "select comment_count, public_comment_count, attachment_count, public_attachment_count"
    " from search_documents where ticket_id = :ticket"
)
FILE = text(
    "insert into attachments (ticket_id, comment_id, file_name, media_type, size, sha256, storage_key, uploaded_by_id)"
    " select id, :comment, :name, 'text/plain', 1, repeat('a', 64), 'k', creator_id from tickets where id = :ticket"
)


class Desk:
    """A ticket with a reply and a note, and what it is found by."""

    def __init__(self, database: Database, factory: Factory) -> None:
        self.database, self.factory = database, factory
        self.agent = factory.user(Role.AGENT)
        self.ticket: Ticket = factory.ticket(title="Café closed", message="Where is my card?")
        self.reply = factory.comment(self.ticket, self.agent, "It was posted yesterday.")
        self.note = factory.comment(self.ticket, self.agent, "Smells of fraud.", is_internal=True)

    def run(self, statement: str, **values: object) -> None:
        with self.database.transaction(SYSTEM) as session:
            session.execute(text(statement), {"ticket": self.ticket.id, **values})

    def attach(self, name: str, comment: int | None = None) -> None:
        with self.database.transaction(SYSTEM) as session:
            session.execute(FILE, {"ticket": self.ticket.id, "comment": comment, "name": name})

    def found(self, words: str) -> str:
        """Say who finds the ticket by these words: staff, everybody or nobody."""
        with self.database.transaction(SYSTEM) as session:
            staff, public = session.execute(HITS, {"words": words, "ticket": self.ticket.id}).one()
        assert staff or not public
        return "everybody" if public else "staff" if staff else "nobody"

    def counts(self) -> tuple[int, ...]:
        with self.database.transaction(SYSTEM) as session:
            return tuple(session.execute(COUNTS, {"ticket": self.ticket.id}).one())


@pytest.fixture
def desk(database: Database, factory: Factory) -> Desk:
    return Desk(database, factory)


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("cafe", "everybody"),
        ("CAFÉ", "everybody"),
        ("cards", "everybody"),
        ("posting", "everybody"),
        ("fraud", "staff"),
        ("smells of fraud", "staff"),
        ("refund", "nobody"),
        ("closed card", "nobody"),  # a phrase does not go on from the title into the description
        ("card posted", "nobody"),  # nor from one message into the next
    ],
)
def test_a_ticket_is_found_by_the_words_of_its_whole_thread(desk: Desk, words: str, who: str) -> None:
    assert desk.found(words) == who


def test_a_ticket_is_found_by_its_number_and_by_the_number_alone(desk: Desk) -> None:
    number = desk.ticket.ticket_number
    assert desk.found(number) == desk.found(number.lower()) == desk.found(number.partition("-")[2]) == "everybody"


def test_a_ticket_is_found_by_the_names_of_its_files(desk: Desk) -> None:
    desk.attach("Invoice_2026.pdf")
    desk.attach("passport.png", desk.note.id)
    assert desk.found("invoice") == desk.found("2026") == desk.found("Invoice_2026.pdf") == "everybody"
    assert desk.found("passport") == "staff"
    assert desk.counts() == (2, 1, 2, 1)


@pytest.mark.parametrize(
    "word", ["e-mail", "a/b", "49.00", "kim@example.org", "https://a.example/x?y=1", "C++", "<b>bold"]
)
def test_punctuation_makes_no_words_of_its_own(desk: Desk, word: str) -> None:
    desk.factory.comment(desk.ticket, desk.agent, f"Look:{word},please.")
    assert desk.found(word) == desk.found("please") == desk.found("look") == "everybody"


def test_an_edited_comment_is_found_by_its_new_words_alone(desk: Desk) -> None:
    desk.run("update comments set content = 'It was returned.' where id = :id", id=desk.reply.id)
    assert (desk.found("posted"), desk.found("returned")) == ("nobody", "everybody")


def test_a_note_made_public_and_a_reply_made_internal_change_who_finds_them(desk: Desk) -> None:
    desk.run("update comments set is_internal = not is_internal where ticket_id = :ticket")
    assert (desk.found("posted"), desk.found("fraud")) == ("staff", "everybody")
    assert desk.counts() == (2, 1, 0, 0)


def test_a_new_title_takes_the_place_of_the_old_one(desk: Desk) -> None:
    desk.run("update tickets set title = 'Shop opened' where id = :ticket")
    assert (desk.found("cafe"), desk.found("shop"), desk.found("fraud")) == ("nobody", "everybody", "staff")


def test_a_title_and_a_comment_of_one_transaction_are_both_found(desk: Desk) -> None:
    with desk.database.transaction(SYSTEM) as session:
        session.execute(text("update tickets set title = 'alpha' where id = :t"), {"t": desk.ticket.id})
        comment = text(
            "insert into comments (ticket_id, author_id, content) values (:t, :a, 'beta'), (:t, :a, 'gamma')"
        )
        session.execute(comment, {"t": desk.ticket.id, "a": desk.agent.id})
    assert {desk.found(word) for word in ("alpha", "beta", "gamma")} == {"everybody"}
    assert desk.counts()[:2] == (4, 3)


def test_changing_a_status_leaves_the_document_alone(desk: Desk) -> None:
    """Else each change of a property would cost an entry in the index for every word."""
    place = text("select ctid::text from search_documents where ticket_id = :t")
    with desk.database.transaction(SYSTEM) as session:
        before = session.scalar(place, {"t": desk.ticket.id})
        session.execute(
            text("update tickets set status = 'closed', title = title where id = :t"), {"t": desk.ticket.id}
        )
        assert session.scalar(place, {"t": desk.ticket.id}) == before


@pytest.mark.parametrize("size", [60_000, 1_200_000])
def test_megabytes_of_different_words_are_kept_and_searched_as_far_as_they_fit(desk: Desk, size: int) -> None:
    """A tsvector holds one megabyte; a log file sent by mail must neither be refused nor hide what came before."""
    words = " ".join(f"w{number:06}" for number in range(size // 8))
    for _ in range(2):
        desk.factory.comment(desk.ticket, desk.agent, f"beginning {words} ending")
    assert desk.found("card") == desk.found("beginning") == "everybody"
    desk.factory.comment(desk.ticket, desk.agent, "afterwards")
    assert desk.found("card") == "everybody"


def test_bulk_loads_build_their_documents_in_the_end(desk: Desk) -> None:
    with desk.database.transaction(SYSTEM) as session:
        session.execute(text("select set_config('deskbell.search', 'later', true)"))
        comment = text("insert into comments (ticket_id, author_id, content) values (:t, :a, 'beta')")
        session.execute(comment, {"t": desk.ticket.id, "a": desk.agent.id})
        hits = {"words": "beta", "ticket": desk.ticket.id}
        assert session.execute(HITS, hits).one() == (False, False)
        session.execute(text("select deskbell_index_tickets(array[:t])"), {"t": desk.ticket.id})
        assert session.execute(HITS, hits).one() == (True, True)
        session.execute(text("select set_config('deskbell.search', '', true)"))


def test_a_document_kept_by_triggers_has_the_words_of_one_built_anew(desk: Desk) -> None:
    desk.attach("first.pdf")
    desk.attach("second.pdf", desk.reply.id)
    desk.factory.comment(desk.ticket, desk.agent, "Another answer")
    words = text(
        "select tsvector_to_array(public_vector), tsvector_to_array(staff_vector), comment_count, public_comment_count,"
        " attachment_count, public_attachment_count from search_documents where ticket_id = :t"
    )
    with desk.database.transaction(SYSTEM) as session:
        kept = session.execute(words, {"t": desk.ticket.id}).one()
        session.execute(text("select deskbell_index_tickets(array[:t])"), {"t": desk.ticket.id})
        assert session.execute(words, {"t": desk.ticket.id}).one() == kept


@pytest.mark.parametrize(
    "statement",
    [
        "select staff_vector from search_documents",
        "select comment_count from search_documents",
        "select attachment_count from search_documents",
        "select word from search_words",
        "select 1 from search_documents where staff_vector is null",
    ],
)
def test_a_customer_cannot_read_the_words_of_a_note_even_by_raw_sql(desk: Desk, statement: str) -> None:
    who = actor(desk.factory.user())
    with pytest.raises(ForbiddenError), desk.database.transaction(who) as session:
        session.execute(text(statement))


@pytest.mark.parametrize("column", ["created_at", "due_at", "updated_at"])
def test_no_time_of_a_ticket_is_infinite(desk: Desk, column: str) -> None:
    """One such row made the list an answer that no program could read."""
    statements = {
        "created_at": "update tickets set created_at = 'infinity' where id = :ticket",
        "due_at": "update tickets set due_at = '-infinity' where id = :ticket",
        "updated_at": "insert into tickets (title, creator_id, updated_at) select 'x', creator_id, 'infinity'"
        " from tickets where id = :ticket",
    }
    with pytest.raises(InvalidError):
        desk.run(statements[column])


@pytest.fixture
def two(fresh_database: Database, fresh_address: object) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    del fresh_database
    with psycopg.connect(fresh_address.dsn) as one, psycopg.connect(fresh_address.dsn) as other:  # type: ignore[attr-defined]
        one.execute("insert into users (email) values ('kim@example.test')")
        one.commit()
        yield one, other


def test_two_who_write_the_same_new_words_in_another_order_do_not_wait_for_each_other(
    two: tuple[psycopg.Connection, psycopg.Connection],
) -> None:
    """A unique index of words would end one of them: each waits for the word that the other has written."""
    insert = "insert into tickets (title, creator_id) values (%s, 1)"
    for connection in two:
        connection.execute("set local statement_timeout = '5s'")
    for words in (("zebra", "yak"), ("yak", "zebra")):
        for connection, word in zip(two, words, strict=True):
            connection.execute(insert, (word,))
    for connection in two:
        connection.commit()
    found = two[0].execute("select count(*), count(distinct word) from search_words where word in ('zebra', 'yak')")
    assert found.fetchone() == (4, 2)
