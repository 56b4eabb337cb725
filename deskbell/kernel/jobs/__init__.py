"""Jobs: what is to be done soon, but not in this transaction. Adding one is a row written in the caller's transaction.

`wiring.py` lists which job runs what; `deskbell.worker` runs them.
"""

from deskbell.kernel.jobs.adding import JSON, add_job, add_job_if, add_jobs
from deskbell.kernel.jobs.spec import Jobs, JobSpec, Remote, retry_delay
from deskbell.kernel.jobs.upkeep import UPKEEP

__all__ = ["JSON", "UPKEEP", "JobSpec", "Jobs", "Remote", "add_job", "add_job_if", "add_jobs", "retry_delay"]
