"""Addresses in data memory.

Buffers come first: what lives forever (inputs, outputs, states, mail, constants), then temporaries that share space by
lifetime. They stand from address 0 on, or from the beginning of the pair of banks that was chosen for each of them.
Weights and masks fill the room behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.choose_bank_pairs import choose_bank_pairs
from femtodriver.compiler.backend.core_map import CoreMap, Packed, buffer_bytes
from femtodriver.compiler.backend.encode_weights import encode_weights
from femtodriver.compiler.backend.lifetimes import SHORT_LIVED, Life
from femtodriver.compiler.backend.shared_space import SharedSpace
from femtodriver.compiler.fmir.ir import Fmir, Mac, Op, Role
from femtodriver.isa.limits import WORD_BITS
from femtodriver.part import Part

_WORD_BYTES = WORD_BITS // 8
# What a report says of the bytes; the others are activations.
_PURPOSES = {Role.STATE: "state", Role.CONST: "constants"}


def place_in_data_memory(
    fmir: Fmir, part: Part, ops: list[Op], lives: Mapping[str, Life], places: CoreMap, *, bank_pairs: bool = True
) -> None:
    """Give addresses to buffers without accumulator rows, and to matrices; CapacityError if the memory is too small.

    ``bank_pairs``: whether buffers may be in different pairs of banks; they do only where everything still fits.
    """
    long_lived = [b.name for b in fmir.buffers.values() if b.core == places.core and b.role not in SHORT_LIVED]
    short_lived = [name for name, _ in sorted(lives.items(), key=lambda item: item[1]) if name not in places.acc_row]
    matrices = dict.fromkeys(name for op in ops if isinstance(op, Mac) for name, _ in op.parts)
    places.packed = {name: encode_weights(fmir.matrices[name]) for name in matrices}
    buffers = [*long_lived, *short_lived]
    pairs = choose_bank_pairs(fmir, part, places.core, buffers) if bank_pairs else {}
    memory = _Memory(fmir, part, lives, pairs)
    if not memory.place(buffers, places.packed):
        memory = _Memory(fmir, part, lives, {})
        memory.place(buffers, places.packed)
    places.address, places.weights, places.masks = memory.address, memory.weights, memory.masks
    places.stretches = [(stretch.start, stretch.end) for stretch in memory.stretches]
    _count_bytes(fmir, memory, long_lived, places)
    if places.used_bytes > part.dm_bytes:
        raise capacity_errors.data_memory(fmir, part, places)


@dataclass
class _Stretch:
    """Memory from ``start`` to ``limit`` that is filled from below; ``end``: just after what is there."""

    start: int
    limit: int
    end: int

    def take(self, size: int) -> int:
        """The address of the next ``size`` bytes."""
        self.end += size
        return self.end - size


class _Memory:
    """The memory of a core while it is being filled: a stretch for each pair of banks that has buffers."""

    def __init__(self, fmir: Fmir, part: Part, lives: Mapping[str, Life], pairs: Mapping[str, int]) -> None:
        self.fmir, self.lives = fmir, lives
        size = 2 * part.dm_bank_words * _WORD_BYTES
        used = sorted({0, *pairs.values()})
        limits = [*(size * pair for pair in used[1:]), part.dm_bytes]
        self.stretches = [_Stretch(size * p, limit, size * p) for p, limit in zip(used, limits, strict=True)]
        self.shared_bytes = 0
        self._stretch_of = {name: self.stretches[used.index(pair)] for name, pair in pairs.items()}
        self.address: dict[str, int] = {}
        self.weights: dict[str, int] = {}
        self.masks: dict[str, int] = {}

    def place(self, buffers: list[str], packed: Mapping[str, Packed]) -> bool:
        """Place everything; False if it does not fit. Temporaries come last among the buffers, in order of time."""
        self._place_buffers(buffers)
        for name, (weights, mask) in packed.items():
            size = _WORD_BYTES * (len(weights) + len(mask))
            stretch = next((s for s in self.stretches if s.end + size <= s.limit), self.stretches[-1])
            self.weights[name] = stretch.take(size) // _WORD_BYTES
            self.masks[name] = self.weights[name] + len(weights) if len(mask) else 0
        return all(stretch.end <= stretch.limit for stretch in self.stretches)

    def _place_buffers(self, buffers: list[str]) -> None:
        spaces = {id(stretch): SharedSpace() for stretch in self.stretches}
        shared: dict[str, int] = {}
        for name in buffers:
            stretch, size = self._stretch(name), buffer_bytes(self.fmir.buffers[name])
            if name not in self.lives:
                self.address[name] = stretch.take(size)
                continue
            space = spaces[id(stretch)]
            shared[name] = space.find(self.lives[name], size)
            space.take(self.lives[name], shared[name], size)
        self.address |= {name: self._stretch(name).end + place for name, place in shared.items()}
        for stretch in self.stretches:
            stretch.take(spaces[id(stretch)].end)
        self.shared_bytes = sum(space.end for space in spaces.values())

    def _stretch(self, name: str) -> _Stretch:
        return self._stretch_of.get(name, self.stretches[0])


def _count_bytes(fmir: Fmir, memory: _Memory, long_lived: list[str], places: CoreMap) -> None:
    """What the bytes are for."""
    for name in long_lived:
        buffer = fmir.buffers[name]
        places.usage[_PURPOSES.get(buffer.role, "activations")] += buffer_bytes(buffer)
    places.usage["activations"] += memory.shared_bytes
    places.usage["weights"] += sum(_WORD_BYTES * len(weights) for weights, _ in places.packed.values())
    places.usage["indices"] += sum(_WORD_BYTES * len(mask) for _, mask in places.packed.values())
    places.used_bytes = sum(stretch.end - stretch.start for stretch in memory.stretches)
