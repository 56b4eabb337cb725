"""The reference of letters names each kind, what its words must have, and each name with the kinds that know it."""

from pathlib import Path

import pytest

from deskbell.mail.outbound.letters import ORIGINALS
from deskbell.mail.outbound.models import OutboundKind

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "letters.md"


def rows() -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in REFERENCE.read_text().splitlines()
        if "|" in line
    ]


@pytest.mark.parametrize("kind", OutboundKind)
def test_each_kind_is_documented(kind: OutboundKind) -> None:
    [row] = [row for row in rows() if row[0] == f"`{kind.value}`"]
    needed = ORIGINALS[kind].needed
    assert (f"`{needed}`" in row[-1]) == bool(needed)


@pytest.mark.parametrize("name", sorted({name for original in ORIGINALS.values() for name in original.names}))
def test_each_name_is_documented(name: str) -> None:
    assert len([row for row in rows() if f"`{name}`" in row[0].split(", ")]) == 1
