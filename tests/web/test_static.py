"""What pages promise to browsers: nothing inline, nothing from elsewhere, light to load, readable in both schemes."""

import gzip
import re
from itertools import product
from pathlib import Path

import pytest

from deskbell.web.templating import HERE, static_urls

STATIC = HERE / "static"
TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
ASSETS = sorted(path for path in STATIC.rglob("*.*") if "vendor" not in path.parts and path.suffix != ".txt")
PAIR = re.compile(r"--([a-z-]+): light-dark\((#\w+), (#\w+)\)")
SCHEMES = ("light", "dark")
COLORS = {
    (name, scheme): value
    for name, *values in PAIR.findall((STATIC / "tokens.css").read_text(encoding="utf-8"))
    for scheme, value in zip(SCHEMES, values, strict=True)
}
SOFT = ("accent", "blue", "violet", "amber", "green", "red", "grey")
TEXT_ON = [
    *product(("text", "muted", "accent"), ("page", "surface", "note")),
    *product(("text", "muted"), ("sunken",)),
    *product(("amber", "red"), ("surface", "page")),
    *((color, f"{color}-soft") for color in SOFT),
    *(("text", f"{color}-soft") for color in SOFT),
    ("muted", "accent-soft"),
    ("on-accent", "accent"),
    ("page", "text"),
]
"""(text, background) as the pages combine them."""


def luminance(color: str) -> float:
    """Relative luminance of `#rgb` or `#rrggbb`, WCAG 2.2."""
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, scheme: str) -> float:
    """Contrast ratio of two tokens, WCAG 2.2."""
    low, high = sorted(luminance(COLORS[name, scheme]) for name in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "background"), TEXT_ON)
def test_text_can_be_read_on_its_background(text: str, background: str, scheme: str) -> None:
    assert contrast(text, background, scheme) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("edge", "background"), [("edge", "surface"), ("edge", "page"), ("accent", "page"), ("red", "surface")]
)
def test_the_edge_of_a_control_can_be_seen(edge: str, background: str, scheme: str) -> None:
    assert contrast(edge, background, scheme) >= 3


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: "/".join(path.parts[-2:]))
def test_a_template_works_under_a_strict_content_security_policy(template: Path) -> None:
    """An inline style or script is dropped silently by browsers that are sent `default-src 'self'`."""
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=|<style|\son[a-z]+\s*=\s*[\"']|javascript:|<script(?![^>]*\ssrc=)", source)


@pytest.mark.parametrize("file", [*TEMPLATES, *ASSETS], ids=lambda path: "/".join(path.parts[-2:]))
def test_nothing_is_fetched_from_elsewhere(file: Path) -> None:
    source = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]|@import|[\"'(]data:", source)


def test_the_style_sheets_are_small() -> None:
    assert sum(len(gzip.compress(file.read_bytes())) for file in STATIC.glob("*.css")) < 40_000


def test_the_scripts_are_small() -> None:
    assert sum(len(gzip.compress(file.read_bytes())) for file in STATIC.rglob("*.js")) < 120_000


def test_every_style_sheet_is_loaded_and_stays_in_its_layer() -> None:
    """Rules outside a layer would win over every layer, in whatever order the files come."""
    pages = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    for sheet in STATIC.glob("*.css"):
        source = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        source = source.replace("@layer tokens, base, components, pages;", "").strip()
        assert sheet.name in pages
        assert re.match(r"@layer (tokens|base|components|pages) \{", source)
        assert source.count("\n}") == 1


def test_the_address_of_a_file_changes_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("one")
    before = static_urls(tmp_path)
    (tmp_path / "a.css").write_text("two")
    assert before.keys() == static_urls(tmp_path).keys() == {"a.css"}
    assert before != static_urls(tmp_path)
    assert re.fullmatch(r"/static/v-[0-9a-f]{10}/a\.css", before["a.css"])
