"""Find the rules and the files, apply the ones to the others, print what was found."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from tools.lint import rules
from tools.lint.source import Finding, Source

FOLDERS = ("deskbell", "tools", "tests", "bench", "examples")


@dataclass(frozen=True)
class Rule:
    """A module of `rules/`: its name with dashes, its docstring, and its function `check`."""

    name: str
    accident: str
    check: Callable[[Source], Iterator[Finding]]


def all_rules() -> list[Rule]:
    """Import every module of `rules/`, by name."""
    names = sorted(module.name for module in iter_modules(rules.__path__))
    modules = {name: import_module(f"{rules.__name__}.{name}") for name in names}
    return [Rule(name.replace("_", "-"), module.__doc__ or "", module.check) for name, module in modules.items()]


def all_sources(root: Path) -> Iterator[Source]:
    """Read every Python file of the project, by path."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.py")):
            yield Source.read(root, file)


def findings(rule: Rule, source: Source) -> list[Finding]:
    """Apply one rule to one file; what a line exempts is left out."""
    return [finding for finding in rule.check(source) if not source.exempts(rule.name, finding.line)]


def all_findings(rules_to_apply: list[Rule], source: Source) -> Iterator[tuple[str, Finding]]:
    """Apply all rules to one file; a file that cannot be parsed is a finding too."""
    try:
        yield from ((rule.name, finding) for rule in rules_to_apply for finding in findings(rule, source))
    except SyntaxError as error:
        yield "syntax", Finding(error.lineno or 1, error.msg)


def main(root: Path) -> int:
    """Check the tree, print each finding as `path:line: message (rule)`; the exit code is 1 when there are any."""
    checked, found, every_rule = 0, 0, all_rules()
    for source in all_sources(root):
        checked += 1
        for rule, finding in all_findings(every_rule, source):
            found += 1
            sys.stdout.write(f"{source.path}:{finding.line}: {finding.message} ({rule})\n")
    sys.stdout.write(f"{len(every_rule)} rules, {checked} files, {found} findings\n")
    return 1 if found else 0
