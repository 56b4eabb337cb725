"""No file is longer than 500 lines.

Nobody reads a file of 3,000 lines; people search in it, and so they miss what stands beside their change.
"""

from collections.abc import Iterator

from tools.lint.source import Finding, Source

MOST_LINES = 500


def check(source: Source) -> Iterator[Finding]:
    """Count the lines."""
    if len(source.lines) > MOST_LINES:
        yield Finding(1, f"{len(source.lines)} lines, at most {MOST_LINES}: make it a folder of the same name")
