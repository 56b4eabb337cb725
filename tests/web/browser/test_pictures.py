"""Pages that always look the same still do: pictures of them, compared point by point.

Text is drawn otherwise by another Chromium or with other fonts, so on such a machine the comparison is skipped.
After a change that is meant, take them again with DESKBELL_TEST_NEW_PICTURES=1, and look at them.
"""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.web.running import Site

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parent / "pictures"
MADE_WITH = FOLDER / "made-with.txt"
NEW = bool(os.environ.get("DESKBELL_TEST_NEW_PICTURES"))
MOST = 0.0004
"""How much of a picture may differ: the edges of some letters."""


class Shown(NamedTuple):
    """What is pictured: a page, or the part of it that is the same whatever other tests have done at this desk."""

    address: str
    part: str = ""
    is_opened: bool = False
    comes_later: str = ""


PAGES = {
    "log-in": Shown("/login"),
    "register": Shown("/register"),
    "forgotten": Shown("/password"),
    "not-found": Shown("/nothing/here"),
    "no-results": Shown("/tickets?q=zzyzx", "main", comes_later="[data-total]"),
    "new-ticket": Shown("/tickets/new", "main"),
    "help": Shown("/tickets?q=zzyzx", "#keys", is_opened=True),
}
LOOKS: dict[str, tuple[int, Literal["light", "dark"]]] = {
    "wide": (1440, "light"),
    "dark": (1024, "dark"),
    "narrow": (390, "light"),
    "narrow-dark": (390, "dark"),
}
FONTS = """() => ["system-ui", "sans-serif", "monospace"].map((family) => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `40px ${family}`;
  return pen.measureText("Deskbell, für العربية 0123456789").width.toFixed(2);
}).join(" ")"""
DIFFERENCE = """async ([before, after]) => {
  const points = async (text) => {
    const image = new Image();
    image.src = `data:image/png;base64,${text}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    return pen.getImageData(0, 0, image.width, image.height);
  };
  const [old, now] = [await points(before), await points(after)];
  if (old.width !== now.width || old.height !== now.height) return 1;
  let differing = 0;
  for (let at = 0; at < old.data.length; at += 4)
    if ([0, 1, 2].some((colour) => Math.abs(old.data[at + colour] - now.data[at + colour]) > 24)) differing++;
  return differing / (old.width * old.height);
}"""


@pytest.fixture(scope="module")
def drawing(browser: Browser) -> Iterator[Page]:
    """A page to compare in; skips where the pictures were made with another browser or other fonts."""
    page = browser.new_page()
    here = f"Chromium {browser.version}, widths {page.evaluate(FONTS)}\n"
    if NEW:
        FOLDER.mkdir(exist_ok=True)
        MADE_WITH.write_text(here, "utf-8")
    elif MADE_WITH.read_text("utf-8") != here:
        page.close()
        pytest.skip(f"the pictures were made with {MADE_WITH.read_text('utf-8').strip()}, this is {here.strip()}")
    yield page
    page.close()


def picture(page: Page, shown: Shown) -> bytes:
    """Take it. References of errors are another one each time."""
    page.goto(shown.address)
    if shown.comes_later:
        expect(page.locator(shown.comes_later)).not_to_be_empty()
    if shown.is_opened:
        page.locator(shown.part).evaluate("(dialog) => dialog.showModal()")
    mask = [page.locator("code")] if not shown.part else []
    place = page.locator(shown.part) if shown.part else page
    return place.screenshot(animations="disabled", caret="hide", mask=mask)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_it_looks_as_it_did(
    browser: Browser, site: Site, drawing: Page, logged_in: StorageState, name: str, look: str
) -> None:
    (width, scheme), shown = LOOKS[look], PAGES[name]
    context = browser.new_context(
        base_url=site.url,
        locale="en-GB",
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        storage_state=logged_in if shown.part else None,
    )
    taken = picture(context.new_page(), shown)
    context.close()
    kept = FOLDER / f"{name}-{look}.png"
    if NEW:
        kept.write_bytes(taken)
    pair = [base64.b64encode(picture).decode() for picture in (kept.read_bytes(), taken)]
    assert drawing.evaluate(DIFFERENCE, pair) <= MOST


def test_the_comparison_sees_a_difference(browser: Browser, site: Site, drawing: Page) -> None:
    page = browser.new_page(base_url=site.url, viewport={"width": 1440, "height": 800}, locale="en-GB")
    page.goto("/login")
    page.get_by_label("E-mail address").fill("somebody@example.test")
    taken = page.screenshot(animations="disabled", caret="hide")
    page.close()
    pair = [base64.b64encode(picture).decode() for picture in ((FOLDER / "log-in-wide.png").read_bytes(), taken)]
    assert drawing.evaluate(DIFFERENCE, pair) > MOST
