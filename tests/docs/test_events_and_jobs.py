"""Every event and every job stands in the reference."""

from pathlib import Path

import pytest

from deskbell.kernel.events import Event
from deskbell.wiring import HANDLERS, JOBS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "events-and-jobs.md"
EVENTS = sorted(
    {event.__name__: event for event in Event.__subclasses__() if event.__module__.startswith("deskbell.")}.items()
)
"""By name, as `slots=True` makes each class twice; the second one is what its module names."""


@pytest.mark.parametrize(("name", "event"), EVENTS)
def test_each_event_is_documented_with_who_hears_it(name: str, event: type[Event]) -> None:
    [line] = [line for line in REFERENCE.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert all(handler.__name__ in line for handler in HANDLERS.get(event, ()))


@pytest.mark.parametrize("name", sorted(JOBS))
def test_each_job_is_documented_with_when_it_runs(name: str) -> None:
    [line] = [line for line in REFERENCE.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    cron = JOBS[name].cron
    assert (f"`{cron}`" if cron else "when added") in line
