"""From the tree back to text. What is printed reads as the same tree."""

import re

from deskbell.search.language.tokens import FIELD, PLAIN_VALUE, WORD
from deskbell.search.language.tree import And, Condition, Node, Not, Or, Query, Value, Words

_KEYWORDS = {"AND", "OR", "NOT"}
_TO_ESCAPE = re.compile(r'"|\\(?=["\\]|$)')


def print_query(query: Query) -> str:
    """Write a query in its shortest form."""
    parts = [] if query.tree is None else [_either(query.tree)]
    if query.sort:
        parts.append(f"sort:{_values(query.sort)}")
    return " ".join(parts)


def quote(text: str) -> str:
    """Write text between quotation marks."""
    return '"' + _TO_ESCAPE.sub(r"\\\g<0>", text) + '"'


def print_value(text: str, *, literal: bool = False) -> str:
    """Write a value as it stands behind a field, in quotation marks where it needs them or is meant `literal`ly."""
    return text if not literal and PLAIN_VALUE.fullmatch(text) else quote(text)


def _either(node: Node) -> str:
    return " OR ".join(map(_all, node.items)) if isinstance(node, Or) else _all(node)


def _all(node: Node) -> str:
    return " ".join(map(_term, node.items)) if isinstance(node, And) else _term(node)


def _term(node: Node) -> str:
    match node:
        case Words():
            return _words(node)
        case Condition():
            return f"{node.field}{node.operator}{_values(node.values)}"
        case Not():
            return f"-{_term(node.item)}"
        case And() | Or():
            return f"({_either(node)})"


def _words(words: Words) -> str:
    text = quote(words.text) if words.is_quoted or not _is_plain(words) else words.text
    return text + ("*" if words.is_prefix else "")


def _is_plain(words: Words) -> bool:
    """Whether the text reads as one word, and as nothing else, when it stands by itself."""
    text = words.text
    is_word = WORD.fullmatch(text) is not None and FIELD.match(text) is None
    return (
        is_word and not text.startswith("-") and not text.endswith("*") and (words.is_prefix or text not in _KEYWORDS)
    )


def _values(values: tuple[Value, ...]) -> str:
    return ",".join(print_value(value.text, literal=value.is_quoted) for value in values)
