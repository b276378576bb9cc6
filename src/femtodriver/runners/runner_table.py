"""Runners by name: a runner exists because its row stands in the table, and for no other reason."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.errors import ProgramError, UsageError
from femtodriver.fqir.graph import Network
from femtodriver.inputs import InputSpec
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.runners.dummy_runner import DummyRunner
from femtodriver.runners.fasmir_runner import FasmirRunner
from femtodriver.runners.fmir_runner import FmirRunner
from femtodriver.runners.fqir_runner import FqirRunner
from femtodriver.runners.hardware_runner import FAKE, HARDWARE, Device, HardwareRunner, hardware_of_fake
from femtodriver.runners.runner import Runner

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Material:
    """What runners of one model can be made of; None for what this model does not have.

    ``no_simulation``: why the program cannot be simulated here, "" if it can.
    """

    inputs: tuple[InputSpec, ...]
    outputs: tuple[InputSpec, ...]
    network: Network | None = None
    fmir: Fmir | None = None
    program: CompiledData | None = None
    part: Part | None = None
    recording: str | Path | None = None
    debug_vars: Sequence[str] = ()
    kept: Mapping[str, Mapping[str, int]] | None = None
    device: Device | None = None
    no_simulation: str = ""


def _fqir(material: Material) -> Runner:
    if material.network is None:
        raise UsageError(_no_network("fqir"))
    return FqirRunner(material.network, material.inputs, material.debug_vars)


def _fmir(material: Material) -> Runner:
    if material.fmir is None:
        raise UsageError(_no_network("fmir"))
    return FmirRunner(material.fmir, material.inputs)


def _fasmir(material: Material) -> Runner:
    if material.no_simulation:
        raise ProgramError(material.no_simulation)
    if material.program is None or material.part is None:
        raise UsageError("runner fasmir: the model must be compiled first.")
    return FasmirRunner(material.program, material.part, material.inputs, material.kept)


def _dummy(material: Material) -> Runner:
    if material.recording is None:
        raise UsageError("runner dummy: must have a file to replay; give it with --dummy-output-file.")
    return DummyRunner(material.recording, material.inputs, material.outputs)


def device_runner(material: Material) -> HardwareRunner:
    """The runner "hw", on whatever hardware was chosen. UsageError without a program."""
    return HardwareRunner(HARDWARE, _device(material, "hw"), material.inputs, material.kept)


def _hw(material: Material) -> Runner:
    runner = device_runner(material)
    if runner.is_fake:
        hardware = _device(material, "hw").hardware
        _log.warning("runner hw: %s is no board, its outputs are made up; choose a board with --hardware", hardware)
    return runner


def _fakehw(material: Material) -> Runner:
    device = _device(material, FAKE)
    hardware = hardware_of_fake(device.hardware)
    # The address is that of the board that was chosen, which is another one.
    address = device.address if hardware == device.hardware else None
    return HardwareRunner(FAKE, replace(device, hardware=hardware, address=address), material.inputs)


def _device(material: Material, name: str) -> Device:
    if material.device is None:
        raise UsageError(f"runner {name}: the model must be compiled first.")
    return material.device


FACTORIES: Mapping[str, Callable[[Material], Runner]] = {
    "fqir": _fqir,
    "fmir": _fmir,
    "fasmir": _fasmir,
    "dummy": _dummy,
    "hw": _hw,
    "fakehw": _fakehw,
}


def create(name: str, material: Material) -> Runner:
    """The runner of that name. UsageError for an unknown one, or one that cannot be made of this material."""
    check_names([name])
    return FACTORIES[name](material)


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names, if all of them are runners and each comes once; else UsageError."""
    for place, name in enumerate(names):
        if name not in FACTORIES:
            raise UsageError(f"runner: must be one of {', '.join(FACTORIES)}, not {name!r}.")
        if name in names[:place]:
            raise UsageError(f"runners: each must be named once, not {name!r} twice.")
    return tuple(names)


def _no_network(name: str) -> str:
    return (
        f"runner {name}: the model must be a network (.pt, .pth, LOOPBACK or a graph), because a compiled program "
        "holds no graph; use the runner fasmir."
    )
