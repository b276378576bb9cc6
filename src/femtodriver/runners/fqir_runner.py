"""Runner "fqir": the network's own integer arithmetic, the yardstick of all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import UsageError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.inputs import InputSpec
from femtodriver.model.build_model import Built
from femtodriver.model.debug_program import debug_names
from femtodriver.model.network_formats import NETWORK_ENDINGS
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.program.program_states import VariableLimits
from femtodriver.quantization.quantization_observer import QuantizationObserver
from femtodriver.runners.runner import Runner, Values


class FqirRunner(Runner):
    """Executes the graph frame by frame.

    ``debug_vars``: FQIR names whose value after every frame is wanted as internals, or ``("all",)`` for the outputs of
    all nodes of the frame graph and all states. UsageError for a name that the network does not have.
    ``observer``: what watches all values, once ``observe`` has been called.
    """

    def __init__(self, network: Network, inputs: Sequence[InputSpec], debug_vars: Sequence[str] = ()) -> None:
        super().__init__("fqir", inputs)
        self._network = network
        self._shapes = {tensor.name: tensor.shape for tensor in network.inputs}
        self._reference = Reference(network)
        self.observer: QuantizationObserver | None = None
        self._debug_vars = debug_names(network, debug_vars)

    def observe(self) -> QuantizationObserver:
        """Watch all values from now on; what watches them."""
        self.observer = QuantizationObserver(self._network, self._reference.ranges)
        self._reference = Reference(self._network, self.observer)
        return self.observer

    def _reset(self) -> None:
        self._reference.reset()

    def _limits(self) -> Mapping[str, VariableLimits]:
        values = self._reference.values
        states = {name: limits for name, limits in self._reference.states.items() if name in values}
        return {name: VariableLimits(values[name].size, low, high) for name, (low, high) in states.items()}

    def _read_states(self, names: Iterable[str]) -> Values:
        return {name: self._reference.values[name].reshape(-1).copy() for name in names}

    def _write_states(self, values: Mapping[str, Int64Array]) -> None:
        for name, value in values.items():
            self._reference.set_state(name, value)

    def _other(self, name: str) -> Int64Array:
        values = self._reference.values
        return values[name] if name in values else super()._other(name)

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        if self.observer is not None:
            self.observer.begin_frame(inputs)
        made = self._reference.step({name: value.reshape(self._shapes[name]) for name, value in inputs.items()})
        if self.observer is not None:
            self.observer.end_frame()
        values = self._reference.values
        internals = {name: values[name].reshape(-1).copy() for name in self._debug_vars if name in values}
        return {name: np.reshape(value, -1) for name, value in made.items()}, internals


def make_fqir(model: Built, request: RunnerRequest, records_dir: Path | None) -> FqirRunner:
    """The runner "fqir". UsageError for a compiled program."""
    return FqirRunner(network_for("fqir", model), model.inputs, model.debug_names)


def network_for(runner: str, model: Built) -> Network:
    """The network of the model, which the runner of that name needs. UsageError for a compiled program."""
    if model.source.network is None:
        raise UsageError(
            f"runner {runner}: the model must be a network ({NETWORK_ENDINGS}, LOOPBACK or a graph), because a "
            "compiled program holds no graph; use the runner fasmir."
        )
    return model.source.network
