"""`python -m bench [--json FILE] [NAME ...]`: measure on a server of its own, fail on a broken promise."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import audit, demo, importing
from bench.figures import Figure
from bench.server import measured_server
from deskbell.kernel.address import Address

BENCHES: dict[str, Callable[[Address], Iterator[Figure]]] = {
    "audit": audit.run,
    "demo": demo.run,
    "importing": importing.run,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, or all; the exit code is 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(BENCHES)}")
    figures = list(_measure(options.names or list(BENCHES)))
    Console().print(_table(figures))
    if options.json:
        options.json.write_text(json.dumps([{**asdict(figure), "kept": figure.kept} for figure in figures], indent=2))
    return 0 if all(figure.kept for figure in figures) else 1


def _measure(names: list[str]) -> Iterator[Figure]:
    with measured_server() as template:
        for name in names:
            yield from BENCHES[name](template)


def _table(figures: list[Figure]) -> Table:
    table = Table("measured", "value", "promised", "kept", "details")
    for figure in figures:
        details = ", ".join(f"{name} {value:.4g}" for name, value in figure.details.items())
        value = f"{figure.value:.3g} {figure.unit}"
        table.add_row(figure.name, value, figure.promise, "yes" if figure.kept else "[bold red]NO[/]", details)
    return table


if __name__ == "__main__":
    sys.exit(main())
