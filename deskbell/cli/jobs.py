"""`deskbell jobs`: what the workers have to do, what failed, and another try."""

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from deskbell.cli.commands import As, Json, command, group
from deskbell.cli.console import note, say, say_json, say_table, shown, when

app = group("Jobs: work that is done soon, by workers.", "deskbell jobs list --state failed", "deskbell jobs retry 812")

StateName = Literal["waiting", "running", "failed", "done"]
State = Annotated[StateName | None, typer.Option(help="Only jobs in this state.")]
Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at most.")]
JobId = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `jobs list` shows it.")]


@command(app, "jobs list", "deskbell jobs list --state failed", "deskbell jobs list --json")
def list_jobs(state: State = None, limit: Limit = 50, as_: As = "", as_json: Json = False) -> None:
    """List jobs, newest first, with the reason of their last failure. For administrators."""
    from deskbell.cli.desks import actor, open_desk
    from deskbell.kernel.system import JobState, job_page

    with open_desk(reading=True) as desk, desk.database.transaction(actor(desk, as_)) as session:
        found = job_page(session, JobState(state) if state else None, limit=limit).items
    if as_json:
        say_json({"jobs": [asdict(job) for job in found]})
    elif found:
        rows = [
            (str(j.id), j.job, j.state.value, str(j.attempts), when(j.run_at or j.added_at), shown(j.reason or "-"))
            for j in found
        ]
        say_table(("Id", "Job", "State", "Tries", "Due", "Reason"), rows, flexible="Reason")
    else:
        note(f"No job is {state}." if state else "There are no jobs.")


@command(app, "jobs retry", "deskbell jobs retry 812")
def retry(job_id: JobId, as_: As = "") -> None:
    """Run a failed job again, as often as a new one, or at once one that waits for its next try. For administrators.

    Who did it is recorded.
    """
    from deskbell.cli.desks import actor, open_desk
    from deskbell.kernel.system import retry_job

    with open_desk() as desk, desk.database.transaction(actor(desk, as_)) as session:
        retry_job(session, job_id)
    say(f"Job {job_id} runs again as soon as a worker is free.")
