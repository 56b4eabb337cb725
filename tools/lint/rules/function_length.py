"""No function is longer than 60 lines, its docstring included (aim for 10).

What does not fit on a screen is changed by people who have not seen all of it. A migration may be longer: Alembic
writes it, and nobody changes it later.
"""

from collections.abc import Iterator

from tools.lint.source import Finding, Source

MOST_LINES = 60


def check(source: Source) -> Iterator[Finding]:
    """Count from `def` to the last line."""
    if source.is_in("deskbell/migrations/versions/*"):
        return
    for function in source.functions():
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > MOST_LINES:
            yield Finding(function.lineno, f"`{function.name}` has {lines} lines, at most {MOST_LINES}: name its parts")
