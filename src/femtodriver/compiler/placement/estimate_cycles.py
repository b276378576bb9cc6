"""How many cycles a placed network will take, by the machine's own rules: to choose between placements.

An estimate: half of the activations behind a ReLU are taken as zero and all others as live, banks as never in each
other's way, streams as decoded while others end, and both branches of a condition as long as the longer one. The
machine counts what really happens.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.ir import (
    Delay,
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Matrix,
    Op,
    Products,
    Send,
    Vec,
    View,
    reads,
    walk,
)
from femtodriver.compiler.fmir.weight_groups import kept_groups
from femtodriver.isa import Form, cycles
from femtodriver.isa.limits import MAX_ELEMENT_BITS, WORD_BITS
from femtodriver.part import Part

# Waking a receiving thread, taking its message and lowering the count of the thread that waits.
RECEIVE = cycles.THREAD_SWITCH + cycles.START_TRANSFER + 2 * cycles.CONTROL
_LIVE_AFTER_RELU = 0.5


def estimate_cycles(fmir: Fmir, part: Part) -> int:
    """Cycles of one frame."""
    estimator = CycleEstimator(fmir, part)
    for op in (*walk(fmir.ops), *walk(fmir.ops)):  # twice: states carry zeros from one frame to the next
        estimator.follow(op)
    for op in fmir.ops:
        estimator.add(op)
    return max(estimator.clock.values(), default=0)


class CycleEstimator:
    """Cycles of single operations, and the clocks of the cores as operations are added in order."""

    def __init__(self, fmir: Fmir, part: Part) -> None:
        self.fmir = fmir
        self.part = part
        self.clock: dict[int, int] = {}
        self.arrival: dict[str, int] = {}
        self._groups: dict[str, Int64Array] = {}  # kept ones of each column
        self._steps: dict[str, int] = {}  # of the mask
        self._live: dict[str, float] = {}  # share of live elements, where it is not all

    def add(self, op: Op) -> None:
        """Advance the clock of the operation's core."""
        awaited = [self.arrival.pop(view.buffer, 0) for entry in walk((op,)) for view in reads(entry)]
        start = max([self.clock.get(op.core, 0), *awaited])
        end = start + self.cost(op)
        self.clock[op.core] = end
        if isinstance(op, Send):
            target = self.fmir.buffers[op.dst.buffer]
            words = ceil(op.dst.length * target.bits / WORD_BITS)
            self.arrival[op.dst.buffer] = end + self.part.message_latency + RECEIVE + words
            self.clock[target.core] = self.clock.get(target.core, 0) + RECEIVE + words

    def follow(self, op: Op) -> None:
        """What is known of zeros in the result."""
        if (isinstance(op, Vec) and op.op == "vmax" and 0 in (op.a, op.b)) or (
            isinstance(op, (Vec, Mac, Interp, Products)) and op.post.clip == "positive"
        ):
            self._live[op.dst.buffer] = _LIVE_AFTER_RELU
        elif isinstance(op, Send) or (isinstance(op, Vec) and op.is_move):
            source = op.a.buffer if isinstance(op.a, View) else ""
            if source in self._live:
                self._live[op.dst.buffer] = self._live[source]

    def cost(self, op: Op) -> int:
        """Cycles of an operation with its bodies."""
        if isinstance(op, Loop):
            return op.count * (sum(self.cost(inner) for inner in op.body) + cycles.BRANCH_TAKEN + len(op.cursors))
        if isinstance(op, If):
            branches = (sum(self.cost(inner) for inner in body) for body in (op.then, op.orelse))
            return cycles.START_VECTOR + cycles.BRANCH_TAKEN + max(branches)
        if isinstance(op, Mac):
            return self._mac(op)
        if isinstance(op, Products):
            return self._products(op)
        if isinstance(op, Send):
            return cycles.transfer(ceil(op.dst.length * self.fmir.buffers[op.dst.buffer].bits / WORD_BITS))
        if isinstance(op, Delay):
            return 2 * (cycles.vector(self.part.lanes, 1, self._load(op.a, (op.a,))) - cycles.DECODE_AHEAD)
        return self._elementwise(op) - cycles.DECODE_AHEAD

    def _products(self, op: Products) -> int:
        passes = [cycles.passes(self._bits(a), self._bits(b)) for a, b in op.factors]
        loads = [self._load(op.dst, factors) for factors in (*op.factors, ())]
        return sum(
            cycles.vector(self.part.lanes, count, load) - cycles.DECODE_AHEAD
            for count, load in zip((*passes, 1), loads, strict=True)
        )

    def _elementwise(self, op: Vec | Look | Interp) -> int:
        sources = (op.a, op.b) if isinstance(op, Vec) else (op.a,)
        lanes, load = self.part.lanes, self._load(op.dst, sources)
        if isinstance(op, Vec):
            first, second = map(self._bits, sources)
            passes = cycles.passes(min(first, op.spec.first_bits), second) if op.spec.multiplies else 1
            return cycles.vector(lanes, passes, load)
        if isinstance(op, Interp):
            return cycles.interpolate(lanes, self.part.tm_banks, 2, load)
        return cycles.lookup(lanes, self.part.tm_banks, load)

    def _load(self, dst: View, sources: Iterable[View | int]) -> cycles.BankLoad:
        """Each operand that fits data memory in a pair of banks of its own; two words per cycle and pair."""
        reads = [self._bits(value) for value in sources if isinstance(value, View)]
        widths = [bits for bits in (*reads, self._bits(dst)) if bits <= MAX_ELEMENT_BITS]
        pair_row = 2 * WORD_BITS // self.part.lanes  # bits of an element whose rows are a word of each bank
        busiest = max((ceil(dst.length * bits / WORD_BITS / 2) for bits in widths), default=0)
        first, last = (
            max((ceil(bits / pair_row) for bits in kind if bits <= MAX_ELEMENT_BITS), default=1)
            for kind in (reads, [self._bits(dst)])
        )
        return cycles.BankLoad(((dst.length, busiest),), first, 2 * first, last)

    def _mac(self, op: Mac) -> int:
        total = cycles.vector(self.part.lanes, 1, self._load(op.dst, (op.bias,))) - cycles.DECODE_AHEAD
        for name, x in op.parts:
            matrix, bits = self.fmir.matrices[name], self._bits(x)
            lane_passes = cycles.passes(max(matrix.bits, cycles.LANE_BITS[0]), bits)
            end = self._lanes_end(matrix, op.repeat, bits, lane_passes * self._live.get(x.buffer, 1))
            steps = op.repeat * self._mask_steps(matrix)
            total += cycles.matrix(end, ceil(x.length * bits / WORD_BITS), steps, 0) - cycles.DECODE_AHEAD
        return total

    def _lanes_end(self, matrix: Matrix, repeat: int, bits: int, group_steps: float) -> int:
        """When the lanes have done the last group: none is taken before its activation, of ``bits``, is scanned."""
        if matrix.name not in self._groups:
            self._groups[matrix.name] = kept_groups(matrix).sum(axis=1)
        busy = np.tile(self._groups[matrix.name] * group_steps, repeat)
        to_do = np.cumsum(busy[::-1])[::-1]
        scanned = np.arange(repeat * matrix.columns) * bits // WORD_BITS
        return ceil(max((scanned + to_do)[busy > 0], default=0))

    def _mask_steps(self, matrix: Matrix) -> int:
        if matrix.name not in self._steps:
            self._steps[matrix.name] = _mask_steps(matrix)
        return self._steps[matrix.name]

    def _bits(self, value: View | int) -> int:
        return self.fmir.buffers[value.buffer].bits if isinstance(value, View) else value.bit_length() + 1


def _mask_steps(matrix: Matrix) -> int:
    kept = kept_groups(matrix).reshape(-1)
    flags = ceil(len(kept) / WORD_BITS)
    if matrix.form is Form.NESTED:
        return 1 + int(np.count_nonzero(np.packbits(kept)))
    if matrix.form is Form.HALVES:
        return max(flags, ceil(2 * int(kept.sum()) / WORD_BITS))
    return flags if matrix.form is Form.MASKED else 0
