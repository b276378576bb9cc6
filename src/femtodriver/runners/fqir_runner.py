"""Runner "fqir": the network's own integer arithmetic, the yardstick of all others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from femtodriver.errors import UsageError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.inputs import InputSpec
from femtodriver.runners.runner import Runner, Values

ALL = "all"


class FqirRunner(Runner):
    """Executes the graph frame by frame.

    ``debug_vars``: FQIR names whose value after every frame is wanted as internals, or ``("all",)`` for the outputs of
    all nodes of the frame graph and all states. UsageError for a name that the network does not have.
    """

    def __init__(self, network: Network, inputs: Sequence[InputSpec], debug_vars: Sequence[str] = ()) -> None:
        super().__init__("fqir", inputs)
        self._shapes = {tensor.name: tensor.shape for tensor in network.inputs}
        self._reference = Reference(network)
        self._debug_vars = debug_names(network, debug_vars)

    def _reset(self) -> None:
        self._reference.reset()

    def _step(self, inputs: Values) -> tuple[Values, Values]:
        made = self._reference.step({name: value.reshape(self._shapes[name]) for name, value in inputs.items()})
        values = self._reference.values
        internals = {name: values[name].reshape(-1).copy() for name in self._debug_vars if name in values}
        return {name: np.reshape(value, -1) for name, value in made.items()}, internals


def debug_names(network: Network, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted names in program order, "all" spelled out. UsageError for a name that the network does not have."""
    made = [out.name for node in network.frame.nodes for out in node.outputs]
    every = dict.fromkeys([*made, *network.state_names])
    if tuple(wanted) == (ALL,):
        return tuple(every)
    known = dict.fromkeys([*(tensor.name for tensor in network.frame.inputs), *every])
    for name in wanted:
        if name not in known:
            raise UsageError(f"debug variables: must be names of values of the network, not {name!r}.")
    order = [*known]
    return tuple(sorted(dict.fromkeys(wanted), key=order.index))
