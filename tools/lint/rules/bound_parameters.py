"""SQL text is a constant; values go in as bound parameters.

A search term pasted into SQL text by an f-string is how a helpdesk gives away its customers. Names of roles and tables,
which cannot be bound, may be constants (`OWNER`).
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source

TAKES_SQL = ("sqlalchemy.text", "sqlalchemy.literal_column", "sqlalchemy.sql.text")


def check(source: Source) -> Iterator[Finding]:
    """Find `text(` and its like whose argument is put together from anything but constants."""
    for called, call in source.calls():
        takes_sql = called in TAKES_SQL or called.endswith(".exec_driver_sql")
        if takes_sql and call.args and not all(_is_constant(part) for part in _parts(call.args[0])):
            name = called.rpartition(".")[2]
            yield Finding(call.lineno, f"`{name}(` is given assembled text: write a constant and bind the values")


def _parts(value: ast.expr) -> Iterator[ast.expr]:
    """What an f-string, a sum, a `%` or a call of `.format` is put together from; nothing for what is not assembled."""
    if isinstance(value, ast.JoinedStr):
        yield from (part.value for part in value.values if isinstance(part, ast.FormattedValue))
    elif isinstance(value, ast.BinOp):
        for side in (value.left, value.right):
            yield from _parts(side) if isinstance(side, ast.BinOp | ast.JoinedStr) else (side,)
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "format":
        yield from (value.func.value, *value.args, *(argument.value for argument in value.keywords))


def _is_constant(value: ast.expr) -> bool:
    """Whether it is a literal, or a name in capitals."""
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id.isupper())
