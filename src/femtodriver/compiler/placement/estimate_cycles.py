"""How many cycles a placed network will take, by the machine's own rules: to choose between placements.

An estimate: half of the activations behind a ReLU are taken as zero and all others as live, banks as never in each
other's way, streams as decoded while others end, and both branches of a condition as long as the longer one. The
machine counts what really happens.
"""

from __future__ import annotations

from math import ceil

from femtodriver.compiler.fmir.ir import (
    Delay,
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Op,
    Products,
    Send,
    Vec,
    View,
    reads,
    walk,
)
from femtodriver.isa import cycles
from femtodriver.isa.limits import WORD_BITS
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
        self._groups: dict[str, int] = {}
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
            return 2 * (cycles.vector(op.a.length, self.part.lanes, 1, 0) - cycles.DECODE_AHEAD)
        return self._elementwise(op) - cycles.DECODE_AHEAD

    def _products(self, op: Products) -> int:
        length, lanes = op.dst.length, self.part.lanes
        passes = [cycles.passes(self._bits(a), self._bits(b)) for a, b in op.factors]
        return sum(cycles.vector(length, lanes, count, 0) - cycles.DECODE_AHEAD for count in (*passes, 1))

    def _elementwise(self, op: Vec | Look | Interp) -> int:
        length, lanes = op.dst.length, self.part.lanes
        if isinstance(op, Vec):
            widths = [self._bits(value) for value in (op.a, op.b)]
            lane_passes = cycles.passes(widths[0], widths[1]) if op.spec.multiplies else 1
            return cycles.vector(length, lanes, lane_passes, 0)
        reads_each = 2 if isinstance(op, Interp) else 1
        return cycles.interpolate(length, lanes, ceil(reads_each * length / self.part.tm_banks), 0)

    def _mac(self, op: Mac) -> int:
        total = cycles.vector(op.dst.length, self.part.lanes, 1, 0) - cycles.DECODE_AHEAD
        for name, x in op.parts:
            matrix = self.fmir.matrices[name]
            if name not in self._groups:
                self._groups[name] = matrix.groups
            bits = self._bits(x)
            lane_passes = cycles.passes(max(matrix.bits, cycles.LANE_BITS[0]), bits)
            groups = op.repeat * ceil(self._groups[name] * self._live.get(x.buffer, 1))
            total += cycles.matrix(groups * lane_passes, ceil(x.length * bits / WORD_BITS), 0, 0) - cycles.DECODE_AHEAD
        return total

    def _bits(self, value: View | int) -> int:
        return self.fmir.buffers[value.buffer].bits if isinstance(value, View) else value.bit_length() + 1
