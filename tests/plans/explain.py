"""Reading plans: every statement that some code sends is explained, as the role and with the parameters it has."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

MOST_ROWS = 4_500
"""What one node may read or sort of tables with 20,000 rows and more: those of one status, a page of every 75th one."""


@dataclass
class Plans:
    """The plans of the statements sent so far; `most` is what one node may read or sort."""

    most: int = MOST_ROWS
    statements: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def examine(self, statement: str, plan: dict[str, Any], big: set[str]) -> None:
        """Remember what is wrong with a plan: a big table read whole, or far too many rows read or sorted."""
        self.statements.append(statement)
        for node in _nodes(plan):
            kind, table = node["Node Type"], node.get("Relation Name", "")
            rows = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            if kind == "Seq Scan" and table in big and node["Actual Loops"]:
                self.faults.append(f"Seq Scan on {table}: {_short(statement)}")
            elif ("Scan" in kind or kind == "Sort") and rows > self.most:
                self.faults.append(
                    f"{kind} of {rows:.0f} rows {table or node.get('Index Name', '')}: {_short(statement)}"
                )


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _short(statement: str) -> str:
    _, _, rest = " ".join(statement.split()).partition(" FROM ")
    return rest[:300] or statement[:300]


@contextmanager
def explaining(session: Session, big: set[str], most: int = MOST_ROWS) -> Iterator[Plans]:
    """Run what is in the block, with an EXPLAIN ANALYZE before each SELECT."""
    plans, connection = Plans(most), session.connection()

    def explain(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if statement.lstrip().lower().startswith(("select", "with")):
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute(f"explain (analyze, timing off, format json) {statement}", parameters)
                [[[found]]] = cursor.fetchall()
                plans.examine(statement, found["Plan"], big)

    event.listen(connection.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(connection.engine, "before_cursor_execute", explain)
