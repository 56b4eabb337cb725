"""Runs the jobs and fetches mail: by itself (`deskbell worker`) or beside the web server (`deskbell serve`).

As many as wanted.
"""

from deskbell.worker.fetching import run_fetching
from deskbell.worker.loop import Pace, run_worker
from deskbell.worker.watching import FetchPace

__all__ = ["FetchPace", "Pace", "run_fetching", "run_worker"]
