"""FQIR -> FMIR: a network is lowered until all values fit the buffers that keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.accumulator_rows import wide_elements
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.frontend.lower_graph import Lowering
from femtodriver.errors import UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.isa.limits import MAX_ELEMENT_BITS
from femtodriver.part import Part


def lower_network(network: Network, part: Part, *, reuse: bool = True, keep: Sequence[str] = ()) -> Fmir:
    """The network on core 0, straight from the operators; again with wider states until all values fit theirs.

    ``part``: its accumulators say how many elements of wide values are made at a time.
    ``reuse``: build equal operations once. ``keep``: names of tensors whose values stay readable until the frame ends.
    UnsupportedError for what cannot be compiled.
    """
    initial = initial_state(network)
    widths: dict[str, int] = {}
    while True:
        lowering = Lowering(network, initial, widths, wide_elements(part), reuse=reuse, keep=keep)
        lowering.graph(network.frame)
        fmir = lowering.finish()
        if not lowering.too_narrow:
            verify(fmir)
            return fmir
        _check_widths(network, lowering.too_narrow)
        widths |= lowering.too_narrow


def initial_state(network: Network) -> Mapping[str, Int64Array]:
    """Values of the states before the first frame, by name, in their own shapes."""
    reference = Reference(network)
    reference.reset()
    return {name: np.asarray(reference.values[name], np.int64) for name in network.state_names}


def _check_widths(network: Network, widths: Mapping[str, int]) -> None:
    for label, bits in widths.items():
        if bits > MAX_ELEMENT_BITS:
            raise UnsupportedError(
                f"network {network.name!r}: {label} must hold values of at most {MAX_ELEMENT_BITS} bits, not {bits}. "
                "Saturate the value before it is kept."
            )
