"""Every module opens with a docstring that says what belongs in it.

A file without one became the drawer for whatever did not fit elsewhere.
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source


def check(source: Source) -> Iterator[Finding]:
    """Find modules without a docstring; an empty `__init__.py` of a folder of tests may stay empty."""
    if not source.text.strip() and source.is_in("tests/*__init__.py"):
        return
    if not ast.get_docstring(source.tree):
        yield Finding(1, "open with a docstring: one to five lines that say what belongs here")
