"""An `Enum(` column of a Python enum passes `values_callable`.

Without it SQLAlchemy stores the members' names, and `OPEN` in the database matches nobody's `open` (trap B3).
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source, keyword


def check(source: Source) -> Iterator[Finding]:
    """Find SQLAlchemy's `Enum(` and `ENUM(` that are given a class instead of strings."""
    for called, call in source.calls():
        is_column = called.startswith("sqlalchemy.") and called.rpartition(".")[2] in {"Enum", "ENUM"}
        given_class = bool(call.args) and not isinstance(call.args[0], ast.Constant | ast.Starred)
        if is_column and given_class and keyword(call, "values_callable") is None:
            yield Finding(call.lineno, "`Enum(` of a class stores names: pass values_callable")
