"""There is one door to the database."""

import re
from pathlib import Path

import deskbell

DOOR = "kernel/connecting.py"
DRIVERS = re.compile(r"\b(psycopg|asyncpg|(?:Async)?Connection)\.connect\(")


def test_nothing_connects_but_by_the_one_door() -> None:
    """A connection that is made elsewhere fails when a password was changed, and is not seen by any test of TLS."""
    root = Path(deskbell.__file__).parent
    found = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if DRIVERS.search(path.read_text()) and "testing" not in path.parts
    ]
    assert found == [DOOR]
