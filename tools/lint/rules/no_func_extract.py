"""`extract("epoch", x)` is the function `sqlalchemy.extract`, never `func.extract`.

`func.extract` renders `extract('epoch', x)`, which PostgreSQL rejects, and only when the report is opened (trap B4).
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source


def check(source: Source) -> Iterator[Finding]:
    """Find `func.extract`, called or not."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and source.dotted(node).endswith("func.extract"):
            yield Finding(node.lineno, "PostgreSQL rejects `func.extract`: use sqlalchemy.extract")
