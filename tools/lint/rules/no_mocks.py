"""Tests do not replace Deskbell's own code.

A mocked `send` kept every test green for the week in which no mail went out. Use the real PostgreSQL, pass the clock
in, start a local server for what is far away.
"""

import ast
from collections.abc import Iterator

from tools.lint.source import Finding, Source

MOCKS = ("unittest.mock", "mock", "pytest_mock")


def check(source: Source) -> Iterator[Finding]:
    """Find `unittest.mock`, and `monkeypatch` turned on a name of Deskbell's, in the tests."""
    if not source.is_in("tests/*"):
        return
    for line, imported in source.imports():
        if imported.startswith(MOCKS):
            yield Finding(line, f"`{imported}`: test the real thing instead")
    for called, call in source.calls():
        if called.endswith(("monkeypatch.setattr", "monkeypatch.delattr")) and _is_ours(source, call):
            yield Finding(call.lineno, "monkeypatch replaces Deskbell's own code: pass in what should differ")


def _is_ours(source: Source, call: ast.Call) -> bool:
    target = call.args[0] if call.args else None
    if isinstance(target, ast.Constant):
        return str(target.value).startswith("deskbell")
    return isinstance(target, ast.expr) and source.dotted(target).startswith("deskbell")
