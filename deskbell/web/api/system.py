"""The state of the server, for administrators: what is slow, how full it is, which jobs failed."""

from typing import Annotated

from anyio import to_thread
from fastapi import Query, Request

from deskbell.kernel.replica_states import replica_states
from deskbell.kernel.system import (
    JobState,
    Sort,
    forget_statements,
    job_page,
    retry_job,
    slow_statements,
    system_state,
)
from deskbell.web.dependencies import ADMIN_ONLY, Transaction
from deskbell.web.paging import PageOf, Pages
from deskbell.web.problems import problem_responses
from deskbell.web.routes import api_router
from deskbell.web.schemas.base import PathId
from deskbell.web.schemas.replicas import ReplicasOut
from deskbell.web.schemas.system import JobOut, SlowStatementsOut, SystemOut

router = api_router("/system", "system")


@router.get("", summary="The state of the system", dependencies=[ADMIN_ONLY])
async def read_system(session: Transaction) -> SystemOut:
    """Return the state of server, tables, indexes, connections, partitions, job queue and disks."""
    return SystemOut.of(await session.run_sync(system_state))


@router.get("/replicas", summary="How far behind replicas are", dependencies=[ADMIN_ONLY])
async def read_replicas(request: Request) -> ReplicasOut:
    """Ask each replica how much of what was committed it has replayed; one that does not answer takes seconds."""
    return ReplicasOut.of(await to_thread.run_sync(replica_states, request.app.state.database))


@router.get("/slow-queries", summary="Slow statements", dependencies=[ADMIN_ONLY])
async def read_slow_statements(
    session: Transaction,
    sort: Annotated[Sort, Query(description="Which come first.")] = Sort.TOTAL,
    limit: Annotated[int, Query(ge=1, le=100, description="Most statements.")] = 20,
) -> SlowStatementsOut:
    """Return the statements of Deskbell that took most time. Where the server does not count them, `advice` says so."""
    return SlowStatementsOut.of(await session.run_sync(slow_statements, sort=sort, limit=limit))


@router.delete(
    "/slow-queries",
    status_code=204,
    summary="Count statements anew",
    dependencies=[ADMIN_ONLY],
    responses=problem_responses(409),
)
async def reset_slow_statements(session: Transaction) -> None:
    """Forget what was counted of Deskbell's statements. Who did it is among the operations."""
    await session.run_sync(forget_statements)


@router.get("/jobs", summary="List jobs", dependencies=[ADMIN_ONLY])
async def list_jobs(session: Transaction, pages: Pages, state: JobState | None = None) -> PageOf[JobOut]:
    """Return jobs, newest first, of one state or of all. What is done is kept for seven days, what failed for 90."""
    found = await session.run_sync(job_page, state, limit=pages.limit, cursor=pages.place(), query=pages.scope())
    return pages.answer(found, JobOut.of)


@router.post(
    "/jobs/{job_id}/retry",
    status_code=204,
    summary="Try a job again",
    dependencies=[ADMIN_ONLY],
    responses=problem_responses(409),
)
async def try_again(session: Transaction, job_id: PathId) -> None:
    """Run a failed job again, as often as a new one, or at once one that waits for its next try.

    Who did it is among the operations.
    """
    await session.run_sync(retry_job, job_id)
