"""Open toolchain for tiny sparse neural processors.

The public names are imported when they are first used, so that ``import femtodriver`` needs nothing heavy:
``Femtodriver`` (compile, simulate, compare), ``CompiledData`` and ``FemtoFile`` (compiled programs and their
container), ``SPURunner`` and ``FakeSPURunner`` (programs on boards), and the module ``errors``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from femtodriver import errors as errors
    from femtodriver.device.spu_runner import FakeSPURunner as FakeSPURunner
    from femtodriver.device.spu_runner import SPURunner as SPURunner
    from femtodriver.driver import Femtodriver as Femtodriver
    from femtodriver.program.compiled_data import CompiledData as CompiledData
    from femtodriver.program.femto.femtofile import FemtoFile as FemtoFile

__version__ = "0.1.0"
__all__ = ["CompiledData", "FakeSPURunner", "FemtoFile", "Femtodriver", "SPURunner", "__version__"]

_HOMES = {
    "CompiledData": "femtodriver.program.compiled_data",
    "FakeSPURunner": "femtodriver.device.spu_runner",
    "FemtoFile": "femtodriver.program.femto.femtofile",
    "Femtodriver": "femtodriver.driver",
    "SPURunner": "femtodriver.device.spu_runner",
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("femtodriver.errors")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "errors"})
