"""Runner "fasmir": the encoded program on the machine."""

from __future__ import annotations

from collections.abc import Sequence

from femtodriver.inputs import InputSpec
from femtodriver.machine.machine import Machine
from femtodriver.machine.report import RunReport
from femtodriver.part import Part
from femtodriver.program.compiled import CompiledData
from femtodriver.runners.base import Runner, Values


class FasmirRunner(Runner):
    """Executes the images; ``report()`` has what was counted since the last reset."""

    def __init__(self, program: CompiledData, part: Part, inputs: Sequence[InputSpec]) -> None:
        super().__init__("fasmir", inputs)
        self._machine = Machine(program, part)

    def report(self) -> RunReport:
        """Counts of all frames since the last reset."""
        return self._machine.report()

    def _reset(self) -> None:
        self._machine.reset()

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        return self._machine.step(inputs), {}
