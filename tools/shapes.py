"""What a text can look like that a program puts together: each of its forms, with places for what is put in.

`f"There is no {kind} {number}."` has the place `number`, and as many forms as `kind` has words. Followed are what is
written in place, local names, parameters (by what callers give), constants, tables, and functions of the package.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Final

from tools.sources import Module, Sources, last_name


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value is put in; `source` is the expression, by which two of one name are told apart."""

    name: str
    source: str = ""


Form = tuple[str | Slot, ...]

_SPACED: Final = re.compile(r"[^\W\d_]{2,}\s|\s[^\W\d_]{2,}")
_LETTERS: Final = re.compile(r"[^\W\d_]{3,}")
_FIELD: Final = re.compile(r"{[^{}]*}")
_TRANSLATED: Final = frozenset({"_", "gettext", "ngettext"})
_TRANSPARENT: Final = frozenset({"one_line", "str", "marked", "clean"})
"""Calls that leave a text as it is, as far as words go."""
_VALUES: Final = frozenset({"human_bytes", "repr", "len"})
"""Calls that make a value, whatever words that has."""
MESSAGE: Final = "message"
"""The name of a place that holds another message, which is translated as well."""
ROOT: Final = "DeskbellError"


@dataclass
class Reader:
    """Reads expressions, each once. `is_shown` says of a module whether what it gives to functions counts."""

    sources: Sources
    is_shown: Callable[[str], bool] = lambda _name: True
    _busy: set[ast.AST] = field(default_factory=set)
    _known: dict[ast.AST, list[Form]] = field(default_factory=dict)
    _circles: int = 0

    def forms(self, module: Module, node: ast.expr) -> list[Form]:
        """Return all forms of an expression, each once."""
        return list(dict.fromkeys(_joined(form) for form in self._read(module, node)))

    def _read(self, module: Module, node: ast.expr) -> list[Form]:
        if node in self._known:
            return self._known[node]
        if node in self._busy:
            self._circles += 1
            return []
        self._busy.add(node)
        circles = self._circles
        forms = list(dict.fromkeys(self._read_kind(module, node)))
        self._busy.discard(node)
        if circles == self._circles or not self._busy:  # else it is not all of them, seen from elsewhere
            self._known[node] = forms
        return forms

    def _read_kind(self, module: Module, node: ast.expr) -> list[Form]:  # noqa: C901, PLR0911 - one for each kind
        match node:
            case ast.Constant():
                return [] if node.value is None else [(str(node.value),)]
            case ast.JoinedStr():
                return self._product(self._piece(module, each) for each in node.values)
            case ast.BinOp(op=ast.Add()):
                return self._product(self._put_in(module, each) for each in (node.left, node.right))
            case ast.BinOp(op=ast.Mod()):
                return [_slot(node)] if self._read(module, node.left) else []  # of a text that is translated already
            case ast.IfExp():
                return [*self._read(module, node.body), *self._read(module, node.orelse)]
            case ast.BoolOp(op=ast.Or()):
                return [form for each in node.values for form in self._read(module, each)]
            case ast.NamedExpr():
                return self._read(module, node.value)
            case ast.Name():
                return self._name(module, node)
            case ast.Attribute(attr="message") if isinstance(node.value, ast.Name):
                return self._caught(module, node, node.value.id)
            case ast.Subscript() if isinstance(node.value, ast.Name):
                return self._table(module, node.value.id) or [_slot(node)]
            case ast.Call():
                return self._call(module, node)
        return [_slot(node)]

    def _piece(self, module: Module, node: ast.expr) -> list[Form]:
        if not isinstance(node, ast.FormattedValue):
            return self._read(module, node)
        if node.conversion != -1 or node.format_spec is not None:
            return [_slot(node.value)]
        return self._put_in(module, node.value)

    def _put_in(self, module: Module, node: ast.expr) -> list[Form]:
        """Return the forms of what is put into a text where they have words; else it is a value."""
        if isinstance(node, ast.Constant | ast.JoinedStr):
            return self._read(module, node)
        forms = self._read(module, node)
        in_place = any(isinstance(each, ast.Constant) and _is_word(each.value) for each in _choices(module, node))
        says = any(has_words(form) or is_message(form) for form in forms)
        return forms if in_place or says else [_slot(node)]

    def _product(self, pieces: Iterable[list[Form]]) -> list[Form]:
        return [tuple(part for form in forms for part in form) for forms in product(*pieces)]

    def _name(self, module: Module, node: ast.Name) -> list[Form]:
        found: list[Form] = []
        for function in module.functions_around(node):
            values = _assigned(function, node.id)
            found += [form for value in values for form in self._read(module, value)]
            parameters = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
            if node.id in parameters:
                given = self.sources.arguments(module, function, node.id)
                shown = ((place, value) for place, value in given if self.is_shown(place.name))
                found += [form for place, value in shown for form in self._read(place, value)]
            if values or node.id in parameters:
                return [_called(form, node) for form in found] or ([] if values else [_slot(node)])
        if module.handler_around(node, node.id):
            return self._caught(module, node, node.id)
        constant = self.sources.constant(module, node.id)
        return self._read(*constant) if constant else [_slot(node)]

    def _caught(self, module: Module, node: ast.expr, name: str) -> list[Form]:
        """Return the place of what an error said that was caught; one of ours is a message by itself."""
        handler = module.handler_around(node, name)
        caught = handler.type if handler else None
        kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught] if caught else []
        is_ours = bool(kinds) and all(self.sources.descends(last_name(kind), ROOT) for kind in kinds)
        return [(Slot(MESSAGE, name),)] if is_ours else [_slot(node)]

    def _table(self, module: Module, name: str) -> list[Form]:
        home, table = self.sources.constant(module, name) or (module, None)
        values = table.values if isinstance(table, ast.Dict) else ()
        return [form for value in values for form in self._read(home, value)]

    def _call(self, module: Module, node: ast.Call) -> list[Form]:
        name = last_name(node.func)
        if name in _TRANSLATED:
            return []
        if name in _TRANSPARENT and node.args:
            return self._read(module, node.args[0])
        if isinstance(node.func, ast.Attribute):
            return self._method(module, node, node.func)
        known = self.sources.function(module, name)
        if known is None or name in _VALUES:
            return [_slot(node)]
        home, function = known
        forms = [form for said in _returned(function) for form in self._read(home, said)]
        return forms if any(has_words(form) for form in forms) else [_slot(node)]

    def _method(self, module: Module, node: ast.Call, method: ast.Attribute) -> list[Form]:
        if method.attr == "get" and isinstance(method.value, ast.Name):
            table = self._table(module, method.value.id)
            return [*table, *(form for each in node.args[1:] for form in self._read(module, each))] or [_slot(node)]
        if method.attr == "format":
            values = [_slot(each)[0] for each in node.args]
            return [_filled(form, values) for form in self._read(module, method.value)]
        return [_slot(node)]


def has_words(form: Form) -> bool:
    """Whether a form says something in words, and is not a value alone."""
    return any(isinstance(part, str) and _SPACED.search(part) for part in form)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(_LETTERS.search(value))


def _choices(module: Module, node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a choice that is written in place, or given to a name before, chooses from."""
    if isinstance(node, ast.IfExp):
        yield from (*_choices(module, node.body), *_choices(module, node.orelse))
    elif isinstance(node, ast.BoolOp):
        yield from (choice for each in node.values for choice in _choices(module, each))
    elif isinstance(node, ast.Name):
        assigned = (value for function in module.functions_around(node) for value in _assigned(function, node.id))
        for value in assigned:
            yield from _choices(module, value) if isinstance(value, ast.IfExp | ast.BoolOp) else ()
    else:
        yield node


def _assigned(function: ast.AST, name: str) -> list[ast.expr]:
    return _assignments(function).get(name, [])


@cache
def _assignments(function: ast.AST) -> dict[str, list[ast.expr]]:
    """Return what the names of a function are given."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        pairs: Iterable[tuple[ast.expr, ast.expr]] = ()
        if isinstance(node, ast.Assign):
            pairs = [pair for target in node.targets for pair in paired(target, node.value)]
        elif isinstance(node, ast.NamedExpr | ast.AnnAssign) and node.value is not None:
            pairs = [(node.target, node.value)]
        for target, value in pairs:
            if isinstance(target, ast.Name):
                found.setdefault(target.id, []).append(value)
    return found


def paired(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what gets which value, also of `a, b = x, y`."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        yield from zip(target.elts, value.elts, strict=True)
    elif not isinstance(target, ast.Tuple):
        yield target, value


def _returned(function: ast.AST) -> Iterator[ast.expr]:
    return (node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None)


def _filled(form: Form, values: list[str | Slot]) -> Form:
    """Put places where `{}` stands."""
    left = iter(values)
    parts: list[str | Slot] = []
    for part in form:
        if isinstance(part, Slot):
            parts.append(part)
            continue
        pieces = _FIELD.split(part)
        for place, piece in enumerate(pieces):
            parts += [piece] if place == 0 else [next(left), piece]
    return tuple(parts)


def _joined(form: Form) -> Form:
    """Join neighbours: two texts are one, and two places with nothing between cannot be told apart."""
    parts: list[str | Slot] = []
    for part in form:
        last = parts[-1] if parts else None
        if isinstance(part, str) and isinstance(last, str):
            parts[-1] = last + part
        elif isinstance(part, Slot) and isinstance(last, Slot):
            parts[-1] = Slot(f"{last.name}_{part.name}", f"{last.source} {part.source}")
        elif part:
            parts.append(part)
    return tuple(parts)


def _called(form: Form, node: ast.Name) -> Form:
    """Call a value as the name does that has it."""
    is_value = len(form) == 1 and isinstance(form[0], Slot) and not is_message(form)
    return _slot(node) if is_value else form


def is_message(form: Form) -> bool:
    """Whether a form is nothing but another message."""
    return len(form) == 1 and isinstance(form[0], Slot) and form[0].name == MESSAGE


def _slot(node: ast.expr) -> Form:
    return (Slot(_named(node), ast.unparse(node)),)


def _named(node: ast.AST) -> str:
    """Return the last name in an expression that says what it is."""
    if isinstance(node, ast.Name):
        return node.id.strip("_").lower()
    if isinstance(node, ast.Attribute):
        return _named(node.value) if node.attr in {"value", "__name__"} else node.attr.strip("_").lower()
    if isinstance(node, ast.Call):
        inner = [*node.args, node.func.value] if isinstance(node.func, ast.Attribute) else [*node.args, node.func]
        return next(filter(None, map(_named, inner)), "value")
    if isinstance(node, ast.expr_context | ast.operator | ast.boolop):
        return ""
    return next(filter(None, map(_named, ast.iter_child_nodes(node))), "value")
