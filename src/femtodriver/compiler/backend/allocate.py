"""Where everything lives on each core: accumulator rows, data memory addresses, table memory.

Data memory, from address 0: buffers that live for ever (I/O, state, mail, constants), then temporaries that share
space by lifetime, then weights and masks. Temporaries that only vector instructions touch live in accumulators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from femtodriver.arrays import ByteArray, Words
from femtodriver.compiler.backend import capacity_errors
from femtodriver.compiler.backend.lifetimes import SHORT_LIVED, Life, lifetimes, overlap
from femtodriver.compiler.fmir.ir import Buffer, Fmir, If, Mac, Op, Role, Send, table_names, touches, walk, writes
from femtodriver.compiler.passes.basic import kept_groups, mask_bytes
from femtodriver.isa import Form
from femtodriver.isa.limits import ACCUMULATOR_BITS, GROUP_SIZE, WORD_BITS
from femtodriver.part import Part

Packed = tuple[Words, Words]  # weight words, mask words (empty when dense)


@dataclass(frozen=True)
class TablePlace:
    """A look-up table in table memory: copies at ``row`` of ``1 << ways`` banks from ``bank`` on."""

    row: int
    bank: int
    ways: int


@dataclass
class CoreMap:
    """Places on one core. ``address``: bytes; ``weights``, ``masks``: words; ``usage``: bytes by purpose."""

    core: int
    address: dict[str, int] = field(default_factory=dict)
    acc_row: dict[str, int] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    masks: dict[str, int] = field(default_factory=dict)
    packed: dict[str, Packed] = field(default_factory=dict)
    tables: dict[str, TablePlace] = field(default_factory=dict)
    usage: dict[str, int] = field(default_factory=dict)
    used_bytes: int = 0
    mac_row: int = 0


def allocate(fmir: Fmir, part: Part, most_mac_rows: int, *, accumulators: bool = True) -> dict[int, CoreMap]:
    """A map per used core; CapacityError when data or table memory overflows."""
    cores = sorted({0} | {op.core for op in walk(fmir.ops)} | {buffer.core for buffer in fmir.buffers.values()})
    return {core: _allocate_core(fmir, part, core, most_mac_rows, accumulators) for core in cores}


def _allocate_core(fmir: Fmir, part: Part, core: int, most_mac_rows: int, accumulators: bool) -> CoreMap:
    places = CoreMap(core)
    places.mac_row = part.acc_rows - most_mac_rows // part.lanes
    if places.mac_row < 0:
        raise capacity_errors.too_few_rows(part, core, most_mac_rows // part.lanes)
    ops = [op for op in walk(fmir.ops) if op.core == core or _lands_on(fmir, op, core)]
    lives = lifetimes(fmir, core)
    must = {n: life for n, life in lives.items() if fmir.buffers[n].bits == ACCUMULATOR_BITS}
    wanted = lives if accumulators else must
    _place_in_accumulators(fmir, part, ops, wanted, places)
    _place_buffers(fmir, lives, places, core)
    _place_matrices(fmir, ops, places, core)
    _place_tables(fmir, ops, places, part)
    if places.used_bytes > part.dm_bytes:
        raise capacity_errors.data_memory(fmir, part, places)
    return places


def _lands_on(fmir: Fmir, op: Op, core: int) -> bool:
    return any(fmir.buffers[view.buffer].core == core for view in writes(op))


def _place_in_accumulators(fmir: Fmir, part: Part, ops: list[Op], lives: Mapping[str, Life], places: CoreMap) -> None:
    """The widest first: what memory elements cannot hold has no other place."""
    barred = set(_barred_from_accumulators(ops))
    placed: list[tuple[Life, int, int]] = []
    for name, life in sorted(lives.items(), key=lambda item: (fmir.buffers[item[0]].bits < ACCUMULATOR_BITS, item[1])):
        buffer = fmir.buffers[name]
        if name not in barred:
            rows = -(-buffer.length // GROUP_SIZE)
            row = _first_fit([(low, high) for other, low, high in placed if overlap(life, other)], rows, 1)
            if row + rows <= places.mac_row:
                places.acc_row[name] = row
                placed.append((life, row, row + rows))
                continue
        if buffer.bits == ACCUMULATOR_BITS:
            raise capacity_errors.accumulators(fmir, part, places, buffer)


def _barred_from_accumulators(ops: Iterable[Op]) -> Iterable[str]:
    """Buffers that a matrix, message or branch uses, that a loop walks through, or that are not cut at whole rows."""
    for op in ops:
        if isinstance(op, Mac):
            yield from (view.buffer for _, view in op.parts)
        if isinstance(op, (Send, If)):
            yield from (view.buffer for view in touches(op))
        yield from (view.buffer for view in touches(op) if view.offset % GROUP_SIZE or view.cursor)


def _first_fit(taken: list[tuple[int, int]], size: int, align: int) -> int:
    """The lowest aligned place of ``size`` that overlaps none of ``taken``."""
    place = 0
    for low, high in sorted(taken):
        if place + size <= low:
            break
        place = max(place, -(-high // align) * align)
    return place


def buffer_bytes(buffer: Buffer) -> int:
    """Bytes of a buffer in data memory: whole 64-bit words."""
    return -(-buffer.length * buffer.bits // WORD_BITS) * 8


_PURPOSE = {
    Role.STATE: "state",
    Role.CONST: "constants",
    Role.INPUT: "activations",
    Role.OUTPUT: "activations",
    Role.MAIL: "activations",
    Role.KEPT: "activations",
    Role.TEMP: "activations",
    Role.CARRIED: "activations",
}


def _place_buffers(fmir: Fmir, lives: Mapping[str, Life], places: CoreMap, core: int) -> None:
    usage = {"weights": 0, "indices": 0, "constants": 0, "activations": 0, "state": 0}
    position = 0
    for buffer in fmir.buffers.values():
        if buffer.core == core and buffer.role not in SHORT_LIVED:
            places.address[buffer.name] = position
            position += buffer_bytes(buffer)
            usage[_PURPOSE[buffer.role]] += buffer_bytes(buffer)
    start = end = position
    placed: list[tuple[Life, int, int]] = []
    for name, life in sorted(lives.items(), key=lambda item: item[1]):
        if name in places.acc_row:
            continue
        size = buffer_bytes(fmir.buffers[name])
        place = _first_fit([(low, high) for other, low, high in placed if overlap(life, other)], size, 8)
        places.address[name] = start + place
        placed.append((life, place, place + size))
        end = max(end, start + place + size)
    usage["activations"] += end - start
    places.usage = usage
    places.used_bytes = end


def _place_matrices(fmir: Fmir, ops: list[Op], places: CoreMap, core: int) -> None:
    word = places.used_bytes // 8
    for op in ops:
        if not isinstance(op, Mac) or op.core != core:
            continue
        for name, _ in op.parts:
            if name in places.weights:
                continue
            weights, mask = pack_matrix(fmir, name)
            places.packed[name] = (weights, mask)
            places.weights[name] = word
            places.masks[name] = word + len(weights) if len(mask) else 0
            word += len(weights) + len(mask)
            places.usage["weights"] += 8 * len(weights)
            places.usage["indices"] += 8 * len(mask)
    places.used_bytes = 8 * word


def pack_matrix(fmir: Fmir, name: str) -> Packed:
    """Weight words (groups of 8 outputs, column by column) and mask words of a matrix."""
    matrix = fmir.matrices[name]
    groups = -(-matrix.rows // GROUP_SIZE)
    padded = np.zeros((matrix.columns, groups * GROUP_SIZE), np.int64)
    padded[:, : matrix.rows] = matrix.weights
    units = padded.reshape(-1, GROUP_SIZE)
    mask = np.zeros(0, np.uint64)
    if matrix.form is not Form.DENSE:
        kept = kept_groups(matrix).reshape(-1)
        units = units[kept]
        mask = to_words(mask_bytes(kept, matrix.form))
    if matrix.bits == 4:
        nibbles = (units & 15).astype(np.uint8).reshape(-1, 2)
        return to_words((nibbles[:, 0] | nibbles[:, 1] << 4).astype(np.uint8)), mask
    return to_words(np.frombuffer(units.astype(f"<i{matrix.bits // 8}").tobytes(), np.uint8)), mask


def to_words(data: ByteArray) -> Words:
    """Bytes, filled up with zeros to whole 64-bit words."""
    flat = data.reshape(-1)
    padded = np.zeros(-(-len(flat) // 8) * 8, np.uint8)
    padded[: len(flat)] = flat
    return padded.view(np.uint64)


def _place_tables(fmir: Fmir, ops: list[Op], places: CoreMap, part: Part) -> None:
    """As many copies of every table as fit: more copies, more look-ups per cycle. The longest first: no gaps."""
    names = list(dict.fromkeys(name for op in ops for name in table_names(op)))
    sizes = {name: len(fmir.tables[name]) for name in names}
    for op in ops:
        for name in table_names(op):
            if sizes[name] > part.tm_bank_words:
                raise capacity_errors.table_too_long(fmir, part, op, name)
    for ways in (2, 1, 0):
        tops = [0] * (part.tm_banks >> ways)
        tables: dict[str, TablePlace] = {}
        for name in sorted(names, key=lambda name: -sizes[name]):
            column = tops.index(min(tops))
            tables[name] = TablePlace(tops[column], column << ways, ways)
            tops[column] += sizes[name]
        if max(tops) <= part.tm_bank_words:
            places.tables = tables
            places.usage["tables"] = 2 * sum(sizes.values()) << ways
            return
    raise capacity_errors.table_memory(part, places.core, sizes)
