"""The job queue: what waits, what runs, what failed and why, and another try."""

from dataclasses import asdict
from typing import Any, Literal

from fastapi import Request, Response
from sqlalchemy.orm import Session

from deskbell.kernel.system import Job, JobState, job_page, queue_depth, retry_job
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
from deskbell.web.pages.pager import ROWS, Paged, Pager
from deskbell.web.schemas.base import PathId

router = admin_router("/jobs")
LABELS = {
    JobState.WAITING: marked("Waiting"),
    JobState.RUNNING: marked("Running"),
    JobState.FAILED: marked("Failed"),
    JobState.DONE: marked("Done"),
}


@router.get("")
async def list_jobs(
    request: Request, session: Transaction, me: Me, pager: Paged, state: JobState | Literal[""] = ""
) -> Response:
    """List jobs, newest first."""
    return await _page(request, session, me, pager, state or None, Outcome())


@router.post("/{job_id}/retry")
async def try_again(
    request: Request, session: Transaction, me: Me, pager: Paged, job_id: PathId, state: JobState | Literal[""] = ""
) -> Response:
    """Run a failed job again."""
    outcome = await attempt(request, session, lambda db: retry_job(db, job_id))
    if outcome.errors:
        return await _page(request, session, me, pager, state or None, outcome)
    query = f"?state={state}" if state else ""
    return done(request, f"/jobs{query}", marked("Job %(number)s is tried again."), number=job_id)


def job_list(session: Session, state: JobState | None, pager: Pager) -> dict[str, Any]:
    """Return a page of jobs, and how the queue stands. Two statements."""
    found = job_page(session, state, limit=ROWS, cursor=pager.place(), query=pager.scope)
    return {
        "page": pager.present(found, _job),
        "queue": asdict(queue_depth(session)),
        "state": state or "",
        "labels": LABELS,
    }


def _job(job: Job) -> dict[str, Any]:
    arguments = ", ".join(f"{name} = {value}" for name, value in job.arguments.items())
    can_retry = job.state is JobState.FAILED or (job.state is JobState.WAITING and job.attempts > 0)
    return {**asdict(job), "state": job.state.value, "arguments": arguments[:500], "can_retry": can_retry}


async def _page(
    request: Request, session: Transaction, me: Me, pager: Pager, state: JobState | None, outcome: Outcome[None]
) -> Response:
    context = await session.run_sync(job_list, state, pager)
    return await show(request, session, me, "jobs.html", status=outcome.status, errors=outcome.errors, **context)
