"""What the code of a page says to a person goes through gettext: `_("…")`, or `marked("…")` and `_` later.

A German form answered "A ticket needs a title." for months, as nobody who read the code saw the page in German.
"""

import ast
import re
from collections.abc import Iterator

from tools.lint.source import Finding, Source

ROOMS = tuple(f"deskbell/web/{room}/*" for room in ("workspace", "portal", "admin", "pages"))
MARKING = ("_", "gettext", "ngettext", "marked")
PROSE = re.compile(r"^[A-Z][a-z']* \S|[a-z] [a-z].*[.!?]$")
"""Texts of one word cannot be told from names in the code."""


def check(source: Source) -> Iterator[Finding]:
    """Find sentences outside of docstrings that are not marked."""
    if not source.is_in(*ROOMS):
        return
    for line, text in _unmarked(source.tree):
        if PROSE.search(text):
            yield Finding(line, f"{text[:40]!r} is not translated: _(…), with %(name)s for values")


def _unmarked(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKING:
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    for child in ast.iter_child_nodes(node):
        yield from _unmarked(child)
