"""FQIR -> FMIR: a network is lowered until all values fit the buffers that keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from femtodriver.compiler.accumulator_rows import wide_elements
from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.fmir.network_interface import MappedState, StatePart
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.frontend.lower_graph import Lowering
from femtodriver.errors import UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.operators.ranges import Range, bits_of
from femtodriver.fqir.reference import Reference
from femtodriver.isa.limits import MAX_ELEMENT_BITS
from femtodriver.part import Part


def lower_network(
    network: Network, part: Part, *, reuse: bool = True, simplify: bool = True, keep: Sequence[str] = ()
) -> Fmir:
    """The network on core 0, straight from the operators; again with wider states until all values fit theirs.

    ``part``: its accumulators say how many elements of wide values are made at a time.
    ``reuse``: build equal operations once. ``simplify``: build cheaper ones that give the same.
    ``keep``: names of tensors whose values stay readable until the frame ends.
    UnsupportedError for what cannot be compiled.
    """
    reference = Reference(network)
    initial = {name: np.asarray(reference.values[name], np.int64) for name in network.state_names}
    widths: dict[str, int] = {}
    while True:
        lowering = Lowering(
            network,
            initial,
            reference.ranges,
            widths,
            wide_elements(part),
            reuse=reuse,
            simplify=simplify,
            keep=keep,
        )
        lowering.graph(network.frame)
        fmir = lowering.finish()
        too_narrow = lowering.too_narrow()
        if not too_narrow:
            fmir = _with_wide_outputs(replace(fmir, states=_states(lowering, reference)), reference.ranges)
            verify(fmir)
            return fmir
        _check_widths(network, too_narrow)
        widths |= too_narrow


def _states(lowering: Lowering, reference: Reference) -> dict[str, MappedState]:
    """Each state is one buffer when the frame has ended."""
    found = {}
    for name, (low, high) in reference.states.items():
        view = lowering.states[name]
        parts = (StatePart(0, view.length, view.buffer, view.offset),) if view.length else ()
        found[name] = MappedState(view.length, *lowering.reachable(name, low, high), parts)
    return found


def _with_wide_outputs(fmir: Fmir, ranges: Mapping[str, Range]) -> Fmir:
    """Outputs whose values may leave their declared type have the width of these values, up to that of memory."""
    ports = []
    for port in fmir.outputs:
        needed = min(bits_of(ranges[port.name]), fmir.buffers[port.buffer].bits)
        ports.append(replace(port, bits=max(port.bits, needed)))
    return replace(fmir, outputs=tuple(ports))


def _check_widths(network: Network, widths: Mapping[str, int]) -> None:
    for label, bits in widths.items():
        if bits > MAX_ELEMENT_BITS:
            raise UnsupportedError(
                f"network {network.name!r}: {label} must hold values of at most {MAX_ELEMENT_BITS} bits, not {bits}. "
                "Saturate the value before it is kept."
            )
