"""`python -m bench killing --kills 200 --seed 7`: a desk is killed at random moments while mail flows.

Each message that was taken is counted afterwards, and must be exactly one ticket or comment.
"""

import asyncio
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from bench.figures import Figure
from bench.killing_desk import Prey, prey
from bench.killing_receiver import Receiver, receiving
from bench.killing_senders import WAYS, Places, Sender
from deskbell.runtime import open_desk
from deskbell.wiring import JOBS
from deskbell.worker import Pace, run_worker

BRISK = Pace(timedelta(seconds=0.2), timedelta(seconds=0.2), timedelta(seconds=2), timedelta(seconds=1))
PAUSE = 0.3
"""Seconds between two letters of a sender, at most."""
PAUSES = {"pipe": 3.0}
"""The same, where each letter starts a program."""
ALIVE = 1.5
"""Seconds that a process lives at most after it has begun to answer."""
MOST_OFTEN = 2
"""Times that a message of ours may be sent: once more than it should."""
DRAINED = 300
"""Seconds that what was taken may take to be filed after the last kill."""
_WAITING = (
    "select (select count(*) from inbound_messages where state = 'received')"
    " + (select count(*) from outbound_messages where state in ('queued', 'sending'))"
    " + (select count(*) from jobs.procrastinate_jobs where task_name like 'mail.%' and status = 'doing')"
)
_TEXTS = "select description from tickets union all select content from comments"
_STATES = "select state, count(*) from inbound_messages group by state order by state"
_ANSWERS = "select message_id, state from outbound_messages"
_MARK = re.compile(r"\bmark-[a-z0-9]+-\d+\b(?=\.)")


@dataclass(frozen=True, slots=True)
class Options:
    """How often to kill, by which dice; whether PostgreSQL is killed as well; which ways the mail takes."""

    kills: int = 200
    seed: int = 7
    postgres: bool = False
    ways: Sequence[str] = ("lmtp", "lmtp", "smtp", "http", "pipe")


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the messages that were taken. `known` are the attempts beyond those that were answered first."""

    kills: Counter[str]
    sent: int
    tries: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    strange: tuple[str, ...]
    states: dict[str, int]
    by_way: dict[str, int]
    answers: dict[str, int]
    """What became of our own messages, by state; `repeated`, those that were sent twice."""
    unsent: tuple[str, ...]
    """Message-IDs that we say were sent, and that nobody has got."""
    overdone: tuple[str, ...]
    """Message-IDs that were sent more often than twice."""
    seconds: float

    @property
    def wrong(self) -> int:
        """How many messages did not become exactly one ticket or comment, or did not go out once or twice."""
        return sum(map(len, (self.lost, self.doubled, self.strange, self.unsent, self.overdone)))


def run(options: Options) -> Iterator[Figure]:
    """Do it, and say what was counted."""
    found = count(options)
    details = {f"kills of {name}": float(number) for name, number in found.kills.items()}
    details |= {f"sent by {way}": float(number) for way, number in found.by_way.items()}
    details |= {"messages": found.sent, "attempts": found.tries, "seconds": found.seconds}
    details |= {f"ledger: {state}": number for state, number in found.states.items()}
    details |= {f"answers: {state}": number for state, number in found.answers.items()}
    wrong = {"lost": found.lost, "doubled": found.doubled, "unknown": found.strange}
    wrong |= {"said to be sent": found.unsent, "sent thrice": found.overdone}
    for name, marks in wrong.items():
        note = ", ".join(marks[:20])
        yield Figure(f"killing: messages {name}", len(marks), "messages", at_most=0, details=details, note=note)
        details = {}


def count(options: Options) -> Count:
    """Kill a desk so often while mail flows, then let it file what it took, and count."""
    began, dice = time.monotonic(), random.Random(options.seed)
    with receiving() as receiver, prey(receiver.port) as desk:
        for victim in desk.victims:
            victim.start()
        for victim in desk.victims:
            victim.await_answer()
        with _mail(desk, options, dice) as senders:
            kills = _kill(desk, options, dice)
        for victim in desk.victims:
            victim.kill()
        asyncio.run(_drain(desk))
        return _counted(desk, kills, senders, receiver, time.monotonic() - began)


@contextmanager
def _mail(desk: Prey, options: Options, dice: random.Random) -> Iterator[list[Sender]]:
    """Let mail flow while the block runs; then each sender delivers its last message."""
    stop, ports = threading.Event(), desk.ports
    places = Places(ports["http"], ports["lmtp"], ports["smtp"], desk.token, desk.environment)
    senders = [
        Sender(f"{way}{number}", WAYS[way], places, random.Random(dice.random()), stop, PAUSES.get(way, PAUSE))
        for number, way in enumerate(options.ways)
    ]
    threads = [threading.Thread(target=sender.run, name=sender.name) for sender in senders]
    for thread in threads:
        thread.start()
    try:
        yield senders
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=120)
            assert not thread.is_alive(), f"{thread.name} could not deliver its last message"


def _kill(desk: Prey, options: Options, dice: random.Random) -> Counter[str]:
    kills: Counter[str] = Counter()
    while kills.total() < options.kills:
        time.sleep(dice.random() * ALIVE)
        if options.postgres and dice.random() < 0.3:  # noqa: PLR2004 - a share
            kills["PostgreSQL"] += 1
            desk.kill_postgres()
            continue
        chosen = dice.choice((desk.victims[:1], desk.victims[1:], desk.victims))
        for victim in chosen:
            victim.kill()
            kills[victim.name] += 1
        for victim in chosen:
            victim.start()
        if dice.random() < 0.8:  # noqa: PLR2004 - else it is killed while it starts
            for victim in chosen:
                victim.await_answer()
    for victim in desk.victims:
        victim.await_answer()
    return kills


async def _drain(desk: Prey) -> None:
    """File what is left: the jobs of the killed workers too, which have to be found dead first."""
    with open_desk(desk.settings) as opened:
        stop = asyncio.Event()
        database = opened.database
        worker = asyncio.create_task(run_worker(database, JOBS, address=database.address, stop=stop, pace=BRISK))
        async with asyncio.timeout(DRAINED):
            while await asyncio.to_thread(_query, desk, _WAITING) != [(0,)]:  # noqa: ASYNC110 - the database sets no event
                await asyncio.sleep(0.2)
        stop.set()
        await worker
        await database.aclose()


def _counted(desk: Prey, kills: Counter[str], senders: Sequence[Sender], receiver: Receiver, seconds: float) -> Count:
    sent = {letter.mark for sender in senders for letter in sender.taken}
    answers = _query(desk, _ANSWERS)
    filed = Counter(mark for (text,) in _query(desk, _TEXTS) for mark in set(_MARK.findall(text)))
    return Count(
        kills=kills,
        sent=len(sent),
        tries=sum(sender.tries for sender in senders),
        lost=tuple(sorted(sent - filed.keys())),
        doubled=tuple(sorted(mark for mark, number in filed.items() if number > 1)),
        strange=tuple(sorted(filed.keys() - sent)),
        states=dict(_query(desk, _STATES)),
        by_way={sender.name: len(sender.taken) for sender in senders},
        answers=dict(Counter(state for _, state in answers)) | {"repeated": sum(n > 1 for n in receiver.came.values())},
        unsent=tuple(each for each, state in answers if state == "sent" and not receiver.came[each]),
        overdone=tuple(each for each, number in receiver.came.items() if number > MOST_OFTEN),
        seconds=seconds,
    )


def _query(desk: Prey, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(desk.admin.dsn, autocommit=True) as connection:
        return connection.execute(statement.encode()).fetchall()
