"""How many tickets each of many views finds, in bounded time: counted where that is cheap, estimated where it is not.

The first statement asks the planner what counting each view would cost, the second counts those that are affordable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Any, Final

from sqlalchemy import ScalarSelect, Select, func, select
from sqlalchemy.orm import Session

from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import InvalidError
from deskbell.kernel.explain import Plan, nodes, plan_of
from deskbell.kernel.fields import fields_of
from deskbell.kernel.plans import plan_for_values
from deskbell.search.language import Query
from deskbell.search.models import SavedView
from deskbell.search.names import mentioned, resolve
from deskbell.search.queries import compile_query, prepare
from deskbell.search.totals import CAP, capped
from deskbell.search.views import query_of
from deskbell.tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Budget:
    """How far a view is counted, and what counting one view and all of them may cost, in the planner's units.

    At a million tickets, in memory, a unit took 3 to 6 µs mostly: all are counted within some 25 of the 50 ms that
    there are. Of estimates that are `far` times beyond the cap nobody needs to count that they are beyond it.
    """

    cap: int = CAP
    each: float = 3_000.0
    total: float = 6_000.0
    far: int = 10


USUAL: Final = Budget()


@dataclass(frozen=True, slots=True)
class ViewCount:
    """How many tickets a view finds: `text` is "42", "10,000+" or "~2,500", and empty where `error` says why."""

    view_id: int
    count: int | None
    exact: bool
    text: str
    error: str | None = None


def count_views(session: Session, views: Sequence[SavedView], budget: Budget = USUAL) -> list[ViewCount]:
    """Count what each view finds, as the actor may see it, in the order of `views`.

    At most three statements, however many views: one for all names that they mention, if any, and two to count. A view
    that cannot be read any more gets an error; the others are counted all the same.
    """
    plan_for_values(session)
    read, errors = _read(views)
    statements = _compiled(session, read, errors)
    counting = {view_id: _count(statement, budget.cap) for view_id, statement in statements.items()}
    guesses = _asked(session, counting)
    found = _counted(session, {view_id: counting[view_id] for view_id in _affordable(guesses, budget)})
    told = {view_id: _roughly(view_id, guess.rows, budget.cap) for view_id, guess in guesses.items()}
    told |= {view_id: _exactly(view_id, count, budget.cap) for view_id, count in found.items()}
    return [(told | errors)[view.id] for view in views]


def _read(views: Iterable[SavedView]) -> tuple[dict[int, Query], dict[int, ViewCount]]:
    read: dict[int, Query] = {}
    errors: dict[int, ViewCount] = {}
    for view in views:
        try:
            read[view.id] = query_of(view.query, view.sort)
        except InvalidError as error:
            errors[view.id] = _failed(view.id, error)
    return read, errors


def _failed(view_id: int, error: InvalidError) -> ViewCount:
    return ViewCount(view_id, None, exact=False, text="", error=error.message)


def _compiled(
    session: Session, queries: Mapping[int, Query], errors: dict[int, ViewCount]
) -> dict[int, Select[Ticket]]:
    """Compile the queries; all names are looked up at once. What cannot be compiled is added to the errors."""
    known = fields_of(session).known_to(actor_of(session))
    names = resolve(session, chain.from_iterable(mentioned(query, known) for query in queries.values()))
    statements = {}
    for view_id, query in queries.items():
        try:
            statements[view_id] = compile_query(session, prepare(session, query, names=names))
        except InvalidError as error:
            errors[view_id] = _failed(view_id, error)
    return statements


@dataclass(frozen=True, slots=True)
class _Guess:
    """What the planner thinks: how many tickets there are, and what counting them up to the cap costs, in its units."""

    rows: float
    cost: float


def _asked(session: Session, counting: Mapping[int, ScalarSelect[Any]]) -> dict[int, _Guess]:
    if not counting:
        return {}
    plan = plan_of(session, select(*counting.values()))
    plans = [child for child in plan["Plans"] if child["Parent Relationship"] == "InitPlan"]
    return {view_id: _guess(its) for view_id, its in zip(counting, plans, strict=True)}


def _guess(plan: Plan) -> _Guess:
    """Read the plan of one count. What stands beneath the limit is estimated as if there were none."""
    limit = next(node for node in nodes(plan) if node["Node Type"] == "Limit")
    return _Guess(rows=limit["Plans"][0]["Plan Rows"], cost=plan["Total Cost"])


def _affordable(guesses: Mapping[int, _Guess], budget: Budget) -> list[int]:
    """Return what to count, the cheapest first, while the sum lasts."""
    far = budget.cap * budget.far
    cheapest_first = sorted(
        (guess.cost, view_id) for view_id, guess in guesses.items() if guess.rows <= far and guess.cost <= budget.each
    )
    spent = accumulate(cost for cost, _ in cheapest_first)
    return [view_id for (_, view_id), total in zip(cheapest_first, spent, strict=True) if total <= budget.total]


def _counted(session: Session, counting: Mapping[int, ScalarSelect[Any]]) -> dict[int, int]:
    if not counting:
        return {}
    [counts] = session.execute(select(*counting.values())).all()
    return dict(zip(counting, counts, strict=True))


def _count(statement: Select[Ticket], cap: int) -> ScalarSelect[Any]:
    return select(func.count()).select_from(capped(statement, cap).subquery()).scalar_subquery()


def _exactly(view_id: int, count: int, cap: int) -> ViewCount:
    return _beyond(view_id, cap) if count > cap else ViewCount(view_id, count, exact=True, text=f"{count:,}")


def _roughly(view_id: int, rows: float, cap: int) -> ViewCount:
    """Round an estimate to two digits, as the others mean nothing."""
    if rows > cap:
        return _beyond(view_id, cap)
    count = int(float(f"{rows:.2g}"))
    return ViewCount(view_id, count, exact=False, text=f"~{count:,}")


def _beyond(view_id: int, cap: int) -> ViewCount:
    return ViewCount(view_id, cap, exact=False, text=f"{cap:,}+")
