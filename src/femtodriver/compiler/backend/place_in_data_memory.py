"""Addresses in data memory.

From address 0: buffers that live for ever (inputs, outputs, states, mail, constants), then temporaries that share space
by lifetime, then weights and masks.
"""

from __future__ import annotations

from collections.abc import Mapping

from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.core_map import CoreMap, buffer_bytes
from femtodriver.compiler.backend.encode_weights import encode_weights
from femtodriver.compiler.backend.lifetimes import SHORT_LIVED, Life
from femtodriver.compiler.backend.shared_space import SharedSpace
from femtodriver.compiler.fmir.ir import Fmir, Mac, Op, Role
from femtodriver.part import Part

# What a report says of the bytes; the others are activations.
_PURPOSES = {Role.STATE: "state", Role.CONST: "constants"}


def place_in_data_memory(fmir: Fmir, part: Part, ops: list[Op], lives: Mapping[str, Life], places: CoreMap) -> None:
    """Give addresses to buffers without accumulator rows, and to matrices; CapacityError if the memory is too small."""
    _place_long_lived(fmir, places)
    _place_short_lived(fmir, lives, places)
    _place_matrices(fmir, ops, places)
    if places.used_bytes > part.dm_bytes:
        raise capacity_errors.data_memory(fmir, part, places)


def _place_long_lived(fmir: Fmir, places: CoreMap) -> None:
    for buffer in fmir.buffers.values():
        if buffer.core == places.core and buffer.role not in SHORT_LIVED:
            size = buffer_bytes(buffer)
            places.address[buffer.name] = places.used_bytes
            places.used_bytes += size
            places.usage[_PURPOSES.get(buffer.role, "activations")] += size


def _place_short_lived(fmir: Fmir, lives: Mapping[str, Life], places: CoreMap) -> None:
    start, space = places.used_bytes, SharedSpace()
    for name, life in sorted(lives.items(), key=lambda item: item[1]):
        if name not in places.acc_row:
            size = buffer_bytes(fmir.buffers[name])
            place = space.find(life, size)
            space.take(life, place, size)
            places.address[name] = start + place
    places.usage["activations"] += space.end
    places.used_bytes += space.end


def _place_matrices(fmir: Fmir, ops: list[Op], places: CoreMap) -> None:
    names = dict.fromkeys(name for op in ops if isinstance(op, Mac) for name, _ in op.parts)
    word = places.used_bytes // 8
    for name in names:
        weights, mask = encode_weights(fmir.matrices[name])
        places.packed[name] = (weights, mask)
        places.weights[name] = word
        places.masks[name] = word + len(weights) if len(mask) else 0
        word += len(weights) + len(mask)
        places.usage["weights"] += 8 * len(weights)
        places.usage["indices"] += 8 * len(mask)
    places.used_bytes = 8 * word
