"""From entries of the audit log to sentences: what an act did to each row in the end, and how that is called. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row

from deskbell.audit.models import AuditAction
from deskbell.kernel.text import one_line
from deskbell.tickets.history_names import Names

LONG: Final = 200
"""Characters of a value; of longer texts the part is shown that differs."""
AROUND: Final = 40
NOT_FOR_PEOPLE: Final = frozenset({"content_html", "description_html", "content_format", "description_format"})
FOLLOWS: Final = frozenset({"resolved_at", "reopen_count", "first_responded_at"})
"""Told only where nothing else is: they follow from what the act did."""
WHAT: Final = {
    "tickets": "ticket",
    "comments": "comment",
    "attachments": "attachment",
    "ticket_tags": "tag",
    "ticket_copies": "copy",
    "ticket_links": "link",
}
PLURALS: Final = {"added the tag": "added the tags", "removed the tag": "removed the tags"}

Values = dict[str, Any]


@dataclass(slots=True)
class Net:
    """What an act did to one row. `values` of an UPDATE are pairs of old and new, of a DELETE the row."""

    table_name: str
    id: int
    action: str
    values: Values


@dataclass(frozen=True, slots=True)
class Change:
    """One change to a ticket or a part of it: `phrase` and `name` are "added the tag", "billing".

    `what` is ticket, comment, attachment, tag, copy or link, and `id` its own. `fields` of what was edited are old
    and new values, with names in the place of ids.
    """

    what: str
    id: int
    action: str
    phrase: str
    name: str = ""
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """What was done, in words."""
        return f"{self.phrase} {self.name}".strip()


def net(entries: Iterable[Row[Any]]) -> list[Net]:
    """Put together what an act did to each row, from its entries, oldest first; what it undid itself is left out."""
    rows: dict[tuple[Any, ...], Net] = {}
    for entry in entries:
        _add(rows, entry)
    edited = (row for row in rows.values() if row.action == AuditAction.UPDATE)
    for row in edited:
        row.values = {name: (old, new) for name, (old, new) in row.values.items() if old != new}
    return [row for row in rows.values() if row.action != AuditAction.UPDATE or row.values]


def _add(rows: dict[tuple[Any, ...], Net], entry: Row[Any]) -> None:
    changes: Values = entry.changes or {}
    tag = changes.get("tag_id", entry.record_id)  # of two key columns the log names the second one here
    number: int = tag[1] if isinstance(tag, list) else tag
    key: tuple[Any, ...] = (entry.table_name, number)
    before = rows.get(key)
    if before is None:
        rows[key] = Net(entry.table_name, number, entry.action, dict(changes))
    elif entry.action == AuditAction.UPDATE:
        _edit(rows, key, before, changes)
    elif {before.action, entry.action} == {AuditAction.CREATE, AuditAction.DELETE}:
        del rows[key]
    else:
        rows[key] = Net(entry.table_name, number, entry.action, dict(changes))


def _edit(rows: dict[tuple[Any, ...], Net], key: tuple[Any, ...], before: Net, changes: Values) -> None:
    """What is edited right after it was made was made so; of a ticket both are told."""
    if before.action == AuditAction.UPDATE:
        before.values |= {name: ((before.values.get(name) or pair)[0], pair[1]) for name, pair in changes.items()}
    elif before.table_name == "tickets":
        its = (*key, "edited")
        rows.setdefault(its, Net(before.table_name, before.id, AuditAction.UPDATE, {}))
        _edit(rows, its, rows[its], changes)


def tell(rows: Sequence[Net], names: Names) -> list[Change]:
    """Say what was done to each row, and leave out what follows from the rest."""
    told = [change for row in rows for change in _change(row, names, hidden=NOT_FOR_PEOPLE | FOLLOWS)]
    return told or [change for row in rows for change in _change(row, names, hidden=NOT_FOR_PEOPLE)]


def _change(row: Net, names: Names, *, hidden: frozenset[str]) -> Iterator[Change]:
    fields = _fields(row, names, hidden) if row.action == AuditAction.UPDATE else {}
    if row.action != AuditAction.UPDATE or fields:
        phrase, name = _PHRASES[row.table_name](row, fields, names)
        yield Change(WHAT[row.table_name], row.id, row.action, phrase, name, fields)


def _fields(row: Net, names: Names, hidden: frozenset[str]) -> dict[str, tuple[Any, Any]]:
    shown = {name: pair for name, pair in row.values.items() if name not in hidden}
    return {name: difference(names.value(name, old), names.value(name, new)) for name, (old, new) in shown.items()}


def difference(old: object, new: object) -> tuple[object, object]:
    """Return both values; of two texts, of which one is long, the parts that differ, with a little around them."""
    if not (isinstance(old, str) and isinstance(new, str)) or max(len(old), len(new)) <= LONG:
        return _short(old), _short(new)
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    first = max(start - AROUND, 0)
    parts = (text[first : len(text) - max(end - AROUND, 0)] for text in (old, new))
    before, after = ("…" if first else ""), ("…" if end > AROUND else "")
    cut_old, cut_new = (f"{before}{_short(part)}{after}" for part in parts)
    return cut_old, cut_new


def _alike(one: str, other: str) -> int:
    """Return how many characters both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _short(value: object) -> object:
    return one_line(value, LONG) if isinstance(value, str) else value


def sentence(changes: Iterable[Change]) -> str:
    """Tell several changes in a row; those of one kind together."""
    return ", ".join(_together(phrase, list(its)) for phrase, its in groupby(changes, key=lambda it: it.phrase))


def _together(phrase: str, changes: Sequence[Change]) -> str:
    if len(changes) == 1:
        return changes[0].summary
    names = ", ".join(change.name for change in changes if change.name)
    return f"{PLURALS.get(phrase, phrase)} {names or f'({len(changes)} times)'}"


def _of_ticket(row: Net, fields: Mapping[str, Any], _names: Names) -> tuple[str, str]:
    if row.action != AuditAction.UPDATE:
        return ("opened the ticket" if row.action == AuditAction.CREATE else "deleted the ticket for good"), ""
    if "deleted_at" in fields:
        return ("restored the ticket" if fields["deleted_at"][1] is None else "deleted the ticket"), ""
    return "changed", ", ".join(name.removesuffix("_id").replace("_", " ") for name in fields)


def _of_comment(row: Net, fields: Mapping[str, Any], names: Names) -> tuple[str, str]:
    kind = "an internal note" if names.notes.get(row.id) else "a reply"
    if "ticket_id" in fields:
        return "moved a comment", ""
    if set(fields) == {"is_internal"}:
        return ("made a reply internal" if fields["is_internal"][1] else "made an internal note public"), ""
    verb = {AuditAction.CREATE: "wrote", AuditAction.UPDATE: "edited", AuditAction.DELETE: "deleted"}
    return f"{verb[AuditAction(row.action)]} {kind}", ""


def _of_attachment(row: Net, _fields: Mapping[str, Any], names: Names) -> tuple[str, str]:
    verb = {
        AuditAction.CREATE: "attached",
        AuditAction.UPDATE: "changed the file",
        AuditAction.DELETE: "removed the file",
    }
    return verb[AuditAction(row.action)], names.files.get(row.id, "a file")


def _of_tag(row: Net, _fields: Mapping[str, Any], names: Names) -> tuple[str, str]:
    verb = {AuditAction.CREATE: "added", AuditAction.UPDATE: "changed", AuditAction.DELETE: "removed"}
    return f"{verb[AuditAction(row.action)]} the tag", names.tags.get(row.id, f"#{row.id}")


def _of_copy(row: Net, _fields: Mapping[str, Any], names: Names) -> tuple[str, str]:
    verb = {AuditAction.CREATE: "put in copy", AuditAction.UPDATE: "changed the copy to"}
    return verb.get(AuditAction(row.action), "took out of copy"), names.copies.get(row.id, "somebody")


def _of_link(row: Net, _fields: Mapping[str, Any], names: Names) -> tuple[str, str]:
    phrase, number = names.links.get(row.id, ("linked to", "a ticket"))
    return (f"no longer {phrase}" if row.action == AuditAction.DELETE else phrase), number


_PHRASES: Final = {
    "tickets": _of_ticket,
    "comments": _of_comment,
    "attachments": _of_attachment,
    "ticket_tags": _of_tag,
    "ticket_copies": _of_copy,
    "ticket_links": _of_link,
}
