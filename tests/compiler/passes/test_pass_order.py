"""All passes in order: none changes what any network computes, and the table of passes is complete."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings

from femtodriver.compiler import passes
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.network_interface import Port
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.passes import pack_operations as packing
from femtodriver.compiler.passes.compiler_pass import Pass
from femtodriver.compiler.passes.pass_order import PASSES
from tests.compiler.fmir_samples import SIZE, buffer, copy, machine_outputs, network, networks, outputs
from tests.compiler.pass_bench import IN, OUT, SPU


@pytest.fixture(scope="module", autouse=True)
def packing_always_pays() -> Iterator[None]:
    """Small networks save little by packing; here they are packed all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "LEAST_SAVING", 0.0)
        yield


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_no_pass_changes_what_a_network_computes(before: Fmir) -> None:
    verify(before)
    wanted = outputs(before)
    for entry in PASSES:
        before = entry.run(before, SPU)
        verify(before)
        assert outputs(before) == wanted, entry.name
    assert machine_outputs(before) == wanted, "machine"


def test_ports_survive_every_pass() -> None:
    before = network([IN, buffer("in1"), OUT], [copy("out0", "in0")])
    for entry in PASSES:
        after = entry.run(before, SPU)
        assert [port.name for port in after.inputs] == ["in0", "in1"], "an input that nobody reads stays"
        assert after.outputs == (Port("out0", "out0", SIZE, 16),)


# ---- the table -------------------------------------------------------------------------------------------------------


def modules_of_passes() -> dict[str, ModuleType]:
    """The modules of the folder that have a pass."""
    names = [found.name for found in pkgutil.iter_modules(passes.__path__)]
    modules = {name: importlib.import_module(f"{passes.__name__}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "PASS")}


def test_every_pass_of_the_folder_is_in_the_order_once() -> None:
    found = modules_of_passes()
    assert len(found) > 3
    for name, module in found.items():
        assert PASSES.count(module.PASS) == 1, f"passes/{name}.py: pass_order.py must list its PASS once"
    assert len(found) == len(PASSES)


def test_a_pass_is_named_like_its_file_and_documented() -> None:
    for name, module in modules_of_passes().items():
        entry: Pass = module.PASS
        where = f"passes/{name}.py"
        assert entry.run.__name__ == name, f"{where}: the function must be named like the file"
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", entry.name), f"{where}: a pass's name has dashes"
        assert re.fullmatch(r"[A-Z].{15,}\.", entry.doc), f"{where}: the function's docstring must say what it achieves"
        if entry.option is not None:
            assert entry.option.name == entry.name.replace("-", "_"), f"{where}: the option must be named like the pass"
            assert re.fullmatch(r"[a-z].{15,}[^.]", entry.option.doc), f"{where}: the option's doc must be a phrase"


def test_names_are_unique() -> None:
    assert len({entry.name for entry in PASSES}) == len(PASSES)


def test_every_pass_has_a_golden_text() -> None:
    """A small network before and after, for readers."""
    texts = "".join(path.name for path in (Path(__file__).parent / "golden").iterdir())
    missing = [entry.name for entry in PASSES if entry.name.replace("-", "_") not in texts]
    assert missing == [], "add a test with golden text"
