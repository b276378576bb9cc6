"""Runner "femtocrux": the network in the vendor's own simulator, in its container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import BackendError, UsageError
from femtodriver.femtocrux.client_calls import UNNAMED
from femtodriver.femtocrux.vendor_model import VendorModel
from femtodriver.inputs import InputSpec
from femtodriver.metrics.run_totals import DEFAULT_PERIOD_S
from femtodriver.model.build_model import Built
from femtodriver.options.runner_requests import ConditionsRequest, RunnerRequest
from femtodriver.runners.fqir_runner import network_for
from femtodriver.runners.runner import Runner, Values

NAME = "femtocrux"
_ALL = 1 << 40


class FemtocruxRunner(Runner):
    """Gives the simulator all frames since the last reset, and keeps those of its outputs that are new.

    ``report``: what the simulator told of the last run, as it came; "" before. The container starts with the first
    frame. BackendError, in one sentence, where it cannot be used, or gives outputs of other names or shapes.
    """

    runs_first = True
    frames_at_once = _ALL

    def __init__(
        self, model: VendorModel, inputs: Sequence[InputSpec], outputs: Sequence[InputSpec], period_s: float
    ) -> None:
        super().__init__(NAME, inputs)
        self._model, self._outputs, self._period_s = model, tuple(outputs), period_s
        self._given: Values = {}
        self.report = ""

    def _no_states(self) -> str:
        return "the vendor's simulator gives outputs only"

    def _reset(self) -> None:
        self._given = {}

    def _finish(self) -> None:
        self._given = {}

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        made, seen = self._run_block({name: values[np.newaxis] for name, values in inputs.items()})
        return {name: rows[0] for name, rows in made.items()}, seen

    def _run_block(self, inputs: Values) -> tuple[Values, Values]:
        new = len(next(iter(inputs.values()), ()))
        given = {name: np.concatenate([self._given.get(name, rows[:0]), rows]) for name, rows in inputs.items()}
        narrow = {spec.name: _narrowed(given[spec.name], spec.bits) for spec in self.inputs}
        made, self.report = self._model.simulate(narrow, self._period_s)
        self._given = given
        frames = len(next(iter(given.values()), ()))
        return {name: rows[frames - new :] for name, rows in self._checked(made, frames).items()}, {}

    def _checked(self, made: Mapping[str, AnyArray], frames: int) -> Values:
        wanted = {spec.name: spec.length for spec in self._outputs}
        if set(made) == {UNNAMED} and len(wanted) == 1:
            made = {next(iter(wanted)): made[UNNAMED]}
        if set(made) != set(wanted):
            raise BackendError(
                f"femtocrux: outputs of the vendor's simulator must be {', '.join(map(repr, wanted))}, as in the "
                f"network, not {', '.join(map(repr, made)) or 'none'}; use the client and image that fit this network."
            )
        return {name: _rows(name, made[name], (frames, length)) for name, length in wanted.items()}


def make_femtocrux(model: Built, request: RunnerRequest, records_dir: Path | None) -> FemtocruxRunner:
    """The runner "femtocrux". UsageError for a compiled program, or with debug variables."""
    network_for(NAME, model)
    if model.vendor is None:
        raise UsageError("runner femtocrux: must be used through Femtodriver or the command line, not here.")
    if model.debug_names:
        raise UsageError(
            "runner femtocrux: must be run without debug variables, because the vendor's simulator gives outputs only."
        )
    period_s = request.input_period if isinstance(request, ConditionsRequest) else None
    return FemtocruxRunner(model.vendor, model.inputs, model.outputs, period_s or DEFAULT_PERIOD_S)


def _narrowed(rows: Int64Array, bits: int) -> AnyArray:
    """The same values in the type that the network declares."""
    return rows.astype(np.int8 if bits <= 8 else np.int16 if bits <= 16 else np.int32)


def _rows(name: str, rows: AnyArray, shape: tuple[int, int]) -> Int64Array:
    """The rows without padding at their ends."""
    if rows.dtype.kind not in "iu" or rows.ndim != 2 or len(rows) != shape[0] or rows.shape[1] < shape[1]:
        raise BackendError(
            f"femtocrux: output {name!r:.60} of the vendor's simulator must be integers of the shape {shape}, not "
            f"{rows.dtype} of {rows.shape}; use the client and image that fit this network."
        )
    return rows[:, : shape[1]].astype(np.int64)
