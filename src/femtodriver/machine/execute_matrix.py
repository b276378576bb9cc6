"""The matrix instruction, prepared for execution: weights decoded once from the image, costs by live activations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import BoolArray, ByteArray, Float64Array, Int64Array
from femtodriver.errors import MachineFault
from femtodriver.isa import Form, MatrixInstruction, cycles
from femtodriver.isa.limits import GROUP_SIZE, WEIGHT_BITS, WORD_BITS
from femtodriver.machine.core import Core, Step
from femtodriver.machine.execute_vectors import mac_event
from femtodriver.machine.operand_streams import OperandStream

_EXACT = 1 << 53


@dataclass(frozen=True)
class Decoded:
    """Weights as the lanes see them, and what one live activation of each column costs.

    ``weights`` (columns, rows) float64 where every sum is exact in float64, else int64.
    ``cost`` (columns, 2 + banks): groups, multiplications, weight words per bank; ``total`` its sums over the columns.
    ``mask_banks`` (banks): words of the mask, which are all read.
    """

    weights: Float64Array | Int64Array
    cost: Float64Array
    total: tuple[int, ...]
    mask_banks: Int64Array


class MatrixStep(Step):
    """A ``MatrixInstruction``."""

    def __init__(self, core: Core, pc: int, instruction: MatrixInstruction) -> None:
        super().__init__(pc, instruction)
        self.matrix, self.core = instruction, core
        self.x = OperandStream(core, instruction.x, instruction.columns)
        if not instruction.x.in_memory:
            raise MachineFault(f"mac: x must be in memory, not {instruction.x.text()}.")
        self.weight_bits = WEIGHT_BITS[instruction.width]
        self.groups = -(-instruction.rows // GROUP_SIZE)
        if (instruction.acc + self.groups) * GROUP_SIZE > len(core.acc):
            raise MachineFault("mac: the outputs must end inside the accumulator file.")
        first = instruction.acc * GROUP_SIZE
        self.acc = core.acc[first : first + instruction.rows]
        # The lanes of the last row that no output has.
        self.rest = core.acc[first + instruction.rows : first + self.groups * GROUP_SIZE]
        self.read_x = self.x.reader()
        self.lane_passes = cycles.passes(max(self.weight_bits, cycles.LANE_BITS[0]), instruction.x.bits)
        self.event, self.event_count = mac_event(
            *sorted((max(self.weight_bits, cycles.LANE_BITS[0]), instruction.x.bits))
        )
        self.decoded: Decoded | None = None
        self.scan_words, self.scan_banks = 0, np.zeros(core.part.dm_banks, np.int64)
        if not self.x.moving:
            self.scan_words, self.scan_banks = self._scan()
            self.bank_reads = self.scan_banks
            self.fixed["dm_read"] = int(np.sum(self.scan_banks))
        self.fixed |= {"activation": instruction.columns, "matrix_dense": instruction.columns * instruction.rows}

    def watch(self) -> None:
        """Ask memory to tell when weights or mask are stored to."""
        first, end = self._weight_words(self.matrix.columns * self.groups)
        self.core.memory.watch(first, end, self._forget)
        if self.matrix.form != Form.DENSE:
            most = self._flat_words() + -(-self._flat_words() // 8)
            self.core.memory.watch(self.matrix.mask, self.matrix.mask + most, self._forget)

    def run(self, core: Core) -> int:
        self.executions += 1
        decoded = self.decoded or self._decode()
        x = self.read_x()
        live = x != 0
        count = int(np.count_nonzero(live))
        product = (x.astype(decoded.weights.dtype) @ decoded.weights).astype(np.int64)
        if self.matrix.fresh:
            self.acc[...] = product
            self.rest[...] = 0
        else:
            self.acc += product
        if count == self.matrix.columns:
            cost = decoded.total
        else:
            cost = tuple(int(value) for value in live.astype(np.float64) @ decoded.cost)
        return self._count(count, cost, decoded)

    def _count(self, live: int, cost: tuple[int, ...], decoded: Decoded) -> int:
        groups, products = cost[0], cost[1]
        weight_banks = np.array(cost[2:], np.int64) + decoded.mask_banks
        scan_words, scan_banks = self.scan_words, self.scan_banks
        if self.x.moving:
            scan_words, scan_banks = self._scan()
            self.extra_bank_reads = self.extra_bank_reads + scan_banks
            self.add("dm_read", int(np.sum(scan_banks)))
        self.extra_bank_reads = self.extra_bank_reads + weight_banks
        taken = cycles.matrix(groups, self.lane_passes, scan_words, int(np.max(weight_banks + scan_banks)))
        for event, value in (
            ("cycles", taken),
            ("dm_read", int(weight_banks.sum())),
            ("activation_live", live),
            ("matrix_stored", decoded.total[1]),
            ("matrix_executed", products),
            (self.event, products * self.event_count),
            ("acc_read", groups * GROUP_SIZE),
            ("acc_write", groups * GROUP_SIZE),
            ("index_group", groups if self.matrix.form else 0),
        ):
            self.add(event, value)
        return taken

    def _forget(self) -> None:
        self.decoded = None

    def _flat_words(self) -> int:
        return -(-self.matrix.columns * self.groups // WORD_BITS)

    def _weight_words(self, groups: int) -> tuple[int, int]:
        bits = groups * GROUP_SIZE * self.weight_bits
        return self.matrix.weights, self.matrix.weights + -(-bits // WORD_BITS)

    def _scan(self) -> tuple[int, Int64Array]:
        """Activation words, in all and per bank: all are read, whatever their values."""
        first, end = self.x.bytes()
        return (end + 7) // 8 - first // 8, self.x.banks() + np.zeros(self.core.part.dm_banks, np.int64)

    def _decode(self) -> Decoded:
        columns, groups, rows = self.matrix.columns, self.groups, self.matrix.rows
        kept, mask_banks = self._kept(columns * groups)
        dense = np.zeros((columns * groups, GROUP_SIZE), np.int64)
        dense[kept] = self._stored(int(kept.sum()))
        dense = dense.reshape(columns, groups * GROUP_SIZE)[:, :rows]
        kept = kept.reshape(columns, groups)
        rows_of_group = np.full(groups, GROUP_SIZE)
        rows_of_group[-1] = rows - GROUP_SIZE * (groups - 1)
        cost = np.concatenate(
            [kept.sum(1, keepdims=True), (kept @ rows_of_group)[:, None], self._column_banks(kept.sum(1))], axis=1
        ).astype(np.float64)
        bound = columns << (self.weight_bits - 1) << (self.matrix.x.bits - 1)
        weights: Float64Array | Int64Array = np.ascontiguousarray(dense)
        if bound < _EXACT:
            weights = weights.astype(np.float64)
        self.decoded = Decoded(weights, cost, tuple(int(value) for value in cost.sum(0)), mask_banks)
        return self.decoded

    def _kept(self, groups: int) -> tuple[BoolArray, Int64Array]:
        """Which groups are stored, and the words per bank that say so (all are read, whatever the activations)."""
        if self.matrix.form == Form.DENSE:
            return np.ones(groups, bool), self._mask_banks(0, 0)
        mask_bytes = -(-groups // 8)
        if self.matrix.form == Form.MASKED:
            return _bits(self._mask(mask_bytes))[:groups], self._mask_banks(0, mask_bytes)
        head = -(-mask_bytes // 8)
        present = _bits(self._mask(head))[:mask_bytes]
        tail = int(np.count_nonzero(present))
        full = np.zeros(mask_bytes, np.uint8)
        full[present] = self._mask(head + tail)[head:]
        # Two readers: the word in which the bits end and the bytes begin is read by both.
        return _bits(full)[:groups], self._mask_banks(0, head) + self._mask_banks(head, head + tail)

    def _mask(self, count: int) -> ByteArray:
        """The first ``count`` bytes of the mask."""
        where = self.core.memory.word_slice(8 * self.matrix.mask, -(-count // 8))
        mask: ByteArray = self.core.memory.words[where].view(np.uint8)[:count]
        return mask

    def _mask_banks(self, first: int, end: int) -> Int64Array:
        """Words per bank that hold these bytes of the mask."""
        if first == end:
            return np.zeros(self.core.part.dm_banks, np.int64)
        return self.core.memory.bank_accesses(self.matrix.mask + first // 8, self.matrix.mask + -(-end // 8))

    def _stored(self, groups: int) -> Int64Array:
        """The stored weights, shape (groups, GROUP_SIZE)."""
        first, end = self._weight_words(groups)
        self.core.memory.word_slice(8 * first, end - first)
        words = self.core.memory.words[first:end]
        if self.weight_bits == 4:
            pairs = words.view(np.uint8)
            nibbles = np.stack([pairs & 15, pairs >> 4], axis=1).reshape(-1).astype(np.int64)
            values = np.where(nibbles > 7, nibbles - 16, nibbles)
        else:
            values = words.view(np.int8 if self.weight_bits == 8 else np.int16).astype(np.int64)
        return values[: groups * GROUP_SIZE].reshape(groups, GROUP_SIZE)

    def _column_banks(self, kept: Int64Array) -> Int64Array:
        """Weight words per column and bank, shape (columns, banks). Groups lie in line, column by column."""
        end = np.cumsum(kept)
        unit = GROUP_SIZE * self.weight_bits
        first_word = self.matrix.weights + (end - kept) * unit // WORD_BITS
        end_word = self.matrix.weights + -(-end * unit // WORD_BITS)
        return self.core.memory.bank_accesses_each(first_word, np.where(kept, end_word, first_word))


def _bits(packed: ByteArray) -> BoolArray:
    return np.unpackbits(packed, bitorder="little").astype(bool)
