"""Proving who one is: passwords, sessions, tokens, and how all of them end."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from deskbell.accounts.actions import create_token, create_user, find_or_create_customer, revoke_token, set_active
from deskbell.accounts.actions import set_password as change_password
from deskbell.accounts.errors import EmailTakenError
from deskbell.accounts.login import (
    anybody_here,
    become,
    close_session,
    credentials,
    open_session,
    remove_expired_sessions,
)
from deskbell.accounts.models import Role, User
from deskbell.accounts.passwords import hash_password, verify_password
from deskbell.accounts.queries import get_user, get_user_by_email, users
from deskbell.kernel.database import Database
from deskbell.kernel.errors import ForbiddenError, InvalidError, NotFoundError
from deskbell.testing.factories import SYSTEM, Factory, actor

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def log_in(database: Database, user: User, *, lifetime: timedelta = DAY) -> str:
    with database.transaction(SYSTEM) as session:
        return open_session(session, user.id, lifetime=lifetime, now=NOW)


@contextmanager
def stranger(database: Database) -> Iterator[Session]:
    """A transaction of somebody who is nobody yet; in the outer one of the test somebody was somebody before."""
    with database.sessions() as session, session.begin():
        session.execute(text("select set_config('role', 'none', true), set_config('deskbell.actor', '', true)"))
        yield session


def who_is(database: Database, secret: str) -> int | None:
    with stranger(database) as session:
        found = become(session, secret, channel="web", act="test")
        return found.user_id if found else None


def test_a_password_is_kept_as_an_argon2id_hash_that_fits_it_alone() -> None:
    stored = hash_password("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert stored != hash_password("correct horse battery")
    assert verify_password("correct horse battery", stored)
    assert not verify_password("Correct horse battery", stored)


def test_hashing_costs_what_is_recommended() -> None:
    """RFC 9106, the second of its recommendations: 64 MiB, three passes, four lanes. The tests hash with less."""
    program = "from deskbell.accounts.passwords import hash_password; print(hash_password('correct horse battery'))"
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert made.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert verify_password("correct horse battery", made.stdout.strip())


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$broken"])
def test_nothing_fits_what_is_no_hash(stored: str | None) -> None:
    assert not verify_password("nobody has this password", stored)


@pytest.mark.parametrize("password", ["", "too short", "x" * 1025])
def test_a_password_outside_of_the_limits_is_refused(password: str) -> None:
    with pytest.raises(InvalidError, match="10 to 1024"):
        hash_password(password)
    assert not verify_password(password, hash_password("x" * 1024))


def test_credentials_are_found_whatever_the_case_and_only_of_the_active(database: Database, factory: Factory) -> None:
    user = factory.user(email="Anna@Example.test", password="correct horse battery")
    with database.transaction(SYSTEM) as session:
        found = credentials(session, " aNNA@example.TEST ")
        assert found.user_id == user.id
        assert verify_password("correct horse battery", found.password_hash)
        assert credentials(session, "nobody@example.test").user_id is None
        assert credentials(session, "\0").user_id is None
        set_active(session, user.id, active=False)
        assert credentials(session, "anna@example.test").user_id is None


def test_a_session_is_who_logged_in_until_they_log_out(database: Database, factory: Factory) -> None:
    user = factory.user(Role.AGENT)
    secret = log_in(database, user)
    assert who_is(database, secret) == user.id
    with database.transaction(SYSTEM) as session:
        assert get_user(session, user.id).last_login == NOW
        assert close_session(session, secret)
        assert not close_session(session, secret)
    assert who_is(database, secret) is None


def test_a_session_ends_by_itself_and_is_swept_away(database: Database, factory: Factory) -> None:
    user = factory.user()
    ended, lasting = log_in(database, user, lifetime=-DAY), log_in(database, user)
    assert who_is(database, ended) is None
    with database.transaction(SYSTEM) as session:
        assert remove_expired_sessions(session) == 1
    assert who_is(database, lasting) == user.id


def test_a_token_is_its_owner_until_it_is_revoked_or_expires(database: Database, factory: Factory) -> None:
    user = factory.user()
    with database.transaction(actor(user)) as session:
        token, secret = create_token(session, user.id, name="key", scopes=("tickets:read",))
        _, expired = create_token(session, user.id, name="old", expires_at=NOW - DAY)
    with stranger(database) as session:
        identity = become(session, secret, channel="api", act="test")
        assert identity is not None
        assert (identity.user_id, identity.scopes) == (user.id, ("tickets:read",))
    assert who_is(database, expired) is None
    with database.transaction(actor(user)) as session:
        revoke_token(session, token.id, at=NOW)
    assert who_is(database, secret) is None


@pytest.mark.parametrize("secret", ["", "dbt_", "dbs_", "dbt_" + "x" * 43, "\0", "dbs_\ud800"])
def test_what_was_never_given_out_is_nobody(database: Database, secret: str) -> None:
    assert who_is(database, secret) is None


def test_who_has_become_somebody_sees_what_they_may_see(database: Database, factory: Factory) -> None:
    user, ticket = factory.user(), factory.ticket()
    secret = factory.token(user)
    with stranger(database) as session:
        become(session, secret, channel="api", act="test")
        assert [found.id for found in session.scalars(users())] == [user.id]
        assert ticket.creator_id != user.id


def test_a_new_password_or_leaving_ends_every_session(database: Database, factory: Factory) -> None:
    user = factory.user(Role.AGENT)
    sessions, token = [log_in(database, user), log_in(database, user)], factory.token(user)
    with database.transaction(SYSTEM) as session:
        change_password(session, user.id, hash_password("another password"))
    assert [who_is(database, secret) for secret in sessions] == [None, None]
    assert who_is(database, token) == user.id
    later = log_in(database, user)
    with database.transaction(SYSTEM) as session:
        set_active(session, user.id, active=False)
    assert (who_is(database, later), who_is(database, token)) == (None, None)


def test_nobody_locks_themselves_out(database: Database, factory: Factory) -> None:
    admin = factory.user(Role.ADMIN)
    with pytest.raises(InvalidError, match="yourself"), database.transaction(actor(admin)) as session:
        set_active(session, admin.id, active=False)
    with database.transaction(SYSTEM) as session:
        assert anybody_here(session)


@pytest.mark.parametrize(("first", "second"), [("a@x.test", "A@X.TEST"), ("ä@x.test", "Ä@x.test")])
def test_addresses_that_differ_by_case_are_one_person(database: Database, first: str, second: str) -> None:
    """Trap 16."""
    with database.transaction(SYSTEM) as session:
        user = find_or_create_customer(session, first, "Somebody")
        assert find_or_create_customer(session, second).id == user.id
        assert get_user_by_email(session, second).email == first
    with pytest.raises(EmailTakenError), database.transaction(SYSTEM) as session:
        create_user(session, email=second)


def test_an_unknown_address_is_nobody(database: Database) -> None:
    with pytest.raises(NotFoundError), database.transaction(SYSTEM) as session:
        get_user_by_email(session, "nobody@x.test")


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_an_agent_adds_customers_but_no_colleagues(database: Database, factory: Factory, role: Role) -> None:
    agent = actor(factory.user(Role.AGENT))
    with database.transaction(agent) as session:
        assert create_user(session, email="new@x.test").role is Role.CUSTOMER
    with pytest.raises(ForbiddenError), database.transaction(agent) as session:
        create_user(session, email="other@x.test", role=role)
