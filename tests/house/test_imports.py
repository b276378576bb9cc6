"""Who may import whom: the table of docs/architecture.md, read from there and enforced here."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.house.source_code import Import, Source, parse, sources

ROOT = Path(__file__).resolve().parents[2]

# Anything else from outside the standard library must first be justified in docs/dependencies.md.
RUN_TIME = {"numpy", "yaml", "tomli"}
# Imported inside functions: extras, and what only some runs need.
OPTIONAL = {
    "rich",
    "torch",
    "fmot",
    "docker",
    "scipy",
    "soxr",
    "matplotlib",
    "redis",
    "hid",
    "cryptography",
    "femtocrux",
    "dask",
    "distributed",
    "pyarrow",
    "jinja2",
    "shtab",
    "pymicro_features",
}

# Rooms that load nothing heavy, so that the command line may import them at once.
LIGHT = {"errors", "options", "safe_text", "stop_signals"}

# "Plain data" that the table allows beside the rooms: frozen records, no behaviour.
PLAIN_DATA = {"metrics": {"machine.run_report"}, "profile": {"machine.run_report"}}


def architecture() -> dict[str, set[str]]:
    """{room: rooms that it may import}, from the table under "Rooms"; one row may name several rooms."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \| [^|]* \| ([^|]*) \|$", text, flags=re.MULTILINE)
    table: dict[str, set[str]] = {}
    for first, third in rows:
        words = set(re.findall(r"[a-z_]+", re.sub(r"\(.*?\)", "", third)))
        above = set(table)
        allowed = above if words & {"above", "rooms"} else words - {"nothing"}
        for room in re.findall(r"`(\w+)`", first):
            table[room] = allowed
    unknown = {word for allowed in table.values() for word in allowed} - set(table)
    assert not unknown, f"docs/architecture.md: the table allows rooms that it does not list: {sorted(unknown)}"
    return table


def targets(record: Import, rooms: set[str]) -> list[str]:
    """Paths below femtodriver that an import reaches ("" = the package itself); [] for imports of others."""
    top, _, rest = record.module.partition(".")
    if top != "femtodriver":
        return []
    if rest:
        return [rest]
    return [name if name in rooms else "" for name in record.names] or [""]


def room_faults(source: Source, table: dict[str, set[str]]) -> list[str]:
    faults = []
    room = source.room
    allowed = table.get(room, {"cli"} if room == "__main__" else set())
    if room not in table and room not in ("", "__main__"):
        faults.append(f"{source.module}: room {room!r} must have a row in docs/architecture.md")
    for record in source.imports:
        where = f"{source.module or '__init__'}:{record.line}"
        if record.module.startswith("."):
            faults.append(f"{where}: imports must be absolute, not {record.module!r}")
        for target in targets(record, set(table)):
            other = target.split(".")[0]
            plain = target in PLAIN_DATA.get(room, set())
            if other not in ("", room) and other not in allowed and not plain and room != "":
                faults.append(f"{where}: {room} must not import {target}")
            if target == "" and room != "cli" and set(record.names) != {"__version__"}:
                faults.append(f"{where}: {room} must import rooms, not the package's public names")
            if room in ("", "cli") and record.at_top and not record.checking and other not in (room, "", *LIGHT):
                faults.append(f"{where}: {room or 'the package'} must import {target} inside a function (start-up)")
    return faults


def outside_faults(source: Source) -> list[str]:
    faults = []
    for record in source.imports:
        top = record.module.split(".")[0]
        where = f"{source.module or '__init__'}:{record.line}"
        if top in ("", "femtodriver", "__future__") or top in sys.stdlib_module_names:
            continue
        if top == "typing_extensions" and record.checking:  # type checkers bring it
            continue
        if top not in RUN_TIME | OPTIONAL and not (top == "tomllib" and sys.version_info < (3, 11)):
            faults.append(f"{where}: {top} is not a dependency of ours")
        lazy = top in OPTIONAL or source.room in ("", "cli")
        if lazy and record.at_top and not record.checking:
            faults.append(f"{where}: {top} must be imported inside a function")
    return faults


def test_the_table_is_read() -> None:
    table = architecture()
    assert table["errors"] == set()
    assert table["machine"] == {"isa", "program", "part", "fixed", "errors", "arrays"}
    assert {"fqir", "compiler", "machine", "metrics", "inputs"} <= table["runners"]
    assert "runners" in table["driver"]
    assert "driver" in table["cli"]


def test_rooms_import_only_what_the_table_allows() -> None:
    table = architecture()
    assert [fault for source in sources() for fault in room_faults(source, table)] == []


def test_outside_packages_are_declared_and_optional_ones_are_imported_late() -> None:
    assert [fault for source in sources() for fault in outside_faults(source)] == []


def test_plain_data_imports_nothing_of_ours() -> None:
    plain = {module for modules in PLAIN_DATA.values() for module in modules}
    for source in sources():
        if source.module in plain:
            assert [record.module for record in source.imports if record.module.startswith("femtodriver")] == []


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        (
            "machine.state",
            "def f():\n    from femtodriver.compiler.backend.build_threads import x",
            "must not import compiler.backend.build_threads",
        ),
        ("machine.state", "from femtodriver import fqir", "must not import fqir"),
        ("machine.state", "import femtodriver.fqir", "must not import fqir"),
        ("fqir.load", "if TYPE_CHECKING:\n    import femtodriver.isa", "must not import isa"),
        ("metrics.energy", "from femtodriver.machine.run import x", "must not import machine.run"),
        ("driver", "from femtodriver.cli import x", "must not import cli"),
        ("program.a", "from femtodriver import Femtodriver", "not the package's public names"),
        ("program.a", "from .b import c", "must be absolute"),
        ("odd.a", "import os", "must have a row in docs/architecture.md"),
        ("cli.main", "from femtodriver.driver import x", "inside a function (start-up)"),
        ("", "from femtodriver.driver import x", "inside a function (start-up)"),
    ],
)
def test_the_room_check_can_fail(module: str, text: str, fault: str) -> None:
    faults = room_faults(parse(module, text), architecture())
    assert any(fault in found for found in faults)


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        ("fqir.load", "import requests", "not a dependency"),
        ("fqir.load", "try:\n    import torch\nexcept ImportError:\n    torch = None", "inside a function"),
        ("inputs", "class A:\n    import scipy.io", "inside a function"),
        ("cli.main", "import numpy as np", "inside a function"),
    ],
)
def test_the_outside_check_can_fail(module: str, text: str, fault: str) -> None:
    faults = outside_faults(parse(module, text))
    assert any(fault in found for found in faults)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            "cli.main",
            "from femtodriver import __version__\ndef f():\n    from femtodriver.driver import x\n    import numpy",
        ),
        ("metrics.energy", "from femtodriver.machine.run_report import RunReport\nimport yaml"),
        ("machine.run", "from femtodriver.machine.state import x\nfrom femtodriver.isa import y\nimport numpy as np"),
        ("", "def __getattr__(name):\n    from femtodriver.driver import Femtodriver"),
        ("cli.main", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from femtodriver.driver import x"),
    ],
)
def test_the_checks_accept_what_is_right(module: str, text: str) -> None:
    source = parse(module, text)
    assert room_faults(source, architecture()) + outside_faults(source) == []
