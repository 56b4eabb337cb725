"""Made-up desks: lifelike, complete, and the same again for the same seed."""

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from deskbell.cli.demo_load import Loading
from deskbell.curation.demo import has_stories, load_demo
from deskbell.curation.demo.calendar import DAY, HOUR, SPAN, Calendar, in_working_hours
from deskbell.curation.demo.language import Language, Writer, mistyped
from deskbell.curation.demo.people import has_real_tickets
from deskbell.curation.demo.samples import keep_files
from deskbell.curation.demo.words import common, doing, done, plural
from deskbell.kernel.address import Address
from deskbell.kernel.database import Database
from deskbell.kernel.local_storage import LocalStorage
from deskbell.testing.factories import SYSTEM, Factory
from deskbell.testing.plugin import open_database
from deskbell.testing.servers import clone

UNTIL = datetime(2026, 11, 1, 12, tzinfo=UTC)
TICKETS = 1500

EVERYTHING = {
    "tickets": """
        select ticket_number, title, t.description, description_folded, status, priority, channel, c.email as who,
               a.email as agent, o.name as company, m.name as team, version, reopen_count, due_at, first_responded_at,
               resolved_at, deleted_at, t.created_at, t.updated_at
          from tickets t join users c on c.id = creator_id left join users a on a.id = assignee_id
          left join organizations o on o.id = t.organization_id join teams m on m.id = team_id order by ticket_number
    """,
    "comments": """
        select ticket_number, content, folded, is_internal, c.channel, email, c.created_at
          from comments c join tickets t on t.id = ticket_id join users u on u.id = author_id
         order by ticket_number, c.created_at
    """,
    "attachments": """
        select ticket_number, file_name, media_type, size, sha256, storage_key, content_id, email, c.created_at
          from attachments a join tickets t on t.id = a.ticket_id join users u on u.id = uploaded_by_id
          left join comments c on c.id = comment_id order by ticket_number, file_name
    """,
    "tags": """
        select ticket_number, name from ticket_tags join tickets t on t.id = ticket_id join tags g on g.id = tag_id
         order by ticket_number, name
    """,
}


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - made-up data


def fill(database: Database, storage: Path, *, tickets: int = TICKETS, seed: int = 1, batch: int = 400) -> Loading:
    loading = Loading(database, LocalStorage(storage), tickets, seed, UNTIL, batch)
    loading.run(report=lambda _: None, check=lambda: None)
    return loading


def rows(database: Database, query: str) -> list[Any]:
    with database.transaction(SYSTEM) as session:
        return list(session.execute(text(query)).all())


def value(database: Database, query: str) -> Any:
    [[found]] = rows(database, query)
    return found


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo-attachments")


@pytest.fixture(scope="module")
def desk(server: Address, storage: Path) -> Iterator[Database]:
    """A desk with made-up tickets, that tests only read."""
    with clone(server, f"demo_desk_{os.getpid()}") as address, closing(open_database(address, storage)) as database:
        fill(database, storage)
        yield database


def test_the_same_seed_gives_the_same_desk(desk: Database, fresh_database: Database, tmp_path: Path) -> None:
    fill(fresh_database, tmp_path)
    for kind, query in EVERYTHING.items():
        assert rows(fresh_database, query) == rows(desk, query), kind


def test_another_seed_gives_another_desk(desk: Database, fresh_database: Database, tmp_path: Path) -> None:
    fill(fresh_database, tmp_path, seed=2, tickets=200)
    titles = "select title || description from tickets"
    assert not {row[0] for row in rows(fresh_database, titles)} & {row[0] for row in rows(desk, titles)}


def test_there_are_as_many_tickets_as_were_asked_for_also_when_the_last_batch_is_short(desk: Database) -> None:
    assert value(desk, "select count(*) from tickets") == TICKETS
    numbers = "select count(distinct ticket_number), min(ticket_number), max(ticket_number) from tickets"
    assert rows(desk, numbers) == [(TICKETS, "DB-1001", f"DB-{1000 + TICKETS}")]


def test_what_is_said_to_be_loaded_is_there(fresh_database: Database, tmp_path: Path) -> None:
    loaded = fill(fresh_database, tmp_path, tickets=300).loaded
    for kind, table in {"comments": "comments", "attachments": "attachments", "tags": "ticket_tags"}.items():
        assert loaded[kind] == value(fresh_database, f"select count(*) from {table}") > 0  # noqa: S608 - constants


def test_each_document_is_the_one_that_would_be_built_again(fresh_database: Database, tmp_path: Path) -> None:
    fill(fresh_database, tmp_path, tickets=300)
    documents = "select * from search_documents order by ticket_id"
    built = rows(fresh_database, documents)
    rebuilt = value(fresh_database, "select deskbell_index_tickets(array_agg(id)) from tickets")
    assert rebuilt == len(built) == 300
    assert rows(fresh_database, documents) == built
    counted = "select sum(comment_count), sum(attachment_count) from search_documents"
    assert rows(fresh_database, counted) == rows(
        fresh_database, "select (select count(*) from comments), (select count(*) from attachments)"
    )


def test_the_words_of_all_documents_are_known_for_typing_errors_to_be_corrected(desk: Database) -> None:
    unknown = (
        "select count(*) from search_documents d, unnest(tsvector_to_array(coalesce(staff_vector, public_vector))) w"
        " where w ~ '^[[:alpha:]]{3,30}$' and not exists (select from search_words k where k.word = w)"
    )
    assert value(desk, unknown) == 0
    assert value(desk, "select count(*) from search_words") > 1000


@pytest.mark.parametrize("table", ["tickets", "comments", "attachments", "users", "organizations", "tags"])
def test_each_row_is_in_the_audit_log(desk: Database, table: str) -> None:
    missing = (
        f"select count(*) from {table} r where not exists (select from audit_logs l where l.table_name = '{table}'"  # noqa: S608 - constants
        " and l.record_id = r.id and l.action = 'CREATE')"
    )
    assert value(desk, missing) == 0


def test_a_run_is_one_operation_also_when_everybody_is_there_already(fresh_database: Database, tmp_path: Path) -> None:
    for _ in range(2):
        fill(fresh_database, tmp_path, tickets=300, batch=100)
    operations = rows(fresh_database, "select act, channel, user_id from operations where act <> 'make partitions'")
    assert operations == [("deskbell demo", "import", None)] * 2
    assert value(fresh_database, "select count(*) from tickets") == 600


def test_the_bytes_of_attachments_are_in_the_storage(desk: Database, storage: Path) -> None:
    kept = LocalStorage(storage)
    found = rows(desk, "select distinct storage_key, sha256, size, media_type from attachments")
    for key, digest, size, _ in found:
        with kept.open(key) as stream:
            content = stream.read()
        assert (sha256(content).hexdigest(), len(content)) == (digest, size)
    assert {"image/png", "application/pdf", "text/csv"} <= {kind for *_, kind in found}


def test_about_one_ticket_in_eight_has_a_file_and_some_are_between_the_lines(desk: Database) -> None:
    share = value(desk, "select count(distinct ticket_id)::float8 / (select count(*) from tickets) from attachments")
    assert 0.08 < share < 0.2
    assert value(desk, "select count(*) from attachments where content_id is not null") > 0
    strangers = (
        "select count(*) from attachments a join comments c on c.id = a.comment_id where c.ticket_id <> a.ticket_id"
    )
    assert value(desk, strangers) == 0


def test_threads_are_mostly_short_and_now_and_then_long(desk: Database) -> None:
    counts = [row[0] for row in rows(desk, "select comment_count from search_documents")]
    assert 1.5 < sum(counts) / len(counts) < 2.5
    assert counts.count(0) > TICKETS / 10
    assert max(counts) >= 11
    assert 0.10 <= value(desk, "select avg(is_internal::int)::float8 from comments") <= 0.16


def test_all_happens_within_two_years_and_in_order(desk: Database) -> None:
    [(first, last, latest)] = rows(desk, "select min(created_at), max(created_at), max(updated_at) from tickets")
    assert UNTIL - timedelta(days=731) < first < last <= latest <= UNTIL
    wrong = (
        "select count(*) from tickets where updated_at < created_at or first_responded_at < created_at"
        " or resolved_at < created_at or deleted_at < created_at or resolved_at > updated_at"
    )
    assert value(desk, wrong) == 0
    early = "select count(*) from comments c join tickets t on t.id = ticket_id where c.created_at <= t.created_at"
    assert value(desk, early) == 0
    assert value(desk, "select max(created_at) from comments") <= UNTIL


def test_tickets_come_in_the_order_of_their_numbers(desk: Database) -> None:
    times = [row[0] for row in rows(desk, "select created_at from tickets order by ticket_number")]
    assert times == sorted(times)


def test_most_tickets_are_closed_and_the_open_ones_are_recent(desk: Database) -> None:
    unresolved = [row[0] for row in rows(desk, "select created_at from tickets where resolved_at is null")]
    assert 0.03 < len(unresolved) / TICKETS < 0.10
    assert sum(created > UNTIL - timedelta(days=180) for created in unresolved) > len(unresolved) / 2


def test_the_first_answer_is_the_first_public_comment_of_the_desk(desk: Database) -> None:
    wrong = """
        select count(*) from tickets t where first_responded_at is distinct from (
          select min(c.created_at) from comments c join users u on u.id = c.author_id
           where c.ticket_id = t.id and u.is_staff and not c.is_internal)
    """
    assert value(desk, wrong) == 0


def test_notes_are_written_by_the_desk_alone(desk: Database) -> None:
    wrong = "select count(*) from comments c join users u on u.id = author_id where c.is_internal and not u.is_staff"
    assert value(desk, wrong) == 0


def test_customers_ask_for_their_own_company(desk: Database) -> None:
    wrong = (
        "select count(*) from tickets t join users u on u.id = t.creator_id"
        " where t.organization_id is distinct from u.organization_id"
    )
    assert value(desk, wrong) == 0


def test_few_tags_are_on_most_tickets(desk: Database) -> None:
    uses = sorted(Counter(row[1] for row in rows(desk, EVERYTHING["tags"])).values(), reverse=True)
    assert len(uses) >= 40
    assert sum(uses[:10]) > 0.3 * sum(uses)
    assert uses[0] > 10 * uses[-1]


def test_words_follow_zipfs_law(desk: Database) -> None:
    words = Counter(
        word for row in rows(desk, "select title || ' ' || description from tickets") for word in row[0].split()
    )
    ranked = [count for _, count in words.most_common()]
    assert len(ranked) > 3000
    assert 5 < ranked[9] / ranked[99] < 40  # ten times rarer, more or less
    assert 5 < ranked[99] / ranked[999] < 40


def test_other_scripts_and_typing_errors_occur(desk: Database) -> None:
    assert value(desk, "select count(*) from tickets where description ~ '[а-я]|[α-ω]|[ぁ-ん]|[一-龯]|[ا-ي]'") > 0
    assert value(desk, "select count(*) from tickets where description ~ '[éüñçł]'") > 0
    chance = chance_of(1)
    assert len({mistyped(chance, "The parcel has not arrived.") for _ in range(50)}) > 10


def test_messages_are_as_long_as_people_write_them() -> None:
    language = Language(3)
    writer, topic = Writer(language, chance_of(3)), language.topics[0]
    lengths = [len(writer.first_message(topic, "Kim Berg").split()) for _ in range(2000)]
    assert 35 < sum(lengths) / len(lengths) < 55
    assert max(lengths) < 140
    assert {len(title.format(order=1, invoice=1, amount="1 €", code=1).split()) for title in topic.titles} <= set(
        range(3, 11)
    )


def test_no_sentence_has_a_gap_that_nothing_fills() -> None:
    language = Language(4)
    writer = Writer(language, chance_of(4))
    decks = [language.customer, language.agent, language.notes, language.foreign]
    decks += [deck for topic in language.topics for deck in (topic.titles, topic.problems, topic.answers)]
    for deck in decks:
        for _ in range(300):
            assert "{" not in writer.one(deck)


@pytest.mark.parametrize(
    ("verb", "participle", "present"),
    [("check", "checked", "checking"), ("close", "closed", "closing"), ("copy", "copied", "copying"),
     ("stop", "stopped", "stopping"), ("send", "sent", "sending"), ("delay", "delayed", "delaying")],
)  # fmt: skip
def test_verbs_are_inflected(verb: str, participle: str, present: str) -> None:
    assert (done(verb), doing(verb)) == (participle, present)


def test_nouns_have_plurals() -> None:
    assert [plural(noun) for noun in ("order", "box", "delivery", "key", "branch")] == [
        "orders", "boxes", "deliveries", "keys", "branches",
    ]  # fmt: skip


def test_the_first_choice_is_the_most_frequent_and_all_are_possible() -> None:
    chance = chance_of(5).random
    drawn = Counter(common(chance, "abcdefgh") for _ in range(5000))
    assert list("abcdefgh") == sorted(drawn)
    assert drawn["a"] > 2 * drawn["c"] > 2 * drawn["h"]
    even = Counter(common(chance, "abcdefgh", 100) for _ in range(5000))
    assert even["a"] < 1.5 * even["h"]


def test_time_never_goes_back_and_ends_where_it_should() -> None:
    until = int(UNTIL.timestamp())
    calendar = Calendar(until)
    moments = [calendar.moment(share / 1000) for share in range(1001)]
    assert moments == sorted(moments)
    assert until - SPAN <= moments[0] < until - SPAN + 3 * DAY
    assert until - DAY < moments[-1] < until


def test_nights_and_weekends_are_quiet() -> None:
    calendar = Calendar(int(UNTIL.timestamp()))
    moments = [datetime.fromtimestamp(calendar.moment(share / 20_000), UTC) for share in range(20_000)]
    assert sum(m.weekday() >= 5 for m in moments) < sum(m.weekday() == 0 for m in moments)
    assert sum(m.hour < 6 for m in moments) < sum(9 <= m.hour < 11 for m in moments)


def test_nobody_answers_at_night() -> None:
    assert all(7 <= in_working_hours(hour * HOUR) // HOUR % 24 < 20 for hour in range(48))


def test_files_are_written_once(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    assert keep_files(storage) == keep_files(storage)
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == len({file.key for file in keep_files(storage)})


def test_what_is_raised_between_batches_leaves_whole_batches(fresh_database: Database, tmp_path: Path) -> None:
    checks = iter(range(100))

    def check() -> None:
        if next(checks) == 3:
            raise KeyboardInterrupt

    loading = Loading(fresh_database, LocalStorage(tmp_path), TICKETS, 1, UNTIL, 100)
    with pytest.raises(KeyboardInterrupt):
        loading.run(report=lambda _: None, check=check)
    whole = sum(size for _, size in list(loading.batches())[:3])
    assert loading.loaded["tickets"] == value(fresh_database, "select count(*) from search_documents") == whole


@pytest.mark.parametrize("tickets", [1, 2, 249, 250, 251, 1999, 2000, 50_000, 1_000_001])
def test_batches_follow_each_other_without_a_gap(tickets: int) -> None:
    loading = Loading(None, None, tickets, 1, UNTIL)  # type: ignore[arg-type]  # nothing is loaded
    batches = list(loading.batches())
    assert [start for start, _ in batches] == [sum(size for _, size in batches[:n]) for n in range(len(batches))]
    assert sum(size for _, size in batches) == tickets
    assert all(0 < size <= loading.batch for _, size in batches)


def test_made_up_tickets_are_not_real_ones(desk: Database, factory: Factory, database: Database) -> None:
    with desk.transaction(SYSTEM) as session:
        assert not has_real_tickets(session)
    factory.ticket()
    with database.transaction(SYSTEM) as session:
        assert has_real_tickets(session)


def test_the_small_desk_is_known_when_it_is_there(database: Database) -> None:
    with database.transaction(SYSTEM) as session:
        assert not has_stories(session)
        assert load_demo(session) == 12
        assert has_stories(session)
        assert not has_real_tickets(session)
