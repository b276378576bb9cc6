"""Runner "fasmir": the encoded program on the machine."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from femtodriver.errors import ProgramError
from femtodriver.inputs import InputSpec
from femtodriver.machine.run_report import RunReport
from femtodriver.model.build_model import Built
from femtodriver.native.choose_machine import make_machine
from femtodriver.native.library import needed_library
from femtodriver.native.native_machine import NativeMachine
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.options.value_kinds import NATIVE
from femtodriver.part import Part
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KeptPlace
from femtodriver.runners.runner import Runner, Values

_log = logging.getLogger(__name__)


class FasmirRunner(Runner):
    """Executes the images; ``report()`` has what was counted since the last reset.

    ``kept``: where internals are in data memory when a frame has ended (``Description.kept``). ``check_state``: see
    ``Machine``; ``native``: see ``make_machine``.
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
    ) -> None:
        super().__init__("fasmir", inputs)
        self._machine = make_machine(program, part, native=native, check_state=check_state)
        self._kept = kept or {}
        self.frames_at_once = 1 if self._kept else self._machine.batch

    def report(self) -> RunReport:
        """Counts of all frames since the last reset."""
        return self._machine.report()

    @property
    def native(self) -> bool:
        """Whether the compiled loop runs the program."""
        return isinstance(self._machine, NativeMachine)

    def _reset(self) -> None:
        self._machine.reset()

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        outputs = self._machine.step(inputs)
        return outputs, {name: self._machine.peek(**vars(place)) for name, place in self._kept.items()}

    def _run_block(self, inputs: Values) -> tuple[Values, Values]:
        return super()._run_block(inputs) if self._kept else (self._machine.run(inputs), {})


def check_machine(request: RunnerRequest, names: Sequence[str]) -> None:
    """UnsupportedError if the native loop is asked for, and not there."""
    if request.machine == NATIVE and "fasmir" in names:
        needed_library()


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
        native=None if request.machine is None else request.machine == NATIVE,
    )
