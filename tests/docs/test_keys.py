"""The keys of the workspace are documented as they are."""

from pathlib import Path

from deskbell.web.workspace.keys import KEYS, Key

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "work-in-the-list.md"


def line(key: Key) -> str:
    also = f" or `{key.also}`" if key.also else ""
    return f"| {' '.join(f'`{one}`' for one in key.keys.split(' '))}{also} | {key.name} |"


def test_every_key_is_in_the_guide_and_no_other() -> None:
    written = [row for row in GUIDE.read_text().splitlines() if row.startswith("| `")]
    assert written == [line(key) for group in KEYS for key in group.keys]


def test_no_key_does_two_things() -> None:
    keys = [name for group in KEYS for key in group.keys for name in (key.keys, key.also) if name]
    assert len(keys) == len(set(keys))
    firsts = {name.partition(" ")[0] for name in keys if " " in name}
    assert firsts.isdisjoint(keys), "a key that begins others does nothing alone"
