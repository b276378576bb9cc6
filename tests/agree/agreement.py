"""One network, every executor: fqir, fmir and fasmir must give the same numbers in every frame, also after a reset."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from unittest import mock

import numpy as np
import numpy.typing as npt

from femtodriver.compiler import pipeline
from femtodriver.compiler.backend.message_room import router_words
from femtodriver.compiler.compiler_options import DEFAULT_OPTIONS, Options
from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.passes import circular_lines, pack_operations
from femtodriver.compiler.pipeline import Compilation
from femtodriver.compiler.placement import ownership
from femtodriver.compiler.placement.choose_cores import placed
from femtodriver.compiler.placement.sharing_plan import SharingPlan
from femtodriver.errors import CapacityError, UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.operators.ranges import of_bits
from femtodriver.fqir.reference import Reference
from femtodriver.fqir.validate import checked as validated
from femtodriver.machine.machine import Machine
from femtodriver.native.choose_machine import make_machine
from femtodriver.part import Part
from femtodriver.program.program_states import read_state, write_state

Frame = Mapping[str, npt.NDArray[np.int64]]
EXACT, SHARED = "exact", "exact, several cores"
# What memories and code can run out of. Accumulators hold wide values for a moment, and must always suffice.
LIMITED = ("data memory", "instruction memory", "table memory", "threads", "router", "output buffer")


@dataclass(frozen=True)
class Target:
    """What to compile for.

    ``eager``: the compiler does also what gains little; ``keep``: look at inner values too. ``plan``: lay the
    network out like this, whatever the compiler would choose.
    """

    part: Part
    options: Options = DEFAULT_OPTIONS
    eager: bool = False
    keep: bool = False
    plan: SharingPlan | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a network. ``kind``: EXACT, SHARED, "unsupported", "capacity", or "WRONG ..."."""

    kind: str
    detail: str = ""

    @property
    def wrong(self) -> bool:
        """Whether this is a defect of ours."""
        return self.kind.startswith("WRONG")


def checked(network: Network, frames: Sequence[Frame], target: Target) -> Outcome:
    """Run the network everywhere; never raises, since a traceback is an outcome too."""
    try:
        return _checked(network, [_flat(frame) for frame in frames], target)
    except UnsupportedError as error:
        return Outcome("unsupported", str(error))
    except CapacityError as error:
        text = str(error)
        return Outcome("capacity" if any(memory in text for memory in LIMITED) else "WRONG capacity", text)
    except Exception as error:  # noqa: BLE001
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(f"WRONG {type(error).__name__} in {place.name}", str(error))


def _checked(network: Network, frames: Sequence[Frame], target: Target) -> Outcome:
    compiled = compiled_for(network, target)
    outputs, inner = reference(network, frames)
    found = _outside(network, compiled, outputs, inner)
    if found is not None:
        return found
    fmir = FmirExecutor(compiled.fmir)
    machine, native = (make_machine(compiled.data, target.part, native=n, check_state=True) for n in (False, None))
    kept = compiled.data.metadata["femtodriver"]["kept"]
    for _ in range(2):  # the second time after a reset
        for number, frame in enumerate(frames):
            differences = (
                _difference("fmir", number, fmir.step(frame), outputs[number]),
                _difference("fasmir", number, machine.step(frame), outputs[number]),
                _difference("native", number, native.step(frame), outputs[number]),
                _difference("fmir inside", number, _known(fmir.internals(), inner[number]), inner[number]),
                _difference("fasmir inside", number, _known(_peek(machine, kept), inner[number]), inner[number]),
                _difference("fmir state", number, _known(_mapped_states(fmir), inner[number]), inner[number]),
                _difference(
                    "fasmir state", number, _known(_program_states(machine, compiled), inner[number]), inner[number]
                ),
            )
            for difference in differences:
                if difference is not None:
                    return difference
            for core, most in router_words(compiled.fasmir).items():
                if machine.spu.router.most(core) > most:
                    return Outcome("WRONG router", f"core {core}: more words wait than {most}")
        if native.report() != machine.report():
            return Outcome("WRONG counts", "the native loop counts something else than the NumPy machine")
        fmir.reset()
        machine.reset()
        native.reset()
    found = _continued(compiled, fmir, (machine, native), frames, outputs, inner)
    if found is not None:
        return found
    return Outcome(SHARED if len(compiled.data.mems_per_core) > 1 else EXACT)


def _continued(
    compiled: Compilation,
    fmir: FmirExecutor,
    machines: Sequence[Machine],
    frames: Sequence[Frame],
    outputs: Sequence[Frame],
    inner: Sequence[Frame],
) -> Outcome | None:
    """The second half of the frames, from the states that fqir had in the middle, on runners that were just reset."""
    middle = len(frames) // 2
    if not middle:
        return None
    states = {name: inner[middle - 1][name] for name in compiled.fmir.states}
    for name, values in states.items():
        fmir.set_state(name, values)
        for machine in machines:
            write_state((compiled.description.states or {})[name], values, machine.peek, machine.poke)
    runners: list[FmirExecutor | Machine] = [fmir, *machines]
    for number, frame in enumerate(frames[middle:], middle):
        for runner in runners:
            name = f"{type(runner).__name__}, continued"
            if (difference := _difference(name, number, runner.step(frame), outputs[number])) is not None:
                return difference
    return None


def _mapped_states(fmir: FmirExecutor) -> dict[str, npt.NDArray[np.int64]]:
    return {name: fmir.state(name) for name in fmir.fmir.states if fmir.has_state(name)}


def _program_states(machine: Machine, compiled: Compilation) -> dict[str, npt.NDArray[np.int64]]:
    states = (compiled.description.states or {}).items()
    return {name: read_state(state, machine.peek) for name, state in states if state.is_whole}


def _outside(
    network: Network, compiled: Compilation, outputs: Sequence[Frame], inner: Sequence[Frame]
) -> Outcome | None:
    """Values that the declarations of operators, or the widths of the program's outputs, rule out."""
    widths = {port.name: of_bits(port.bits) for port in compiled.fmir.outputs}
    for what, frames, ranges in (("range", inner, validated(network).ranges), ("width", outputs, widths)):
        for number, frame in enumerate(frames):
            for name, values in frame.items():
                low, high = ranges[name]
                if values.size and (values.min() < low or values.max() > high):
                    return Outcome(f"WRONG {what}", f"frame {number}, {name!r}: {values[:9]} for {low} to {high}")
    return None


def compiled_for(network: Network, target: Target) -> Compilation:
    """The network, compiled with the target's thresholds and layout."""
    keep = kept_names(network) if target.keep else ()
    with ExitStack() as changes:
        if target.eager:
            changes.enter_context(mock.patch.object(ownership, "LEAST_GROUPS", 1))
            changes.enter_context(mock.patch.object(pack_operations, "LEAST_SAVING", 0.0))
            changes.enter_context(mock.patch.object(circular_lines, "LEAST_SAVING", -1000))
        if target.plan is not None:
            changes.enter_context(mock.patch.object(pipeline, "placements", partial(_planned, target.plan)))
        return pipeline.compile_network(network, target.part, options=target.options, keep=keep)


def _planned(plan: SharingPlan, fmir: Fmir, part: Part, *wishes: object) -> Iterator[Fmir]:
    yield placed(fmir, part, plan)


def kept_names(network: Network) -> list[str]:
    """Names of everything that nodes make."""
    return list(dict.fromkeys(tensor.name for _, node in network.frame.walk() for tensor in node.outputs))


def reference(network: Network, frames: Sequence[Frame]) -> tuple[list[Frame], list[Frame]]:
    """Outputs of each frame, and all values after it; flat."""
    executor = Reference(network)
    shapes = {tensor.name: tensor.shape for tensor in network.inputs}
    outputs: list[Frame] = []
    inner: list[Frame] = []
    for frame in frames:
        outputs.append(_flat(executor.step({name: values.reshape(shapes[name]) for name, values in frame.items()})))
        inner.append({name: values.copy() for name, values in _flat(executor.values).items()})
    return outputs, inner


def _flat(frame: Frame) -> Frame:
    return {name: np.reshape(values, -1) for name, values in frame.items()}


def _peek(machine: Machine, kept: Mapping[str, Mapping[str, int]]) -> Frame:
    return {name: machine.peek(**place) for name, place in kept.items()}


def _known(found: Frame, wanted: Frame) -> Frame:
    """What the reference knows: not names of bodies that never ran."""
    return {name: found.get(name, values) for name, values in wanted.items()}


def _difference(name: str, number: int, ours: Frame, theirs: Frame) -> Outcome | None:
    if ours.keys() != theirs.keys():
        return Outcome(f"WRONG names of {name}", f"frame {number}: {list(ours)} for {list(theirs)}")
    for key, values in ours.items():
        if not np.array_equal(values, theirs[key]):
            return Outcome(f"WRONG {name}", f"frame {number}, {key!r}: {values[:9]} for {theirs[key][:9]}")
    return None
