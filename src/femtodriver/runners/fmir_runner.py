"""Runner "fmir": the mapped network, operation by operation, as the compiler's middle understands it."""

from __future__ import annotations

from collections.abc import Sequence

from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.inputs import InputSpec
from femtodriver.runners.runner import Runner, Values


class FmirRunner(Runner):
    """Executes the mapped operations on plain arrays. Internals: what the network was lowered to keep."""

    def __init__(self, fmir: Fmir, inputs: Sequence[InputSpec]) -> None:
        super().__init__("fmir", inputs)
        self._executor = FmirExecutor(fmir)

    def _reset(self) -> None:
        self._executor.reset()

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        return self._executor.step(inputs), self._executor.internals()
