"""Runner "fasmir": the encoded program on the machine."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import ProgramError
from femtodriver.inputs import InputSpec
from femtodriver.machine.frame_record import FrameRecord
from femtodriver.machine.run_report import RunReport
from femtodriver.model.build_model import Built
from femtodriver.native.choose_machine import make_machine
from femtodriver.native.library import needed_library, unusable_library
from femtodriver.native.native_machine import NativeMachine
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.options.value_kinds import NATIVE, native_or_not
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KeptPlace
from femtodriver.program.program_states import LOST_STATES, ProgramState, VariableLimits, read_state, write_state
from femtodriver.runners.frame_tracer import FrameTracer, check_same
from femtodriver.runners.runner import Runner, Values

_log = logging.getLogger(__name__)


class FasmirRunner(Runner):
    """Executes the images; ``report()`` has what was counted since the last reset.

    ``kept``: where internals are in data memory when a frame has ended (``Description.kept``). ``check_state``: see
    ``Machine``; ``native``: see ``make_machine``. ``states``: where the network's states are
    (``Description.states``), None if nobody knows.
    """

    def __init__(
        self,
        program: CompiledData,
        part: Part,
        inputs: Sequence[InputSpec],
        kept: Mapping[str, KeptPlace] | None = None,
        *,
        check_state: bool = False,
        native: bool | None = None,
        states: Mapping[str, ProgramState] | None = None,
    ) -> None:
        super().__init__("fasmir", inputs)
        self._program, self._part, self._check_state = program, part, check_state
        self._machine = make_machine(program, part, native=native, check_state=check_state)
        self._kept = kept or {}
        self._states = states
        self.frames_at_once = 1 if self._kept else self._machine.batch
        self._done = 0  # frames since the last reset
        self._tracer: FrameTracer | None = None

    def trace(self, frames: range) -> None:
        """From the next reset on, keep a record of these frames, see ``FrameTracer``."""
        self._tracer = FrameTracer(self._program, self._part, frames, check_state=self._check_state)

    @property
    def records(self) -> Mapping[int, FrameRecord]:
        """What happened in the frames that were to be traced, by their number."""
        return self._tracer.records if self._tracer else {}

    def report(self) -> RunReport:
        """Counts of all frames since the last reset."""
        return self._machine.report()

    @property
    def native(self) -> bool:
        """Whether the compiled loop runs the program."""
        return isinstance(self._machine, NativeMachine)

    def _reset(self) -> None:
        self._machine.reset()
        self._done = 0
        if self._tracer is not None:
            self._tracer.reset()

    def _no_states(self) -> str:
        return "" if self._states is not None else LOST_STATES

    def _limits(self) -> Mapping[str, VariableLimits]:
        return {name: state.limits for name, state in (self._states or {}).items()}

    def _has_state(self, name: str) -> bool:
        return self._states is not None and self._states[name].is_whole

    def _read_states(self, names: Iterable[str]) -> Values:
        return {name: read_state((self._states or {})[name], self._machine.peek) for name in names}

    def _write_states(self, values: Mapping[str, Int64Array]) -> None:
        for name, value in values.items():
            write_state((self._states or {})[name], value, self._machine.peek, self._machine.poke)

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        if self._tracer is None:
            outputs = self._machine.step(inputs)
        else:
            made = self._simulated({name: values[np.newaxis] for name, values in inputs.items()})
            outputs = {name: rows[0] for name, rows in made.items()}
        return outputs, {name: self._machine.peek(**vars(place)) for name, place in self._kept.items()}

    def _run_block(self, inputs: Values) -> tuple[Values, Values]:
        return super()._run_block(inputs) if self._kept else (self._simulated(inputs), {})

    def _simulated(self, inputs: Values) -> Values:
        """The outputs of some frames; those that are to be traced are."""
        if self._tracer is None:
            return self._machine.run(inputs)
        parts: list[Values] = []
        before = self._done
        for numbers in self._tracer.pieces(before, before + len(next(iter(inputs.values()), ()))):
            piece = {name: rows[numbers.start - before : numbers.stop - before] for name, rows in inputs.items()}
            traced = self._tracer.trace(self._machine, numbers, piece)
            parts.append(self._machine.run(piece))
            check_same(traced, parts[-1], numbers.start)
            self._done = numbers.stop
        return _joined(parts)


def _joined(parts: Sequence[Values]) -> Values:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def check_machine(request: RunnerRequest, names: Sequence[str]) -> None:
    """UnsupportedError if the native loop is asked for, and not there."""
    if request.machine == NATIVE and "fasmir" in names:
        needed_library()


def machine_notes(machine: str | None, names: Sequence[str]) -> tuple[str, ...]:
    """A note where NumPy simulates although a native loop was built, which would be faster."""
    why = unusable_library() if machine is None and "fasmir" in names else ""
    return (f"machine: NumPy simulates, with the same results but slower, because {why}",) if why else ()


def make_fasmir(model: Built, request: RunnerRequest, records_dir: Path | None) -> FasmirRunner:
    """The runner "fasmir". ProgramError for a program that cannot be simulated."""
    if model.plain is None or model.part is None:
        raise ProgramError(model.obstacle)
    if request.check_state:
        _log.info("fasmir: accumulators and base registers are overwritten at the start of every frame")
    return FasmirRunner(
        model.plain,
        model.part,
        model.inputs,
        model.kept,
        check_state=request.check_state,
        native=native_or_not(request.machine),
        states=model.description.states if model.description else None,
    )
