"""What errors and states say to people: the templates of all messages that a page can show, for the catalogs.

The domain says `There is no ticket DB-7.`; the catalogs have `There is no ticket %(number)s.`, found here by reading
the source. Left out is what only programs and operators are told, see `UNSHOWN`.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tools.shapes import ROOT, Form, Reader, Slot, has_words, is_message, paired
from tools.sources import Module, Sources, last_name, read_sources

CONTEXT: Final = "message"
"""Of the entries in the catalogs; the same in `web/worded.py`."""
ROOMS: Final = (
    *("accounts", "audit", "composing", "curation", "kernel", "mail", "reports", "search", "tickets"),
    *("web", "worker"),
)
UNSHOWN: Final = {
    "curation": "imports and demo desks are begun at the command line",
    "worker": "is heard of in the log",
    "kernel.embedded": "what keeps the server from starting is told to whoever starts it",
    "kernel.address": "settings",
    "kernel.connecting": "settings",
    "kernel.credentials": "settings",
    "kernel.jobs": "for programs that add jobs",
    "kernel.keyring": "settings",
    "kernel.languages": "makes no messages",
    "kernel.replicas": "is heard of in the log",
    "kernel.roles": "settings",
    "kernel.settings": "settings",
    "kernel.tls": "settings",
    "mail.inbound.files": "what is imported at the command line",
    "mail.sources.incoming": "the protocol's answers to servers, which speak English",
    "mail.sources.listener": "the protocol's answers to servers, which speak English",
    "mail.sources.protocol": "the protocol's answers to servers, which speak English",
    "search.columns": "parameters of the API",
    "search.contract": "for programs that call it",
    "search.indexing": "settings",
    "tickets.bulk_creation": "for programs that call it",
    "tickets.derived": "for programs that call it",
    "tickets.details": "for programs that call it",
    "tickets.new_rows": "for programs that call it",
    "tickets.statistics": "parameters of the API",
    "web.api": "the API speaks English",
    "web.bodies": "the API speaks English",
    "web.conditional": "the API speaks English",
    "web.health": "for load balancers",
    "web.live": "is heard by scripts",
    "web.idempotency": "a header of the API",
    "web.schemas": "the API speaks English",
}
"""Module → why no page shows what it says."""
_FIELDS: Final = frozenset({"advice", "message", "reason", "words"})
"""Fields of plain values and of rows that hold a message."""
_STORED: Final = frozenset({"problem", "reason"})
_OPERATORS: Final = "SetupError"
PLACE: Final = re.compile(r"%\(\w+\)s")


@dataclass(frozen=True)
class Said:
    """A message where it is written. `unknown` are its forms whose words come from elsewhere."""

    path: Path
    line: int
    source: str
    templates: tuple[str, ...]
    unknown: tuple[str, ...]
    is_error: bool


@cache
def messages(package: Path = Path("deskbell")) -> tuple[Said, ...]:
    """Return what is said in the rooms of the package, in the order of its files."""
    sources = read_sources(package)
    reader = Reader(sources, is_shown)
    found = []
    for module in sources.modules.values():
        if is_shown(module.name):
            texts = sorted(_texts(sources, module), key=lambda pair: pair[0].lineno)
            found += [_said(reader, module, node, text) for node, text in texts]
    return tuple(found)


def templates(package: Path = Path("deskbell")) -> Iterator[tuple[Path, str]]:
    """Yield each file with each template that is in it. What differs in the names of its places alone is the same."""
    known: dict[str, str] = {}
    for said in messages(package):
        for template in said.templates:
            yield said.path, known.setdefault(PLACE.sub("%()s", template), template)


def is_shown(name: str) -> bool:
    """Whether a page may show what a module says, by its dotted name."""
    _package, _dot, inner = name.partition(".")
    return inner.split(".")[0] in ROOMS and not any(inner == one or inner.startswith(f"{one}.") for one in UNSHOWN)


def written(form: Form) -> str:
    """Write a form as the catalogs have it. One without places is a plain text, in which % is a sign like others."""
    if not any(isinstance(part, Slot) for part in form):
        return "".join(map(str, form))
    names: dict[Slot, str] = {}
    return "".join(_place(part, names) if isinstance(part, Slot) else part.replace("%", "%%") for part in form)


def _place(slot: Slot, names: dict[Slot, str]) -> str:
    if slot not in names:
        others = sum(known.name == slot.name for known in names)
        names[slot] = f"{slot.name}_{others + 1}" if others else slot.name
    return f"%({names[slot]})s"


def _said(reader: Reader, module: Module, node: ast.expr | ast.stmt, text: ast.expr | str) -> Said:
    forms: list[Form] = [(text,)] if isinstance(text, str) else reader.forms(module, text)
    found = dict.fromkeys(written(form) for form in forms if has_words(form))
    unknown = dict.fromkeys(written(form) for form in forms if not has_words(form) and not is_message(form))
    source = text if isinstance(text, str) else ast.unparse(text)
    called = last_name(node.func) if isinstance(node, ast.Call) else ""
    is_error = isinstance(node, ast.ClassDef) or _is_error(reader.sources, called)
    return Said(module.path, node.lineno, source, tuple(found), tuple(unknown), is_error)


def _texts(sources: Sources, module: Module) -> Iterator[tuple[ast.expr | ast.stmt, ast.expr | str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and _is_error(sources, node.name):
            yield node, (ast.get_docstring(node) or node.name).splitlines()[0]
        elif isinstance(node, ast.Call):
            yield from ((node, text) for text in _told(sources, module, node))
        elif isinstance(node, ast.Assign):
            pairs = (pair for target in node.targets for pair in paired(target, node.value))
            yield from ((node, value) for target, value in pairs if _is_stored(target))


def _told(sources: Sources, module: Module, call: ast.Call) -> Iterator[ast.expr]:
    """Yield the message that an error, or a plain value, is made with."""
    name = last_name(call.func)
    known = sources.class_of(module, name)
    if known is not None and _is_error(sources, name):
        yield from call.args[:1] if _says_by_message(known) else ()
    elif known is not None:
        yield from _of_fields(call, known)
    else:
        yield from (each.value for each in call.keywords if each.arg in _STORED)


def _is_error(sources: Sources, name: str) -> bool:
    return sources.descends(name, ROOT) and not sources.descends(name, _OPERATORS)


def _says_by_message(known: ast.ClassDef) -> bool:
    """Whether an error's first argument is its message, as with all that have no other."""
    own = next((each for each in known.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None)
    if own is None:
        return True
    return "message" in [each.arg for each in (*own.args.posonlyargs, *own.args.args)][:2]


def _of_fields(call: ast.Call, known: ast.ClassDef) -> Iterator[ast.expr]:
    fields = [last_name(each.target) for each in known.body if isinstance(each, ast.AnnAssign)]
    yield from (value for name, value in zip(fields, call.args, strict=False) if name in _FIELDS)
    yield from (each.value for each in call.keywords if each.arg in _FIELDS)


def _is_stored(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr in _STORED
