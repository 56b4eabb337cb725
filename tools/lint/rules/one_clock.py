"""The time of day is read in `deskbell/kernel/clock.py` alone, and always knows its time zone.

`datetime.utcnow()` minus an aware time raises (trap B7), and code that reads the clock itself cannot be tested at
five to midnight. Monotonic clocks, which measure durations, are free to use.
"""

from collections.abc import Iterator

from tools.lint.source import Finding, Source

NAIVE = ("datetime.utcnow", "datetime.utcfromtimestamp")
READERS = ("datetime.now", "datetime.today", "date.today", "time.time", "time.time_ns", "time.localtime", "time.gmtime")


def check(source: Source) -> Iterator[Finding]:
    """Find reads of the wall clock; naive ones everywhere, aware ones in the package."""
    for called, call in source.calls():
        tail = ".".join(called.split(".")[-2:])
        if tail in NAIVE or (tail == "datetime.now" and not call.args and not call.keywords):
            yield Finding(call.lineno, f"`{tail}()` has no time zone: use an aware time")
        elif tail in READERS and source.is_in("deskbell/*") and not source.is_in("deskbell/kernel/clock.py"):
            yield Finding(call.lineno, f"`{tail}` reads the clock: use deskbell.kernel.clock")
