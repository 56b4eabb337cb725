"""A route parses, calls once and presents: no `select`, no work on the session, at most 12 statements.

Rules written into a route hold on the web only; the CLI, the worker and the importers then break them.
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Function, Source

MOST_STATEMENTS = 12
METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "route", "api_route", "websocket"}
BRIDGE = "run_sync"  # how a route calls the domain, see ARCHITECTURE.md


def check(source: Source) -> Iterator[Finding]:
    """Look into each function that is decorated as a route."""
    if not source.is_in("deskbell/web/api/*"):
        return
    for function in source.functions():
        if any(_is_route(decorator) for decorator in function.decorator_list):
            yield from _length(function)
            yield from _queries(source, function)


def _is_route(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.func.attr in METHODS
    )


def _length(function: Function) -> Iterator[Finding]:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    statements = sum(isinstance(node, ast.stmt) for statement in body for node in ast.walk(statement))
    if statements > MOST_STATEMENTS:
        yield Finding(
            function.lineno, f"route `{function.name}` has {statements} statements, at most {MOST_STATEMENTS}"
        )


def _queries(source: Source, function: Function) -> Iterator[Finding]:
    for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
        called = source.dotted(call.func)
        receiver, _, method = called.rpartition(".")
        if method == "select" or (receiver.split(".")[-1] == "session" and method != BRIDGE):
            yield Finding(
                call.lineno, f"route `{function.name}` calls `{called}`: a query or action of a slice does that"
            )
