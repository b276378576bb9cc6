"""The public names, and that importing them late keeps the start-up fast."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

import femtodriver

PACKAGE = Path(femtodriver.__file__).parent

# Public name -> modules of ours that must all exist for it to be demanded. Another name is a decision: add it here.
PUBLIC = {
    "__version__": (),
    "Femtodriver": ("femtodriver.driver",),
    "CompiledData": ("femtodriver.driver",),
    "FemtoFile": ("femtodriver.driver", "femtodriver.program.femto.femtofile"),
    "SPURunner": ("femtodriver.driver", "femtodriver.device.spu_runner"),
    "FakeSPURunner": ("femtodriver.driver", "femtodriver.device.spu_runner"),
}
HEAVY = ("numpy", "yaml", "scipy", "torch", "fmot", "docker", "matplotlib", "redis", "femtodriver.driver")


def exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its package is not there
        return False


def names() -> list[str]:
    return list(getattr(femtodriver, "__all__", ["__version__"]))


def loaded_after(code: str) -> list[str]:
    """The modules of HEAVY that a fresh interpreter has loaded after ``code``."""
    script = f"{code}\nimport json, sys\nprint(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_public_names_are_those_that_we_promise() -> None:
    assert len(names()) == len(set(names()))
    assert set(names()) <= set(PUBLIC)
    demanded = {name for name, modules in PUBLIC.items() if all(exists(module) for module in modules)}
    assert demanded <= set(names())


@pytest.mark.parametrize("name", names())
def test_every_public_name_is_there_and_listed(name: str) -> None:
    assert getattr(femtodriver, name) is not None
    assert name in dir(femtodriver)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = femtodriver.no_such_name


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import femtodriver; femtodriver.__version__") == []


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    assert loaded_after("import femtodriver.cli") == []


def test_the_heavy_check_can_fail() -> None:
    assert loaded_after("import numpy") == ["numpy"]


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
