"""How a lint rule is tried: on a path and a few lines of code."""

from collections.abc import Callable
from pathlib import PurePosixPath
from textwrap import dedent

import pytest

from tools.lint.runner import all_rules, findings
from tools.lint.source import Source


@pytest.fixture
def lint() -> Callable[[str, str, str], list[int]]:
    """Apply a rule to code that lies at a path; the answer is the lines on which it found something."""
    rules = {rule.name: rule for rule in all_rules()}

    def apply(rule: str, path: str, code: str) -> list[int]:
        source = Source(PurePosixPath(path), dedent(code).lstrip("\n"))
        return sorted(finding.line for finding in findings(rules[rule], source))

    return apply
