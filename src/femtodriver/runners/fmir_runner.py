"""Runner "fmir": the mapped network, operation by operation, as the compiler's middle understands it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.errors import UsageError
from femtodriver.inputs import InputSpec
from femtodriver.model.build_model import Built
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.program.program_states import VariableLimits
from femtodriver.runners.fqir_runner import network_for
from femtodriver.runners.runner import Runner, Values


class FmirRunner(Runner):
    """Executes the mapped operations on plain arrays. Internals: what the network was lowered to keep."""

    def __init__(self, fmir: Fmir, inputs: Sequence[InputSpec]) -> None:
        super().__init__("fmir", inputs)
        self._executor = FmirExecutor(fmir)

    def _reset(self) -> None:
        self._executor.reset()

    def _limits(self) -> Mapping[str, VariableLimits]:
        states = self._executor.fmir.states
        return {name: VariableLimits(state.length, state.low, state.high) for name, state in states.items()}

    def _has_state(self, name: str) -> bool:
        return self._executor.has_state(name)

    def _read_states(self, names: Iterable[str]) -> Values:
        return {name: self._executor.state(name) for name in names}

    def _write_states(self, values: Mapping[str, Int64Array]) -> None:
        for name, value in values.items():
            self._executor.set_state(name, value)

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        return self._executor.step(inputs), self._executor.internals()


def make_fmir(model: Built, request: RunnerRequest, records_dir: Path | None) -> FmirRunner:
    """The runner "fmir". UsageError for a compiled program."""
    network_for("fmir", model)
    if model.fmir is None:
        raise UsageError("runner fmir: the model must be compiled from its network.")
    return FmirRunner(model.fmir, model.inputs)
