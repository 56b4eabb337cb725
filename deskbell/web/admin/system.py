"""The machinery: database, disks, partitions, connections, sizes, replicas, slow statements."""

from dataclasses import asdict
from typing import Any

from anyio import to_thread
from fastapi import Request, Response

import deskbell
from deskbell.kernel.replica_states import replica_states
from deskbell.kernel.system import Sort, forget_statements, slow_statements, system_state
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show
from deskbell.web.dependencies import Me, Tools, Transaction
from deskbell.web.i18n import marked

router = admin_router()
SORTS = {
    Sort.TOTAL: marked("Total time"),
    Sort.MEAN: marked("Mean time"),
    Sort.MAX: marked("Longest"),
    Sort.CALLS: marked("Calls"),
}
_LARGEST = 15
_STATEMENTS = 30


@router.get("/system")
async def show_system(request: Request, session: Transaction, me: Me, tools: Tools) -> Response:
    """Show the state of server, tables, connections, partitions, queue and disks."""
    state = asdict(await session.run_sync(system_state))
    by_size = sorted(state["indexes"], key=lambda index: index["bytes"], reverse=True)
    return await show(
        request,
        session,
        me,
        "system.html",
        state=state,
        tables=state["tables"][:_LARGEST],
        indexes=by_size[:_LARGEST],
        unused=[index for index in by_size if index["is_unused"]],
        version=deskbell.__version__,
        replicas=len(request.app.state.database.standbys),
        storage_keys=sorted(await to_thread.run_sync(tools.storage.keys)),
        seals=tools.storage.seals,
    )


@router.get("/replicas")
async def show_replicas(request: Request, session: Transaction, me: Me) -> Response:
    """Ask each replica how far behind it is; one that does not answer takes seconds."""
    states = await to_thread.run_sync(replica_states, request.app.state.database)
    return await show(request, session, me, "replicas.html", replicas=[asdict(state) for state in states])


@router.get("/slow-queries")
async def show_slow_statements(request: Request, session: Transaction, me: Me, sort: Sort = Sort.TOTAL) -> Response:
    """Show the statements that took most."""
    return await _slow(request, session, me, sort, Outcome())


@router.post("/slow-queries/forget")
async def forget(request: Request, session: Transaction, me: Me) -> Response:
    """Count statements anew."""
    outcome = await attempt(request, session, forget_statements)
    if outcome.errors:
        return await _slow(request, session, me, Sort.TOTAL, outcome)
    return done(request, "/slow-queries", marked("Statements are counted anew."))


async def _slow(request: Request, session: Transaction, me: Me, sort: Sort, outcome: Outcome[None]) -> Response:
    found: dict[str, Any] = asdict(await session.run_sync(slow_statements, sort=sort, limit=_STATEMENTS))
    context = {"found": found, "sort": sort, "sorts": SORTS, "errors": outcome.errors}
    return await show(request, session, me, "slow.html", status=outcome.status, **context)
