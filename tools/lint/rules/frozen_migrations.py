"""A migration imports nothing of Deskbell but `deskbell.kernel` and what `deskbell.migrations` offers for it.

A migration that imported the models ran well until a column was renamed; then no new installation could be set up.
"""

from collections.abc import Iterator

from tools.lint.source import Finding, Source

ALLOWED = ("deskbell.kernel.", "deskbell.migrations.")


def check(source: Source) -> Iterator[Finding]:
    """Find imports of other rooms, and of any model, in `deskbell/migrations/versions`."""
    if not source.is_in("deskbell/migrations/versions/*"):
        return
    for line, imported in source.imports():
        ours = imported == "deskbell" or imported.startswith("deskbell.")
        if ours and (not f"{imported}.".startswith(ALLOWED) or "models" in imported.split(".")):
            yield Finding(line, f"a migration may not import `{imported}`: write the names out")
