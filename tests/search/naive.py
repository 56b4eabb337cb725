"""What a query means, said in the plainest way: each ticket is looked at, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from deskbell.accounts.models import Role, User
from deskbell.search.language import And, Condition, Node, Not, Operator, Or, Query, Value, Words
from deskbell.search.language.times import read_interval
from deskbell.tickets.models import TicketPriority, TicketStatus
from tests.search.desk import NOW, Desk, Item, Lexemes

DONE = {TicketStatus.RESOLVED, TicketStatus.CLOSED}
RANKS = list(TicketPriority)
WEEK = 7 * 24 * 3600


@dataclass(frozen=True)
class Reader:
    """Somebody who searches. `stems` has what PostgreSQL makes of the words of the queries."""

    desk: Desk
    who: User
    zone: ZoneInfo
    stems: dict[str, Lexemes]

    def finds(self, query: Query) -> set[int]:
        """Return the ids of the tickets that fit."""
        about_deleted = any(
            isinstance(leaf, Condition) and leaf.field == "is" and any(value.says("deleted") for value in leaf.values)
            for leaf in query.leaves()
        )
        return {
            item.row.id
            for item in self.desk.items
            if self.sees(item)
            and (about_deleted or item.row.deleted_at is None)
            and (query.tree is None or self.holds(query.tree, item) is not False)
        }

    @property
    def is_staff(self) -> bool:
        return self.who.role is not Role.CUSTOMER

    def sees(self, item: Item) -> bool:
        shares = item.organization == "Kim & Co" and self.who.organization_id == item.row.organization_id
        return self.is_staff or (item.row.deleted_at is None and (item.requester == self.who.email or shares))

    def holds(self, node: Node, item: Item) -> bool | None:
        """Return whether it holds; None for words that are in every text and mean nothing, which are passed over."""
        match node:
            case Words():
                return self.has_words(node, item)
            case Condition():
                return any(self.has_value(node, value, item) for value in node.values)
            case Not():
                inner = self.holds(node.item, item)
                return None if inner is None else not inner
            case And() | Or():
                known = [held for part in node.items if (held := self.holds(part, item)) is not None]
                return None if not known else all(known) if isinstance(node, And) else any(known)

    def has_words(self, words: Words, item: Item) -> bool | None:
        wanted = [(place, stem) for stem, places in self.stems[words.text].items() for place in places]
        if not wanted:
            return None
        last = max(wanted) if words.is_prefix and self.stems[words.text.split()[-1]] else None
        texts = item.public + (item.notes if self.is_staff else ())
        return any(_is_in(wanted, last, self.desk.lexemes[text]) for text in texts)

    def has_value(self, term: Condition, value: Value, item: Item) -> bool:
        row, text = item.row, value.text.lower()
        meanings: dict[str, Callable[[], bool]] = {
            "status": lambda: row.status == text,
            "priority": lambda: _compared(RANKS.index(row.priority), term.operator, RANKS.index(TicketPriority(text))),
            "channel": lambda: row.channel == text,
            "number": lambda: row.ticket_number in {text.upper(), f"DB-{text}"},
            "assignee": lambda: self.is_person(value, item.assignee),
            "requester": lambda: self.is_person(value, item.requester),
            "organization": lambda: _is_called(value, item.organization) and self.knows_organization(value),
            "team": lambda: _is_called(value, item.team),
            "tag": lambda: not item.tags if value.says("none") else text in {tag.lower() for tag in item.tags},
            "created": lambda: self.is_at(term.operator, value, row.created_at),
            "updated": lambda: self.is_at(term.operator, value, row.updated_at),
            "resolved": lambda: self.is_at(term.operator, value, row.resolved_at),
            "due": lambda: self.is_at(term.operator, value, row.due_at),
            "comments": lambda: self.is_number(term.operator, text, item.comments[0 if self.is_staff else 1]),
            "is": lambda: _is(text, item),
            "has": lambda: self.has(text, item),
        }
        return meanings[term.field]()

    def is_person(self, value: Value, email: str | None) -> bool:
        if value.says("me"):
            return email == self.who.email
        if value.says("none"):
            return email is None
        visible = self.is_staff or email == self.who.email
        return visible and _is_called(value, email)

    def knows_organization(self, value: Value) -> bool:
        """Customers know their own alone."""
        own = {item.organization for item in self.desk.items if item.row.organization_id == self.who.organization_id}
        return self.is_staff or value.says("none") or value.text.lower() in {name.lower() for name in own if name}

    def is_at(self, operator: Operator, value: Value, moment: datetime | None) -> bool:
        if value.says("none"):
            return moment is None
        first, _, last = value.text.partition("..")
        begin, end = read_interval(first, NOW, self.zone), read_interval(last or first, NOW, self.zone)
        if moment is None or begin is None or end is None:
            return False
        place = 0 if begin.start <= moment < end.end else -1 if moment < begin.start else 1
        return _compared(place, operator, 0)

    def is_number(self, operator: Operator, text: str, count: int) -> bool:
        first, _, last = text.partition("..")
        return int(first) <= count <= int(last) if last else _compared(count, operator, int(first))

    def has(self, flag: str, item: Item) -> bool:
        which = 0 if self.is_staff else 1
        return {
            "attachment": item.attachments[which] > 0,
            "comment": item.comments[which] > 0,
            "note": item.comments[0] > item.comments[1],
            "response": item.row.first_responded_at is not None,
            "assignee": item.assignee is not None,
            "organization": item.organization is not None,
            "team": item.team is not None,
            "tag": bool(item.tags),
            "due": item.row.due_at is not None,
        }[flag]


def _is(flag: str, item: Item) -> bool:
    row = item.row
    return {
        "open": row.status == TicketStatus.OPEN,
        "unresolved": row.status not in DONE,
        "resolved": row.status in DONE,
        "closed": row.status == TicketStatus.CLOSED,
        "overdue": row.status not in DONE and row.deleted_at is None and (NOW - row.created_at).total_seconds() > WEEK,
        "unassigned": item.assignee is None,
        "reopened": row.reopen_count > 0,
        "deleted": row.deleted_at is not None,
    }[flag]


def _is_called(value: Value, name: str | None) -> bool:
    return name is None if value.says("none") else name is not None and name.lower() == value.text.lower()


def _compared(left: int, operator: Operator, right: int) -> bool:
    return {
        Operator.IS: left == right,
        Operator.ABOVE: left > right,
        Operator.FROM: left >= right,
        Operator.BELOW: left < right,
        Operator.TO: left <= right,
    }[operator]


def _is_in(wanted: list[tuple[int, str]], last: tuple[int, str] | None, text: Lexemes) -> bool:
    """Whether the words stand in the text at the same distances; of the last one a beginning may do."""
    return any(
        all(
            any(
                place + shift in places
                for stem, places in text.items()
                if stem == word or ((place, word) == last and stem.startswith(word))
            )
            for place, word in wanted
        )
        for shift in range(-10, 20)
    )
