"""`python -m bench [--json FILE] [NAME ...]`: measure on a server of its own, fail on a broken promise."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import audit, bulk, demo, fetching, importing, killing, mail_reading, pages, painting, reading, scale
from bench.figures import Figure
from bench.server import measured_server
from deskbell.kernel.address import Address

ON_A_TEMPLATE: dict[str, Callable[[Address], Iterator[Figure]]] = {
    "audit": audit.run,
    "demo": demo.run,
    "fetching": fetching.run,
    "importing": importing.run,
}
ON_A_DESK: dict[str, Callable[[reading.Options], Iterator[Figure]]] = {
    "bulk": bulk.run,
    "pages": pages.run,
    "painting": painting.run,
    "reading": reading.run,
    "scale": scale.run,
}
ALONE: dict[str, Callable[[mail_reading.Fuzzing], Iterator[Figure]]] = {"mail": mail_reading.run}
BENCHES = (*ON_A_TEMPLATE, *ON_A_DESK, *ALONE)
KILLING = "killing"
"""Takes long and measures nothing, so it is done only when it is asked for."""


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, or all; the exit code is 1 when a promise is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}, {KILLING}; default: all but it"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    parser.add_argument(
        "--tickets", type=int, default=20_000, metavar="N", help="bulk, pages, painting, reading, scale: how many"
    )
    parser.add_argument(
        "--desk",
        type=Path,
        metavar="DIR",
        help="the same: data directory of a desk, instead of a new one. Tickets are added: take a copy",
    )
    parser.add_argument(
        "--fuzz", type=int, default=2_000, metavar="N", help="mail: how many damaged messages are read; default: 2,000"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="mail, killing: the dice; default: 1")
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="killing: how often; default: 200")
    parser.add_argument("--postgres", action="store_true", help="killing: kill PostgreSQL as well")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {*BENCHES, KILLING}:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}: choose from {', '.join(BENCHES)}")
    names = options.names or BENCHES
    figures = list(_measure(names, reading.Options(options.tickets, options.desk)))
    for name in names:
        if name in ALONE:
            figures += ALONE[name](mail_reading.Fuzzing(options.fuzz, options.seed))
    if KILLING in options.names:
        figures += killing.run(killing.Options(options.kills, options.seed, options.postgres))
    Console().print(_table(figures))
    if options.json:
        options.json.write_text(json.dumps([{**asdict(figure), "kept": figure.kept} for figure in figures], indent=2))
    return 0 if all(figure.kept for figure in figures) else 1


def _measure(names: Sequence[str], options: reading.Options) -> Iterator[Figure]:
    on_a_template = [name for name in names if name in ON_A_TEMPLATE]
    if on_a_template:
        with measured_server() as template:
            for name in on_a_template:
                yield from ON_A_TEMPLATE[name](template)
    for name in names:
        if name in ON_A_DESK:
            yield from ON_A_DESK[name](options)


def _table(figures: list[Figure]) -> Table:
    table = Table("measured", "value", "promised", "kept", "details")
    for figure in figures:
        details = ", ".join(f"{name} {value:.4g}" for name, value in figure.details.items())
        details += f"\n[dim]{figure.note}[/]" if figure.note else ""
        value = f"{figure.value:.3g} {figure.unit}"
        table.add_row(figure.name, value, figure.promise, "yes" if figure.kept else "[bold red]NO[/]", details)
    return table


if __name__ == "__main__":
    sys.exit(main())
