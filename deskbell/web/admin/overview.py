"""The first page of the administrator's desk: what needs attention, and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy.orm import Session

from deskbell.kernel.system import Queue, Sort, SystemState, slow_statements, system_state
from deskbell.kernel.system.state import Disk
from deskbell.mail.inbound.models import MailState
from deskbell.mail.mailboxes.standing import Standing
from deskbell.web.admin.frame import ROOT, admin_router, show
from deskbell.web.admin.mailbox_pages import troubled
from deskbell.web.admin.messages import stuck
from deskbell.web.admin.outbox import unsent
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import gettext as _
from deskbell.web.i18n import ngettext, number, span
from deskbell.web.templating import size_in_words
from deskbell.web.worded import worded

router = admin_router()
LITTLE_DISK: Final = 0.1
"""Of a disk free: less wants looking after."""
LONG_WAIT: Final = 300
"""Seconds: a job that could have run longer ago finds no worker."""
SLOW: Final = 1_000
"""Milliseconds that a statement takes on average."""
MANY_CONNECTIONS: Final = 0.85


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that somebody should look at, and where. `kind` is error or warning."""

    kind: str
    text: str
    href: str
    link: str


@router.get("")
async def show_overview(request: Request, session: Transaction, me: Me) -> Response:
    """Show what needs attention."""
    context = await session.run_sync(overview)
    replicas = len(request.app.state.database.standbys)
    return await show(request, session, me, "overview.html", replicas=replicas, **context)


def overview(session: Session) -> dict[str, Any]:
    """Look at everything: twelve statements."""
    state, mail, lost = system_state(session), stuck(session), unsent(session)
    slow = [one for one in slow_statements(session, sort=Sort.MEAN, limit=5).statements if one.mean_ms >= SLOW]
    concerns = [
        *_of_queue(state),
        *_of_mail(mail),
        *_of_mailboxes(troubled(session)),
        *_of_outbox(lost),
        *_of_disks(state.disks),
        *_of_partitions(state),
        *_of_server(state),
    ]
    if slow:
        text = ngettext(
            "%(n)s statement takes more than a second.", "%(n)s statements take more than a second.", len(slow)
        )
        concerns.append(Concern("warning", text % {"n": len(slow)}, f"{ROOT}/slow-queries", _("See slow queries")))
    ordered = sorted(concerns, key=lambda concern: concern.kind != "error")
    return {"concerns": ordered, "at": state.at, "facts": list(_facts(state))}


def _of_queue(state: SystemState) -> Iterator[Concern]:
    queue: Queue = state.queue
    if queue.failed:
        text = ngettext("%(n)s job failed.", "%(n)s jobs failed.", queue.failed) % {"n": number(queue.failed)}
        yield Concern("error", text, f"{ROOT}/jobs?state=failed", _("See why"))
    waits = (state.at - queue.oldest_since).total_seconds() if queue.oldest_since else 0
    if not queue.workers:
        text = _("No worker is running: mail is not filed and nothing is sent.")
        yield Concern("error", text, f"{ROOT}/jobs", _("See the jobs"))
    elif waits > LONG_WAIT:
        text = _("A job has been waiting for %(time)s.") % {"time": span(int(waits))}
        yield Concern("warning", text, f"{ROOT}/jobs?state=waiting", _("See what waits"))


def _of_mail(counts: dict[MailState, int]) -> Iterator[Concern]:
    suspended, failed = counts[MailState.SUSPENDED], counts[MailState.FAILED]
    if failed:
        text = ngettext("%(n)s message could not be filed.", "%(n)s messages could not be filed.", failed)
        yield Concern("error", text % {"n": number(failed)}, f"{ROOT}/mail?state=failed", _("Read them"))
    if suspended:
        text = ngettext("%(n)s message is suspended.", "%(n)s messages are suspended.", suspended)
        yield Concern("warning", text % {"n": number(suspended)}, f"{ROOT}/mail?state=suspended", _("Look at them"))


def _of_mailboxes(mailboxes: Sequence[dict[str, Any]]) -> Iterator[Concern]:
    for mailbox in mailboxes:
        standing: Standing = mailbox["standing"]
        href, link = f"{ROOT}/mailboxes/{mailbox['id']}", _("See the mailbox")
        if standing.problem:
            names = {"name": mailbox["name"], "problem": worded(standing.problem)}
            yield Concern("error", _("The mailbox %(name)s cannot be fetched: %(problem)s") % names, href, link)
        if standing.missing:
            text = ngettext(
                "%(n)s message in the mailbox %(name)s was not fetched.",
                "%(n)s messages in the mailbox %(name)s were not fetched.",
                standing.missing,
            )
            names = {"n": number(standing.missing), "name": mailbox["name"]}
            yield Concern("warning", text % names, href, link)


def _of_outbox(failed: int) -> Iterator[Concern]:
    if failed:
        text = ngettext("%(n)s message could not be sent.", "%(n)s messages could not be sent.", failed)
        yield Concern("error", text % {"n": number(failed)}, f"{ROOT}/outbox?state=failed", _("See why"))


def _of_disks(disks: tuple[Disk, ...]) -> Iterator[Concern]:
    for disk in disks:
        if disk.total and disk.free / disk.total < LITTLE_DISK:
            names = {"free": size_in_words(disk.free), "path": disk.path}
            yield Concern(
                "error", _("Only %(free)s are free at %(path)s.") % names, f"{ROOT}/system#disks", _("See the disks")
            )


def _of_partitions(state: SystemState) -> Iterator[Concern]:
    for table in state.partitioned:
        if not table.is_ready:
            text = _("%(table)s has no partition for the next month.") % {"table": table.name}
            yield Concern("error", text, f"{ROOT}/system#partitions", _("See the partitions"))


def _of_server(state: SystemState) -> Iterator[Concern]:
    server = state.server
    if server.connections >= MANY_CONNECTIONS * server.max_connections:
        names = {"n": server.connections, "most": server.max_connections}
        text = _("%(n)s of %(most)s connections are in use.") % names
        yield Concern("warning", text, f"{ROOT}/system#connections", _("See the connections"))
    blocked = [one for one in state.transactions if one.blocked_by]
    if blocked:
        text = ngettext("%(n)s transaction waits for another.", "%(n)s transactions wait for others.", len(blocked))
        yield Concern("warning", text % {"n": len(blocked)}, f"{ROOT}/system#transactions", _("See which"))


def _facts(state: SystemState) -> Iterator[tuple[str, str, str]]:
    server, queue = state.server, state.queue
    yield _("Database"), size_in_words(server.bytes), f"PostgreSQL {server.version}"
    waiting = {"n": number(queue.waiting), "running": number(queue.running)}
    workers = ngettext("%(n)s worker", "%(n)s workers", queue.workers) % {"n": queue.workers}
    yield _("Jobs"), _("%(n)s waiting, %(running)s running") % waiting, workers
    tickets = next((table.row_estimate for table in state.tables if table.name == "tickets"), 0)
    yield _("Tickets"), _("about %(n)s") % {"n": number(tickets)}, ""
    for disk in state.disks[:1]:
        yield (
            _("Disk"),
            _("%(free)s free") % {"free": size_in_words(disk.free)},
            _("of %(total)s") % {"total": size_in_words(disk.total)},
        )
