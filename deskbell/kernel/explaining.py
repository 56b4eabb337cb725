"""Plans of all statements that some code sends: EXPLAIN ANALYZE beside each SELECT, with its role and its values."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from sqlalchemy import Engine, event

_EXPLAIN: Final = "explain (analyze, buffers) "
_READING: Final = ("select", "with")

Told = Callable[[str, list[str]], None]
"""Is given a statement and the lines of its plan."""


@contextmanager
def explaining(engine: Engine, tell: Told) -> Iterator[None]:
    """Explain each SELECT that is sent through `engine` (synchronous) in the block, before it is sent.

    The statement is run for it and undone, so it is run twice. What begins a transaction is left out.
    """

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        begins = statement.lstrip().lower()
        if begins.startswith(_READING) and not begins.startswith("select set_config"):
            with closing(connection.connection.cursor()) as cursor:
                cursor.execute("savepoint explained")
                cursor.execute(_EXPLAIN + statement, parameters)
                lines = [line for (line,) in cursor.fetchall()]
                cursor.execute("rollback to savepoint explained")
            tell(statement, lines)

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", explain)
