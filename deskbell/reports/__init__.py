"""Figures over everything, for those who work for the desk. Queries only: nothing here writes.

Tickets count where they belong now: what was handed to another team is the other team's from the first day on. Days are
those of UTC, by which figures are kept. Deleted tickets count nowhere.
"""

from deskbell.reports.dimensions import By
from deskbell.reports.flow import DayOfFlow, flow
from deskbell.reports.periods import PERIODS, Period
from deskbell.reports.times import ResponseTimes, all_response_times, response_times
from deskbell.reports.totals import Totals, totals

__all__ = [
    "PERIODS",
    "By",
    "DayOfFlow",
    "Period",
    "ResponseTimes",
    "Totals",
    "all_response_times",
    "flow",
    "response_times",
    "totals",
]
