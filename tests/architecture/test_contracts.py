"""The import contracts hold, and they would not if somebody broke them."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LADDER = next(contract["layers"] for contract in CONTRACTS if contract["id"] == "ladder")
ROOMS = [room.strip(" ()") for rung in LADDER for room in rung.split("|")]


def contracts_hold(folder: Path) -> tuple[bool, str]:
    """Check the contracts of a folder that holds `deskbell` and `pyproject.toml`."""
    program = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [program, "--no-cache"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of the house: every room of the ladder, with one empty module."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ROOMS:
        folder = tmp_path / "deskbell" / room
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "actions.py").touch()
    (tmp_path / "deskbell/__init__.py").touch()
    return tmp_path


def test_the_contracts_hold() -> None:
    holds, said = contracts_hold(ROOT)
    assert holds, said


def test_the_model_of_the_house_keeps_the_contracts(model: Path) -> None:
    (model / "deskbell/tickets/actions.py").write_text("from deskbell.kernel import actions", encoding="utf-8")
    holds, said = contracts_hold(model)
    assert holds, said


def test_an_import_that_points_up_breaks_the_ladder(model: Path) -> None:
    (model / "deskbell/kernel/actions.py").write_text("import deskbell.tickets", encoding="utf-8")
    assert contracts_hold(model)[0] is False


def test_an_import_within_a_function_or_for_types_alone_counts_too(model: Path) -> None:
    within = "def f():\n    from deskbell.mail import actions\n"
    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from deskbell.mail import actions\n"
    for code in (within, for_types):
        (model / "deskbell/tickets/actions.py").write_text(code, encoding="utf-8")
        assert contracts_hold(model)[0] is False


def test_neighbours_on_one_rung_may_not_meet(model: Path) -> None:
    (model / "deskbell/web/actions.py").write_text("from deskbell.worker import actions", encoding="utf-8")
    assert contracts_hold(model)[0] is False


def test_a_ring_within_a_room_is_found(model: Path) -> None:
    (model / "deskbell/tickets/actions.py").write_text("from deskbell.tickets import rules", encoding="utf-8")
    (model / "deskbell/tickets/rules.py").write_text("from deskbell.tickets import actions", encoding="utf-8")
    assert contracts_hold(model)[0] is False


def test_a_room_without_a_rung_is_found(model: Path) -> None:
    (model / "deskbell/drawer").mkdir()
    (model / "deskbell/drawer/__init__.py").touch()
    assert contracts_hold(model)[0] is False


def test_a_web_framework_in_the_domain_is_found(model: Path) -> None:
    (model / "deskbell/search/actions.py").write_text("import fastapi", encoding="utf-8")
    assert contracts_hold(model)[0] is False


def test_the_contract_against_web_frameworks_knows_every_room_but_the_edges() -> None:
    contract = next(contract for contract in CONTRACTS if contract["id"] == "no-web-in-the-domain")
    built = set(grimp.build_graph("deskbell", cache_dir=None).find_children("deskbell"))
    edges = {"deskbell.cli", "deskbell.web", "deskbell.integrations", "deskbell.testing"}
    assert built - set(contract["source_modules"]) == edges & built


def test_no_package_is_in_a_ring() -> None:
    graph = grimp.build_graph("deskbell", cache_dir=None)
    packages = [module for module in graph.modules if graph.find_children(module)]
    rings = {package: graph.nominate_cycle_breakers(package) for package in packages}
    assert {package: breakers for package, breakers in rings.items() if breakers} == {}
