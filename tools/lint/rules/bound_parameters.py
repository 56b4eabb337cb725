"""SQL text is a constant; values go in as bound parameters.

A search term pasted into SQL text by an f-string is how a helpdesk gives away its customers. Names of roles and tables,
which cannot be bound, may be constants (`OWNER`).
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source

TAKES_SQL = ("sqlalchemy.text", "sqlalchemy.literal_column", "sqlalchemy.sql.text")


def check(source: Source) -> Iterator[Finding]:
    """Find `text(` and its like whose argument is put together on the spot."""
    for called, call in source.calls():
        takes_sql = called in TAKES_SQL or called.endswith(".exec_driver_sql")
        if takes_sql and call.args and _is_assembled(call.args[0]):
            name = called.rpartition(".")[2]
            yield Finding(call.lineno, f"`{name}(` is given assembled text: write a constant and bind the values")


def _is_assembled(value: ast.expr) -> bool:
    """Whether it is an f-string, a sum or a `%` of more than constants, or a call of `.format`."""
    if isinstance(value, ast.JoinedStr):
        return not all(_is_constant(part.value) for part in value.values if isinstance(part, ast.FormattedValue))
    if isinstance(value, ast.BinOp):
        return not all(_is_constant(side) for side in (value.left, value.right))
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "format"


def _is_constant(value: ast.expr) -> bool:
    """Whether it is a literal, a name in capitals, or a sum of such."""
    if isinstance(value, ast.BinOp):
        return _is_constant(value.left) and _is_constant(value.right)
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id.isupper())
