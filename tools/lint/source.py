"""What a rule is given and what it gives back: a parsed file, a finding, and questions to ask of the syntax tree."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath

_EXEMPTION = re.compile(r"# allow: (?P<rule>[a-z-]+) \(\w.*\)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Finding:
    """A place (line counted from 1), and what is wrong there and what to do instead."""

    line: int
    message: str


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root of the project, and its text."""

    path: PurePosixPath
    text: str

    @classmethod
    def read(cls, root: Path, file: Path) -> "Source":
        """Read a file that lies beneath `root`."""
        return cls(PurePosixPath(file.relative_to(root).as_posix()), file.read_text(encoding="utf-8"))

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; a `SyntaxError` names the file."""
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def lines(self) -> list[str]:
        """The lines, the first at index 0."""
        return self.text.splitlines()

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each name means that an import binds: `from sqlalchemy import Enum as E` gives `E: sqlalchemy.Enum`."""
        meanings: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                roots = {alias.name.partition(".")[0] for alias in node.names if not alias.asname}
                meanings |= {root: root for root in roots}
                meanings |= {alias.asname: alias.name for alias in node.names if alias.asname}
            elif isinstance(node, ast.ImportFrom):
                meanings |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        return meanings

    def imports(self) -> Iterator[tuple[int, str]]:
        """Every import with its line: `import a.b` and `from a import b` both give `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                yield from ((node.lineno, prefix + alias.name) for alias in node.names)

    def is_in(self, *globs: str) -> bool:
        """Whether the path from the root matches one of `globs`, whose `*` also matches slashes."""
        return any(fnmatchcase(str(self.path), glob) for glob in globs)

    def exempts(self, rule: str, line: int) -> bool:
        """Whether the line says that `rule` does not hold there, and why."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return any(match["rule"] == rule for match in _EXEMPTION.finditer(text))

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call with the dotted name of what is called: imports resolved, `?` for what is computed."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield self.dotted(node.func), node

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def dotted(self, node: ast.expr) -> str:
        """Name an expression: `sa.Enum` after `import sqlalchemy as sa` is `sqlalchemy.Enum`, `f().x` is `?.x`."""
        if isinstance(node, ast.Attribute):
            return f"{self.dotted(node.value)}.{node.attr}"
        return self.imported.get(node.id, node.id) if isinstance(node, ast.Name) else "?"


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Find the value of a keyword argument, None where it is not given."""
    return next((argument.value for argument in call.keywords if argument.arg == name), None)
