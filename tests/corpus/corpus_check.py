"""One graph of the corpus through fqir, fmir and fasmir: all stored cases and frames, against the stored integers.

A stored case may hold an input that its declared width cannot hold (one hand-made test of fmot does). Then fqir, whose
integers have no width, runs it, and the machine must refuse that very frame.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.errors import CapacityError, FemtoError, InputError, ModelError
from femtodriver.fixed import limits
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.machine.machine import Machine
from femtodriver.native.library import find_library
from femtodriver.native.native_machine import NativeMachine
from femtodriver.part import load_part
from femtodriver.program.program_states import read_state

NATIVE = not isinstance(find_library(), str)  # else the tests of tests/native are skipped, and say why
CASES = ("", "_rand", "_small", "_test")
UNDECLARED_BITS = 16  # hand-made test graphs of fmot do not say how wide their inputs are
WORD_BYTES = 8
EXACT, REFUSED, WRONG = "exact", "refused", "wrong"

Arrays = dict[str, npt.NDArray[np.int64]]
Step = Callable[[Arrays], Mapping[str, npt.NDArray[np.int64]]]


@dataclass(frozen=True)
class Row:
    """What became of one graph.

    ``kind`` is the class of the error of a graph that is not exact, ``reason`` its text or the first difference.
    ``note`` tells of a case that only fqir could run.
    ``cycles`` per frame are the mean over all frames of all cases; ``instructions`` (64-bit words) and ``dm_bytes``
    are sums over the cores.
    """

    name: str
    verdict: str
    kind: str = ""
    reason: str = ""
    note: str = ""
    cases: int = 0
    frames: int = 0
    nodes: int = 0
    load_s: float = 0.0
    compile_s: float = 0.0
    cycles: float = 0.0
    cores: int = 0
    instructions: int = 0
    dm_bytes: int = 0


class DifferenceError(Exception):
    """A runner gave other integers than are stored."""


@dataclass(frozen=True)
class Case:
    """Stored inputs and outputs, arrays of shape (frames, ...) by name; the first ``frames`` are to be compared."""

    name: str
    given: Arrays
    wanted: Arrays
    frames: int

    def input(self, frame: int) -> Arrays:
        """One frame of the inputs."""
        return {name: values[frame] for name, values in self.given.items()}


@dataclass(frozen=True)
class Runner:
    """One executor: to the initial state, and one frame."""

    name: str
    reset: Callable[[], None]
    step: Step


def graph_names(corpus: Path) -> list[str]:
    """``zoo/NAME`` and ``captured/NAME`` of every graph, sorted."""
    return sorted(path.parent.relative_to(corpus).as_posix() for path in corpus.glob("*/*/graph.pt"))


def check_graph(corpus: Path, name: str, part: str = "spu001", most_frames: int | None = None) -> Row:
    """Load, compile and run one graph; at most ``most_frames`` frames of each case (None: all that are stored)."""
    row = Row(name, WRONG)
    try:
        start = time.perf_counter()
        network = load_network(corpus / name / "graph.pt")
        loaded = time.perf_counter()
        row = replace(row, load_s=loaded - start, nodes=sum(1 for _ in network.frame.walk()))
        compiled = compile_network(network, load_part(part))
        row = replace(row, compile_s=time.perf_counter() - loaded, **_sizes(compiled))
    except (CapacityError, ModelError) as error:
        return replace(row, verdict=REFUSED, kind=type(error).__name__, reason=str(error))
    try:
        return _run(row, network, compiled, _cases(corpus / name, most_frames), part)
    except (DifferenceError, FemtoError) as error:
        return replace(row, kind=type(error).__name__, reason=str(error))


def check_all(
    corpus: Path, names: Sequence[str], part: str = "spu001", most_frames: int | None = None, processes: int = 2
) -> Iterator[Row]:
    """Rows of these graphs, in their order, as they are done."""
    check = partial(check_graph, corpus, part=part, most_frames=most_frames)
    if processes == 1 or len(names) < processes:
        yield from map(check, names)
        return
    # Not forked: the parent may hold threads of BLAS.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(check, names)


def _sizes(compiled: Compilation) -> dict[str, Any]:
    images = compiled.data.mems_per_core
    used = compiled.data.metadata["data_bank_sizes"]
    return {
        "cores": len(images),
        "instructions": sum(len(memory["IM"][0]) for memory in images.values()),
        "dm_bytes": WORD_BYTES * sum(words for banks in used.values() for words in banks.values()),
    }


def _cases(folder: Path, most_frames: int | None) -> list[Case]:
    found = []
    for name in CASES:
        if (folder / f"inputs{name}.npz").is_file():
            given, wanted = (_arrays(folder / f"{kind}{name}.npz") for kind in ("inputs", "outputs"))
            stored = min(len(values) for values in (*given.values(), *wanted.values()))
            found.append(
                Case(f"outputs{name}", given, wanted, stored if most_frames is None else min(stored, most_frames))
            )
    return found


def _arrays(path: Path) -> Arrays:
    with np.load(path) as stored:
        return {name: values.astype(np.int64) for name, values in stored.items()}


def _run(row: Row, network: Network, compiled: Compilation, cases: Sequence[Case], part: str) -> Row:
    reference, mapped = Reference(network), FmirExecutor(compiled.fmir)
    machine = Machine(compiled.data, load_part(part), check_state=True)
    native = NativeMachine(compiled.data, load_part(part), check_state=True) if NATIVE else None
    independent = network.init is None
    fqir = Runner("fqir", reference.reset, reference.step)
    fmir = Runner("fmir", mapped.reset, mapped.step)
    fasmir = Runner(
        "fasmir", machine.spu.reset, lambda frame: machine.step({k: v.reshape(-1) for k, v in frame.items()})
    )
    machine.reset()
    simulated = [fasmir]
    if native is not None:
        native.reset()
        step = native.step
        simulated.append(
            Runner("native", native.reset_memories, lambda frame: step({k: v.reshape(-1) for k, v in frame.items()}))
        )
    frames = 0
    for case in cases:
        run_case(fqir, case, independent=independent)
        too_wide = first_too_wide(network, case)
        if too_wide is not None:
            row = replace(row, note=_refused_input(fasmir, case, too_wide, independent=independent))
            continue
        for runner in (fmir, *simulated):
            run_case(runner, case, independent=independent)
        _compare_states(case, reference, mapped, compiled, [machine, *([native] if native is not None else [])])
        frames += case.frames
    # A refused input leaves the frames of one machine more than those of the other.
    if native is not None and not row.note and native.report() != machine.report():
        raise DifferenceError("the native loop counts something else than the NumPy machine")
    cycles = machine.report().frame_cycles
    if not frames:
        raise DifferenceError("no frames are stored that could be compared")
    return replace(row, verdict=EXACT, cases=len(cases), frames=frames, cycles=cycles.mean)


def first_too_wide(network: Network, case: Case) -> int | None:
    """The first frame in which an input does not fit its declared width."""
    frames = []
    for tensor in network.inputs:
        low, high = limits(tensor.bits or UNDECLARED_BITS)
        values = case.given[tensor.name]
        frames += np.flatnonzero(((values < low) | (values > high)).reshape(len(values), -1).any(axis=1)).tolist()
    return min(frames, default=None)


def _refused_input(runner: Runner, case: Case, frame: int, *, independent: bool) -> str:
    """Compare all frames before ``frame``, which must be refused; what was refused."""
    run_case(runner, replace(case, frames=frame), independent=independent)
    try:
        runner.step(case.input(frame))
    except InputError as error:
        return f"{case.name}, frame {frame}, for fqir alone: {error}"
    raise DifferenceError(f"{runner.name}, {case.name}, frame {frame}: an input too wide for its type is accepted")


def run_case(runner: Runner, case: Case, *, independent: bool) -> None:
    """Run one case from reset; before every frame again if frames are ``independent``. DifferenceError names it."""
    runner.reset()
    for frame in range(case.frames):
        if independent:
            runner.reset()
        found = runner.step(case.input(frame))
        where = f"{runner.name}, case {case.name}, frame {frame}"
        if found.keys() != case.wanted.keys():
            raise DifferenceError(f"{where}: outputs are {sorted(found)}, not {sorted(case.wanted)}")
        for name, values in case.wanted.items():
            _compare(f"{where}, output {name!r}", found[name].reshape(-1), values[frame].reshape(-1))


def _compare_states(
    case: Case, reference: Reference, mapped: FmirExecutor, compiled: Compilation, machines: Sequence[Machine]
) -> None:
    """What ``get_vars`` gives of each runner after the last frame."""
    for name, state in (compiled.description.states or {}).items():
        wanted, where = reference.values[name].reshape(-1), f"case {case.name}, state {name!r}"
        if mapped.has_state(name) != state.is_whole:
            raise DifferenceError(f"{where}: fmir and the program must both have it, or neither")
        if state.is_whole:
            _compare(f"fmir, {where}", mapped.state(name), wanted)
            for machine in machines:
                _compare(f"{type(machine).__name__}, {where}", read_state(state, machine.peek), wanted)


def _compare(where: str, found: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> None:
    if found.shape != wanted.shape:
        raise DifferenceError(f"{where}: {found.size} elements, not {wanted.size}")
    if not np.array_equal(found, wanted):
        first = int(np.flatnonzero(found != wanted)[0])
        raise DifferenceError(f"{where}, element {first}: {found[first]}, not {wanted[first]}")
