"""The transaction of one request: opened late, ended once, by nobody else."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from deskbell.integrations.visits import Visit
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ConflictError, UnauthenticatedError
from deskbell.testing.factories import SYSTEM
from deskbell.tickets.labels import create_tag
from deskbell.tickets.models import Tag


def visit_of(database: Database) -> Visit:
    return Visit(lambda: database, lambda: SYSTEM)


def names(database: Database) -> list[str]:
    with database.transaction(SYSTEM) as session:
        return list(session.scalars(select(Tag.name)))


def test_a_request_that_asks_nothing_opens_nothing() -> None:
    def never() -> Database:
        raise AssertionError

    visit = Visit(never, lambda: SYSTEM)
    visit.end(well=True)


def test_what_went_well_is_committed_and_the_rest_taken_back(database: Database) -> None:
    for name, well in (("kept", True), ("dropped", False)):
        visit = visit_of(database)
        create_tag(visit.session, name=name)
        visit.end(well=well)
    assert names(database) == ["kept"]


def test_nobody_is_a_person_who_must_log_in(database: Database) -> None:
    with pytest.raises(UnauthenticatedError):
        _ = Visit(lambda: database, lambda: None).session


def test_a_helper_that_commits_is_refused_and_keeps_no_half_of_a_change(database: Database) -> None:
    """Trap 8: a helper that commits inside a request's transaction breaks its atomicity."""

    def helper(session: Session) -> None:
        create_tag(session, name="half")
        session.commit()

    visit = visit_of(database)
    with pytest.raises(RuntimeError, match="committed once, when the request has succeeded") as caught:
        helper(visit.session)
    assert visit.refuse(caught.value) is caught.value
    visit.end(well=True)
    assert names(database) == []


def test_a_commit_within_a_savepoint_is_refused_too(database: Database) -> None:
    visit = visit_of(database)
    visit.session.begin_nested()
    create_tag(visit.session, name="half")
    with pytest.raises(RuntimeError, match="committed once"):
        visit.session.commit()
    visit.end(well=False)
    assert names(database) == []


def test_savepoints_work_as_ever(database: Database) -> None:
    visit = visit_of(database)
    with visit.session.begin_nested():
        create_tag(visit.session, name="kept")
    with visit.session.begin_nested() as savepoint:
        create_tag(visit.session, name="dropped")
        savepoint.rollback()
    visit.end(well=True)
    assert names(database) == ["kept"]


def test_after_an_error_more_can_be_read_and_nothing_written(database: Database) -> None:
    visit = visit_of(database)
    create_tag(visit.session, name="before")
    visit.refuse(ZeroDivisionError())
    assert visit.session.scalars(select(Tag.name)).all() == []
    create_tag(visit.session, name="after")
    visit.end(well=True)
    assert names(database) == []


def test_an_error_of_the_database_is_told_in_the_desks_words(database: Database) -> None:
    visit = visit_of(database)
    create_tag(visit.session, name="twice")
    with pytest.raises(Exception, match="uq_tags_name") as caught:
        create_tag(visit.session, name="TWICE")
    told = visit.refuse(caught.value)
    assert isinstance(told, ConflictError)
    assert "uq_tags_name" not in str(told)


def test_when_it_is_over_it_stays_over(database: Database) -> None:
    visit = visit_of(database)
    assert visit.session.execute(text("select 1")).scalar_one() == 1
    visit.end(well=True)
    visit.end(well=False)
    with pytest.raises(RuntimeError, match="has been committed: load what a stream"):
        _ = visit.session
