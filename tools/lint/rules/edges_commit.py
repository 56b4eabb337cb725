"""Only the edges (web request, worker job, CLI command, host integration) commit and roll back.

A helper that committed inside a request's transaction kept half of a change when the other half failed (trap B8).
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source

EDGES = (
    "deskbell/kernel/database.py",
    "deskbell/migrations/runner.py",  # a connection of its own, as the owner
    "deskbell/web/dependencies*",
    "deskbell/worker/*",
    "deskbell/cli/*",
    "deskbell/integrations/*",
    "deskbell/testing/*",
)


def check(source: Source) -> Iterator[Finding]:
    """Find `.commit` and `.rollback`, called or passed on."""
    if not source.is_in("deskbell/*") or source.is_in(*EDGES):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}:
            yield Finding(node.lineno, f"`.{node.attr}` belongs to the edge: leave the transaction to the caller")
