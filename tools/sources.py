"""The source of the package as trees: which function, class or constant a name stands for, and who calls it with what.

For tools that follow a text from where it is written to where it is used. Nothing of the package is imported.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """A file: its tree, what it defines at its top, and where its imported names come from (module, name)."""

    path: Path
    name: str
    tree: ast.Module
    constants: dict[str, ast.expr] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what the node stands in, the nearest first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def functions_around(self, node: ast.AST) -> Iterator[Function]:
        """Yield the functions that the node stands in, the nearest first."""
        return (each for each in self.above(node) if isinstance(each, Function))

    def handler_around(self, node: ast.AST, name: str) -> ast.ExceptHandler | None:
        """Return the `except … as name` that the node stands in."""
        handlers = (each for each in self.above(node) if isinstance(each, ast.ExceptHandler))
        return next((each for each in handlers if each.name == name), None)


@dataclass(frozen=True)
class Sources:
    """All modules by their dotted names."""

    modules: dict[str, Module]

    @cached_property
    def classes(self) -> dict[str, tuple[Module, ast.ClassDef]]:
        """Every class at the top of a module, by its name."""
        found: dict[str, tuple[Module, ast.ClassDef]] = {}
        for module in self.modules.values():
            found |= {node.name: (module, node) for node in module.tree.body if isinstance(node, ast.ClassDef)}
        return found

    @cached_property
    def calls(self) -> dict[str, list[tuple[Module, ast.Call]]]:
        """Every call, by the last name of what is called."""
        found: dict[str, list[tuple[Module, ast.Call]]] = {}
        for module in self.modules.values():
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call) and (name := last_name(node.func)):
                    found.setdefault(name, []).append((module, node))
        return found

    def descends(self, name: str, ancestor: str) -> bool:
        """Whether a class has that ancestor, or is it."""
        if name == ancestor:
            return True
        known = self.classes.get(name)
        return known is not None and any(self.descends(last_name(base), ancestor) for base in known[1].bases)

    def class_of(self, module: Module, name: str) -> ast.ClassDef | None:
        """Return the class that a name stands for in a module."""
        own = (node for node in module.tree.body if isinstance(node, ast.ClassDef) and node.name == name)
        found = next(own, None)
        home, original = module.imported.get(name, ("", ""))
        return self.class_of(self.modules[home], original) if found is None and home in self.modules else found

    def constant(self, module: Module, name: str) -> tuple[Module, ast.expr] | None:
        """Return the value of a constant of a module, or of one that it imports."""
        if name in module.constants:
            return module, module.constants[name]
        home, original = module.imported.get(name, ("", ""))
        return self.constant(self.modules[home], original) if home in self.modules else None

    def function(self, module: Module, name: str) -> tuple[Module, Function] | None:
        """Return a function of a module, or one that it imports."""
        if name in module.functions:
            return module, module.functions[name]
        home, original = module.imported.get(name, ("", ""))
        return self.function(self.modules[home], original) if home in self.modules else None

    def arguments(self, module: Module, function: Function, name: str) -> Iterator[tuple[Module, ast.expr]]:
        """Yield what a function is given for one of its parameters: at each call, and by default."""
        names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        bound = int(names[:1] in (["self"], ["cls"]))
        for place, call in self.calls.get(function.name, []):
            if place is module or self._brings(place, call, module):
                given = _given(call, names[bound:], name)
                if given is not None:
                    yield place, given
        default = _default(function, names, name)
        if default is not None:
            yield module, default

    def _brings(self, place: Module, call: ast.Call, home: Module) -> bool:
        if isinstance(call.func, ast.Attribute):
            return False
        found = self.function(place, last_name(call.func))
        return found is not None and found[0] is home


def read_sources(package: Path) -> Sources:
    """Read all modules of a package."""
    modules = (_module(path, package) for path in sorted(package.rglob("*.py")))
    return Sources({module.name: module for module in modules})


def last_name(node: ast.AST | None) -> str:
    """Return the name at the end of `a.b.c`, nothing where there is none."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _module(path: Path, package: Path) -> Module:
    dotted = ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
    module = Module(path, dotted, ast.parse(path.read_text(encoding="utf-8")))
    for node in ast.walk(module.tree):
        module.parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
        if isinstance(node, Function):
            module.functions.setdefault(node.name, node)
        elif isinstance(node, ast.ImportFrom) and node.module:
            module.imported |= {each.asname or each.name: (node.module, each.name) for each in node.names}
    for statement in module.tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            module.constants |= {each.id: statement.value for each in targets if isinstance(each, ast.Name)}
    return module


def _given(call: ast.Call, names: Sequence[str], name: str) -> ast.expr | None:
    if any(isinstance(each, ast.Starred) for each in call.args):
        return None
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return named.get(name) or dict(zip(names, call.args, strict=False)).get(name)


def _default(function: Function, names: Sequence[str], name: str) -> ast.expr | None:
    arguments = function.args
    by_place = dict(zip(reversed(names), reversed(arguments.defaults), strict=False))
    by_name = dict(zip((each.arg for each in arguments.kwonlyargs), arguments.kw_defaults, strict=True))
    return by_place.get(name) or by_name.get(name)
