"""Runs the jobs: by itself (`deskbell worker`) or beside the web server (`deskbell serve`), as many as wanted."""

from deskbell.worker.loop import Pace, run_worker

__all__ = ["Pace", "run_worker"]
