"""What the administrator sees of the server: its state, its slow statements, its jobs. For administrators alone.

PostgreSQL refuses the functions beneath to everybody else (`migrations/sql/server_statistics.sql`).
"""

from deskbell.kernel.system.queue import Job, JobState, Queue, job_page, queue_depth, retry_job
from deskbell.kernel.system.slow import SlowStatement, SlowStatements, Sort, forget_statements, slow_statements
from deskbell.kernel.system.state import SystemState, system_state

__all__ = [
    "Job",
    "JobState",
    "Queue",
    "SlowStatement",
    "SlowStatements",
    "Sort",
    "SystemState",
    "forget_statements",
    "job_page",
    "queue_depth",
    "retry_job",
    "slow_statements",
    "system_state",
]
