"""Made-up tickets on a desk: what is refused, progress, tidying up, and what to say in the end."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from deskbell.accounts.actions import set_password
from deskbell.accounts.passwords import hash_password
from deskbell.accounts.queries import get_user_by_email
from deskbell.cli.commands import invocation
from deskbell.cli.console import counted, note, say, say_json
from deskbell.cli.demo_load import Loading
from deskbell.cli.desks import open_desk
from deskbell.cli.interrupts import STOPPED, between_steps
from deskbell.cli.progress import meter
from deskbell.curation.demo import AGENT, CUSTOMER, has_stories, load_demo
from deskbell.curation.demo.people import has_real_tickets
from deskbell.kernel.access import OWNER
from deskbell.kernel.actor import Actor, Channel
from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect
from deskbell.kernel.errors import ConflictError, DeskbellError, InvalidError
from deskbell.runtime import Desk
from deskbell.search.indexing import weigh_words

_PASSWORD_BYTES = 15
_HANDS = 2
"""Tables that are tidied up at a time: the largest takes as long as all others."""
_REAL = (
    "There are tickets of real people on this desk, and made-up ones could not be told from them at work. "
    "Choose another desk with --data-dir or DESKBELL_DATA_DIR, or insist with --force."
)
_TOLD = "The example tickets are here already. `--tickets NUMBER` makes others."


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for; without a number of tickets the few that were written by hand."""

    tickets: int | None
    seed: int
    until: datetime | None
    force: bool
    generate_password: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    counts: dict[str, int]
    seconds: float
    logins: tuple[str, str]
    stopped: bool = False


def run_demo(plan: Plan, *, as_json: bool) -> int:
    """Do it, and return the exit code."""
    with open_desk() as desk:
        actor = Actor.system(Channel.IMPORT, act=invocation().act)
        with desk.database.transaction(actor) as session:
            if not plan.force and has_real_tickets(session):
                raise ConflictError(_REAL)
        outcome = _stories(desk, actor) if plan.tickets is None else _tickets(desk, plan, plan.tickets)
        password = _let_in(desk, actor, outcome.logins) if plan.generate_password and not outcome.stopped else None
    _say(outcome, password, as_json=as_json)
    return STOPPED if outcome.stopped else 0


def _stories(desk: Desk, actor: Actor) -> _Outcome:
    started = time.perf_counter()
    with desk.database.transaction(actor) as session:
        if has_stories(session):
            raise ConflictError(_TOLD)
        count = load_demo(session)
    return _Outcome({"tickets": count}, time.perf_counter() - started, (AGENT, CUSTOMER))


def _tickets(desk: Desk, plan: Plan, tickets: int) -> _Outcome:
    now = desk.resources.clock.now()
    until = plan.until.replace(tzinfo=UTC) if plan.until else now
    if until > now:
        raise InvalidError(f"{until:%Y-%m-%d %H:%M} UTC has not come yet. Choose a --until in the past.", field="until")
    started, stopped, logins = time.perf_counter(), False, ("", "")
    loading = Loading(desk.database, desk.resources.storage, tickets, plan.seed, until)
    with meter("Made-up tickets", "tickets", tickets) as bar, between_steps() as check:
        try:
            world = loading.run(report=lambda done: bar.show(items=done, position=done), check=check)
            logins = (world.people.agent, world.people.customer)
        except KeyboardInterrupt:
            stopped = True
        except DeskbellError:
            note(f"{counted(loading.loaded['tickets'], 'ticket')} were loaded before this happened.")
            raise
    if not stopped:
        _tidy_up(desk, Actor.system(Channel.IMPORT, act=invocation().act))
    return _Outcome(dict(loading.loaded), time.perf_counter() - started, logins, stopped)


def _tidy_up(desk: Desk, actor: Actor) -> None:
    """Do at once what the server would do in its own time: until then it plans for tables that were empty."""
    with connect(desk.admin, autocommit=True) as owner:
        owner.execute(f"set role {OWNER}")
        tables = [name for (name,) in owner.execute(_TABLES)]
    steps = [*(partial(_vacuum, desk.admin, name) for name in tables), partial(_weigh_words, desk, actor)]
    with ThreadPoolExecutor(_HANDS, "demo") as hands, meter("Statistics and indexes", "steps", len(steps)) as bar:
        try:
            for number, step in enumerate(as_completed([hands.submit(step) for step in steps]), 1):
                step.result()
                bar.show(items=number, position=number)
        except BaseException:
            hands.shutdown(wait=False, cancel_futures=True)  # whoever stops it waits for the two under way alone
            raise


def _vacuum(admin: Address, table: str) -> None:
    with connect(admin, autocommit=True) as owner:
        owner.execute(f"set role {OWNER}")
        owner.execute("set maintenance_work_mem = '256MB'")
        owner.execute(f"vacuum (analyze) {table}")


def _weigh_words(desk: Desk, actor: Actor) -> None:
    with desk.database.transaction(actor) as session:
        weigh_words(session)


_TABLES = """
select c.oid::regclass::text from pg_class c
 where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
   and pg_get_userbyid(c.relowner) = current_user and c.relname <> 'alembic_version'
 order by pg_relation_size(c.oid) desc
"""


def _let_in(desk: Desk, actor: Actor, emails: tuple[str, str]) -> str:
    """Give these people a password, and return it."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    hashed = hash_password(password)
    with desk.database.transaction(actor) as session:
        for email in emails:
            set_password(session, get_user_by_email(session, email).id, hashed)
    return password


def _say(outcome: _Outcome, password: str | None, *, as_json: bool) -> None:
    counts = outcome.counts
    agent, customer = outcome.logins
    login = {"agent": agent, "customer": customer, "password": password} if password else {}
    if as_json:
        say_json({**counts, "seconds": round(outcome.seconds, 3), "interrupted": outcome.stopped, **login})
        return
    parts = ", ".join(counted(counts[kind], kind.removesuffix("s"), kind) for kind in counts)
    rate = f" ({counts['tickets'] / outcome.seconds:,.0f} tickets/s)" if counts.get("comments") else ""
    line = f"{parts or 'Nothing'} in {outcome.seconds:.1f} s{rate}."
    if outcome.stopped:
        note(f"Stopped: {line} What is there is complete.")
        return
    say(line)
    if password:
        say(f"Log in as {agent} (agent) or {customer} (customer); the password, shown this once: {password}")
    else:
        say("Nobody of these can log in; `deskbell user password ADDRESS` changes that.")
