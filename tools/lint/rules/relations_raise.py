"""Every `relationship(` and `backref(` says `lazy="raise"`: what a page needs, its query names.

A template that touched `ticket.creator` in a loop sent 50 statements for one page, and nobody saw it.
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source, keyword


def check(source: Source) -> Iterator[Finding]:
    """Find relations that load by themselves."""
    for called, call in source.calls():
        if called.startswith("sqlalchemy.orm.") and called.endswith((".relationship", ".backref")):
            lazy = keyword(call, "lazy")
            if not (isinstance(lazy, ast.Constant) and lazy.value == "raise"):
                yield Finding(call.lineno, 'a relation says lazy="raise"; load it with options in the query')
