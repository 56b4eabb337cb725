"""What happens to a made-up ticket from its first message to its end: pure, and equal for equal chance.

All times are seconds since 1970; nothing happens after `Calendar.until`. Rows are tuples in the order of the columns in
`loading`, as objects would cost more than what they hold.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import exp
from random import Random
from typing import TypeVar

from deskbell.curation.demo.calendar import DAY, HOUR, Calendar, in_working_hours
from deskbell.curation.demo.language import Language, Topic, Writer
from deskbell.curation.demo.people import Agent, Customer, People
from deskbell.curation.demo.samples import File
from deskbell.curation.demo.words import common
from deskbell.kernel.actor import Channel
from deskbell.tickets.models import TicketPriority, TicketStatus

Row = tuple[object, ...]
T = TypeVar("T")

_COMMENTS = (0.30, 0.57, 0.775, 0.875, 0.93, 0.958)  # share of tickets with at most 0, 1, ... comments
_UP_TO_TEN, _UP_TO_NINETEEN, _UP_TO_SIXTY = 0.987, 0.995, 0.9998
_PRIORITIES = (
    (0.22, TicketPriority.LOW),
    (0.72, TicketPriority.MEDIUM),
    (0.94, TicketPriority.HIGH),
    (1.0, TicketPriority.URGENT),
)
_HASTE = {TicketPriority.LOW: 2.0, TicketPriority.MEDIUM: 1.0, TicketPriority.HIGH: 0.5, TicketPriority.URGENT: 0.2}
_CHANNELS = ((0.55, Channel.MAIL), (0.90, Channel.WEB), (0.98, Channel.API), (1.0, Channel.IMPORT))
_TAGS = (0.15, 0.60, 0.88, 0.97, 1.0)  # share of tickets with at most 0, 1, ... tags
_NOTE = 0.13
_OWN_TAG = 0.7
_WITH_FILE = 0.12
_INLINE = 0.2
_FOLDED = 0.1
_REGULARS = 100  # customers who ask about equally often
_REOPENED = 0.05
_DELETED = 0.01
_ASSIGNED = 0.93
_DUE = 0.15
_TO_CLOSING = 7 * DAY
_SIGNATURE = "-- \nSent from my phone"


@dataclass(slots=True)
class Batch:
    """Rows of some tickets, to be loaded together. The first column of each is the ticket's place in the batch."""

    tickets: list[Row] = field(default_factory=list)
    comments: list[Row] = field(default_factory=list)
    attachments: list[Row] = field(default_factory=list)
    tags: list[Row] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """How many rows there are of each kind."""
        return Counter({kind: len(getattr(self, kind)) for kind in ("tickets", "comments", "attachments", "tags")})


@dataclass(frozen=True, slots=True)
class World:
    """What all tickets share."""

    seed: int
    calendar: Calendar
    language: Language
    people: People
    files: tuple[File, ...]
    tag_names: tuple[str, ...]


def batch_of(world: World, start: int, size: int, total: int) -> Batch:
    """Make the tickets `start` to `start + size` of `total`, oldest first. No batch depends on another."""
    life = _Life(world, Random(f"tickets {world.seed} {start}"))  # noqa: S311 - made-up data
    for place in range(size):
        life.live(place, (start + place) / total, 1 / total)
    return life.batch


class _Life:
    """Lives one ticket after the other into a batch."""

    def __init__(self, world: World, chance: Random) -> None:
        self.batch = Batch()
        self._world = world
        self._until = world.calendar.until
        self._random = chance.random
        self._gauss = chance.gauss
        self._writer = Writer(world.language, chance)
        self._topics = [topic for topic in world.language.topics for _ in range(topic.weight)]

    def live(self, place: int, share: float, width: float) -> None:
        """Live one ticket."""
        random = self._random
        topic = self._topics[int(len(self._topics) * random())]
        customer = common(random, self._world.people.customers, _REGULARS)
        agents = self._world.people.teams[topic.team]
        agent = common(random, agents.members)
        created = self._world.calendar.moment(share + width * random())
        priority = _by_share(_PRIORITIES, random())
        end = self._end(created, priority)
        tale = self._thread(place, topic, customer, agent, created, end, priority)
        deleted = min(created + int(3 * DAY * random()), self._until) if random() < _DELETED else None
        status, resolved, last = self._state(end, tale)
        reopened = int(tale.comments > 2 and random() < _REOPENED)  # noqa: PLR2004 - once resolved, not so, and again
        assigned = tale.answered is not None or random() < _ASSIGNED
        self.batch.tickets.append((
            place,
            self._writer.title(topic),
            self._writer.first_message(topic, customer.name),
            _SIGNATURE if random() < _FOLDED else "",
            status,
            priority,
            tale.channel,
            customer.id,
            agent.id if assigned else None,
            customer.organization_id,
            agents.id,
            1 + assigned + (resolved is not None) + (status is TicketStatus.CLOSED) + 2 * reopened,
            reopened,
            in_working_hours(created + int(DAY * (1 + 9 * random()))) if random() < _DUE else None,
            tale.answered,
            resolved,
            deleted,
            created,
            max(last, deleted or 0),
        ))  # fmt: skip
        self._tags(place, topic)

    def _end(self, created: int, priority: TicketPriority) -> int:
        """Return when it is resolved, which may lie beyond `until`: some never are, mostly recent ones."""
        age = (self._until - created) / DAY
        if self._random() < 0.015 + 0.4 * exp(-age / 50):
            return self._until + 1
        hours = exp(self._gauss(3.2, 1.2)) * _HASTE[priority]
        return in_working_hours(created + int(hours * HOUR) + 600)

    def _thread(
        self,
        place: int,
        topic: Topic,
        customer: Customer,
        agent: Agent,
        created: int,
        end: int,
        priority: TicketPriority,
    ) -> "_Tale":
        """Say what is said until the ticket is resolved, and attach files."""
        random = self._random
        tale = _Tale(_by_share(_CHANNELS, random()), created)
        if random() < _WITH_FILE:
            self._attach(place, None, customer.id, created)
        count = self._how_many()
        step = (min(end, self._until) - created) / (count + 0.5)
        first = exp(self._gauss(0.8, 1.0)) * _HASTE[priority] * HOUR
        at = created
        for number in range(count):
            if number == 0:
                at = in_working_hours(created + int(min(first, step)) + 60)
            else:
                at += 1 + int(step * (0.4 + 0.8 * random()))
            if at >= self._until:
                break
            self._say(place, topic, customer, agent, at, tale)
        return tale

    def _say(self, place: int, topic: Topic, customer: Customer, agent: Agent, at: int, tale: "_Tale") -> None:
        random, writer = self._random, self._writer
        internal, by_agent = False, True
        if random() < _NOTE:
            content, internal = writer.note(), True
        elif tale.by_customer:
            content = writer.answer(topic, agent.name, customer.given)
            tale.answered = tale.answered or at
            tale.by_customer = random() < 0.15  # noqa: PLR2004 - some write twice
        else:
            content, by_agent = writer.reply(), False
            tale.by_customer = True
        author = agent.id if by_agent else customer.id
        folded = _SIGNATURE if not by_agent and random() < _FOLDED else ""
        channel = Channel.WEB if by_agent else tale.channel
        self.batch.comments.append((place, content, folded, internal, channel, author, at))
        tale.comments += 1
        tale.last = at
        if random() < 0.02:  # noqa: PLR2004 - rather with the first message
            self._attach(place, at, author, at)

    def _state(self, end: int, tale: "_Tale") -> tuple[TicketStatus, int | None, int]:
        """(status, when resolved, last change)."""
        last = tale.last
        if end <= self._until:
            resolved = max(end, last)
            closing = resolved + _TO_CLOSING
            if closing < self._until:
                return TicketStatus.CLOSED, resolved, closing
            return TicketStatus.RESOLVED, resolved, resolved
        if not tale.comments:
            return TicketStatus.OPEN, None, last
        if tale.answered and not tale.by_customer:
            return TicketStatus.WAITING_ON_CUSTOMER, None, last
        return TicketStatus.IN_PROGRESS, None, last

    def _how_many(self) -> int:
        """Return a number of comments: two on average, often none, sometimes dozens, hardly ever hundreds."""
        random = self._random
        draw = random()
        for number, share in enumerate(_COMMENTS):
            if draw < share:
                return number
        if draw < _UP_TO_TEN:
            return 6 + int(5 * random())
        if draw < _UP_TO_NINETEEN:
            return 11 + int(9 * random())
        return 20 + int(41 * random()) if draw < _UP_TO_SIXTY else 150 + int(101 * random())

    def _attach(self, place: int, comment_at: int | None, by: int, at: int) -> None:
        random = self._random
        for number in range(1 if random() < 0.85 else 2 + int(2 * random())):  # noqa: PLR2004 - mostly one
            file = common(random, self._world.files)
            inline = f"part{number}.{at}@mail.example" if file.is_picture and random() < _INLINE else None
            name = file.name(int(90_000 * random()) + 10_000)
            row = (place, comment_at, name, file.media_type, file.size, file.sha256, file.key, inline, by, at)
            self.batch.attachments.append(row)

    def _tags(self, place: int, topic: Topic) -> None:
        random, names = self._random, self._world.tag_names
        draw = random()
        chosen: set[str] = set()
        for share in _TAGS:
            if draw < share:
                break
            chosen.add(common(random, topic.tags if random() < _OWN_TAG else names))
        ids = self._world.people.tags
        self.batch.tags += [(place, ids[name]) for name in sorted(chosen)]


@dataclass(slots=True)
class _Tale:
    """How far a thread has come."""

    channel: Channel
    last: int
    comments: int = 0
    answered: int | None = None
    by_customer: bool = True


def _by_share(table: tuple[tuple[float, T], ...], draw: float) -> T:
    for share, value in table:
        if draw < share:
            return value
    return table[-1][1]
