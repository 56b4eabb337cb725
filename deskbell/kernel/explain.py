"""What PostgreSQL thinks of a statement before it is run: its plan, with estimates of rows and cost.

A custom SQL construct as SQLAlchemy's documentation describes them; the statement's parameters stay bound. Works on
psycopg and on asyncpg.
"""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

Plan = dict[str, Any]
"""A node as EXPLAIN (FORMAT JSON) writes it; its `Plans` are the nodes beneath."""


class Explain(Executable, ClauseElement):
    """`EXPLAIN (FORMAT JSON)` of a statement, which is planned for the values of its parameters and not run."""

    inherit_cache = True
    _traverse_internals = [("statement", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 - as SQLAlchemy's own

    def __init__(self, statement: Executable) -> None:
        """`statement` is what would be executed."""
        self.statement = coercions.expect(roles.StatementRole, statement)


@compiles(Explain, "postgresql")
def _explain(element: Explain, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    sql = compiler.process(element.statement, **options)
    compiler._result_columns.clear()  # noqa: SLF001 - those of the statement: the plan's one column is not its first
    return f"EXPLAIN (FORMAT JSON) {sql}"


def plan_of(session: Session, statement: Executable) -> Plan:
    """Return the root of the plan. One statement, under the row security of who acts."""
    [[found]] = session.execute(Explain(statement)).all()
    document = json.loads(found) if isinstance(found, str | bytes) else found  # psycopg reads JSON by itself
    plan: Plan = document[0]["Plan"]
    return plan


def nodes(plan: Plan) -> Iterator[Plan]:
    """Yield a node and all beneath it, each before those beneath itself."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
