"""What axe-core finds wrong with a page as it stands, in light and in dark."""

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

_AXE: Final = (Path(__file__).parent / "vendor" / "axe.js").read_text(encoding="utf-8")
_RUN: Final = """async (rules) => {
  const only = rules.length ? { runOnly: rules } : {};
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...only });
  const where = (nodes) => nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)).join(" | ");
  return violations.map(({ id, nodes }) => `${id}: ${where(nodes)}`);
}"""
_OF_COLOURS: Final = ["color-contrast", "link-in-text-block"]


def complaints(page: Page) -> list[str]:
    """Return what is wrong: all rules in light, those about colours in dark as well. The page is light afterwards."""
    page.evaluate(_AXE)
    page.emulate_media(color_scheme="dark")
    in_dark = [f"in dark, {each}" for each in page.evaluate(_RUN, _OF_COLOURS)]
    page.emulate_media(color_scheme="light")
    return [*page.evaluate(_RUN, []), *in_dark]
