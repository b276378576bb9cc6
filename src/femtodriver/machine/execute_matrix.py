"""Executes matrix-vector products: weights are decoded once from memory, costs go by live activations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from femtodriver.arrays import BoolArray, Float64Array, Int64Array
from femtodriver.isa import cycles
from femtodriver.isa.limits import GROUP_SIZE, WORD_BITS
from femtodriver.machine.core import Core
from femtodriver.machine.data_layout import WORD_BYTES
from femtodriver.machine.executor import InstructionExecutor
from femtodriver.machine.matrix_pipeline import MatrixPipeline
from femtodriver.machine.memory import ELEMENT_TYPES
from femtodriver.machine.operand_streams import OperandStream
from femtodriver.machine.rows import MatrixRow
from femtodriver.machine.run_budget import DECODING_ELEMENTS
from femtodriver.machine.weight_mask import most_mask_words, read_mask

_EXACT = 1 << 53


@dataclass(frozen=True)
class DecodedWeights:
    """Weights as the lanes see them, and what one live activation of each column costs.

    ``values`` (columns, rows); ``exact``: whether float64 holds every sum of their products with activations.
    ``cost`` (columns, 3 + banks): groups, units, multiplications, weight words per bank; ``total`` its sums over the
    columns, of all repetitions.
    ``mask_banks`` (banks): words of the mask, which are all read, in ``mask_steps``; both of all repetitions, too.
    ``pipeline``: when it is done. ``bytes``: first and end byte of the stored weights, and of the mask.
    """

    values: Int64Array
    exact: bool
    cost: Int64Array
    total: tuple[int, ...]
    mask_banks: Int64Array
    mask_steps: int
    pipeline: MatrixPipeline
    bytes: tuple[tuple[int, int], ...]

    @cached_property
    def factors(self) -> Float64Array | Int64Array:
        """``values`` for NumPy, which multiplies matrices of float64 much faster."""
        return self.values.astype(np.float64) if self.exact else self.values

    @cached_property
    def cost_factors(self) -> Float64Array:
        """``cost`` in float64, which holds all its sums."""
        return self.cost.astype(np.float64)


class MatrixExecutor(InstructionExecutor):
    """Executes a ``MatrixRow``."""

    def __init__(self, core: Core, row: MatrixRow) -> None:
        super().__init__(row, core.memory.layout)
        self.row, self.memory = row, core.memory
        self.x = OperandStream(core, row.x)
        self.read_x = self.x.reader()
        sums = core.acc[row.first : row.first + row.repeat * row.groups * GROUP_SIZE].reshape(row.repeat, -1)
        self.acc = sums[:, : row.rows]
        # The lanes of the last row of each product that no output has.
        self.rest = sums[:, row.rows :]
        self.weights: DecodedWeights | None = None
        self._watch()

    def run(self, core: Core) -> int:
        self.executions += 1
        row = self.row
        self.elements = row.elements
        weights = self.weights or self.decode()
        x = self.read_x().reshape(row.repeat, row.columns)
        live = x != 0
        count = int(np.count_nonzero(live))
        product = (x.astype(weights.factors.dtype) @ weights.factors).astype(np.int64)
        if row.fresh:
            self.acc[...] = product
            self.rest[...] = 0
        else:
            self.acc += product
        address = core.address(row.x)
        if count == row.x.length:
            cost, end = weights.total, weights.pipeline.end(None, address)
        else:
            cost = tuple(int(value) for value in live.sum(axis=0).astype(np.float64) @ weights.cost_factors)
            end = weights.pipeline.end(live.reshape(-1), address)
        return self._count(count, end, cost, weights, self._first_reads(address))

    def _first_reads(self, address: int) -> int:
        """Reads of one bank before anything can be found: the first words of activations and mask, which may meet."""
        layout, row = self.memory.layout, self.row
        return 1 + (row.masked and layout.bank(address // WORD_BYTES) == layout.bank(row.mask))

    def _count(
        self, live: int, lanes_end: int, cost: tuple[int, ...], weights: DecodedWeights, first_reads: int
    ) -> int:
        row = self.row
        groups, units, products = cost[:3]
        read = np.array(cost[3:], np.int64) + weights.mask_banks
        self.extra_bank_reads = self.extra_bank_reads + read
        scan_words, scan_banks = row.scan_words, self.bank_reads
        if row.x.moving:
            scan_banks = self.x.banks()
            scan_words = int(np.sum(scan_banks))
            self.extra_bank_reads = self.extra_bank_reads + scan_banks
            self.add("dm_read", scan_words)
        taken = cycles.matrix(lanes_end, scan_words, weights.mask_steps, int(np.max(read + scan_banks)), first_reads)
        for event, value in (
            ("cycles", taken),
            ("dm_read", int(read.sum())),
            ("activation_live", live),
            ("matrix_stored", weights.total[2]),
            ("matrix_executed", products),
            (row.product_event, products * row.products),
            ("acc_read", groups * GROUP_SIZE),
            ("acc_write", groups * GROUP_SIZE),
            ("index_group", units if row.masked else 0),
        ):
            self.add(event, value)
        return taken

    def _watch(self) -> None:
        """Ask memory to report when weights or mask are overwritten."""
        for first, end in self.watched_words():
            self.memory.watch(first, end, self._forget)

    def watched_words(self) -> Iterator[tuple[int, int]]:
        """First and end word address of the weights and of the mask, at their longest."""
        row = self.row
        units = row.columns * row.groups * (GROUP_SIZE // row.form.unit)
        yield row.weights, row.weights + self._weight_words(units)
        if row.masked:
            yield row.mask, row.mask + most_mask_words(row)

    def _forget(self, first_byte: int, end_byte: int) -> bool:
        """Forget the weights if a store has touched those that are kept, or their mask; whether it matters."""
        if self.weights and not any(first_byte < end and first < end_byte for first, end in self.weights.bytes):
            return False
        self.weights = None
        return True

    def _weight_words(self, units: int) -> int:
        return -(-units * self.row.form.unit * self.row.weight_bits // WORD_BITS)

    def decode(self) -> DecodedWeights:
        """The weights as they are in memory now; MachineFault if they do not lie in it."""
        columns, unit, rows, repeat = self.row.columns, self.row.form.unit, self.row.rows, self.row.repeat
        self.elements += DECODING_ELEMENTS * columns * self.row.groups
        mask = read_mask(self.row, self.memory)
        stored = mask.units.sum(axis=1)
        units = int(stored.sum())
        dense = np.zeros((mask.units.size, unit), np.int64)
        dense[mask.units.reshape(-1)] = self._stored(units)
        dense = dense.reshape(columns, -1)[:, :rows]
        groups = stored if mask.groups is mask.units else mask.groups.sum(axis=1)
        counts = np.stack([groups, stored, unit * stored - self._without_outputs(mask.units)], axis=1)
        cost = np.concatenate([counts, self._column_banks(stored)], axis=1)
        exact = columns << (self.row.weight_bits - 1) << (self.row.x.bits - 1) < _EXACT
        values = np.ascontiguousarray(dense)
        pipeline = MatrixPipeline.of(mask.groups, mask.steps, self.row.lane_passes, self.row.x.bits // 8, repeat)
        total = tuple((repeat * cost.sum(axis=0)).tolist())
        steps = repeat * mask.steps.count
        places = ((self.row.weights, self._weight_words(units)), (self.row.mask, mask.words))
        kept = tuple((WORD_BYTES * first, WORD_BYTES * (first + words)) for first, words in places)
        self.weights = DecodedWeights(values, exact, cost, total, repeat * mask.banks, steps, pipeline, kept)
        return self.weights

    def _without_outputs(self, units: BoolArray) -> Int64Array:
        """Stored weights per column, shape (columns,), behind the last output: they fill up the last group."""
        unit, behind = self.row.form.unit, units.shape[1] * self.row.form.unit - self.row.rows
        if not behind:
            return np.zeros(len(units), np.int64)
        first = units.shape[1] - -(-behind // unit)
        lacking = np.minimum(unit, unit * np.arange(first + 1, units.shape[1] + 1) - self.row.rows)
        found: Int64Array = units[:, first:] @ lacking
        return found

    def _stored(self, units: int) -> Int64Array:
        """The stored weights, shape (units, weights of a unit)."""
        unit = self.row.form.unit
        where = self.memory.layout.word_range(WORD_BYTES * self.row.weights, self._weight_words(units))
        words = self.memory.words[where]
        if self.row.weight_bits == 4:
            pairs = words.view(np.uint8)
            nibbles = np.stack([pairs & 15, pairs >> 4], axis=1).reshape(-1).astype(np.int64)
            values = np.where(nibbles > 7, nibbles - 16, nibbles)
        else:
            values = words.view(ELEMENT_TYPES[self.row.weight_bits]).astype(np.int64)
        return values[: units * unit].reshape(units, unit)

    def _column_banks(self, kept: Int64Array) -> Int64Array:
        """Weight words per column and bank, shape (columns, banks). Units lie in line, column by column."""
        end = np.cumsum(kept)
        unit = self.row.form.unit * self.row.weight_bits
        first_word = self.row.weights + (end - kept) * unit // WORD_BITS
        end_word = self.row.weights + -(-end * unit // WORD_BITS)
        return self.memory.layout.accesses_each(first_word, np.where(kept, end_word, first_word))
