"""Sums of many elements in all lanes at once: a matrix with a single output would use one of them.

y = w * (x[0] + x[1] + ...)    ->    t = x[0:128] + x[128:256], t = t[0:64] + t[64:128], ..., y = (w ... w) @ t[0:8]
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from femtodriver.compiler.fmir.element_widths import storage_bits
from femtodriver.compiler.fmir.ir import Buffer, Fmir, Mac, Matrix, Op, Role, Simple, Vec, View
from femtodriver.compiler.fmir.rewriting import map_simple
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.compiler.placement.estimate_cycles import CycleEstimator
from femtodriver.isa.limits import GROUP_SIZE, MAX_ELEMENT_BITS
from femtodriver.part import Part


def sum_in_lanes(fmir: Fmir, part: Part) -> Fmir:
    """Products that only add up a long vector begin with sums of its halves, where that is quicker.

    All sums are exact: their elements are wide enough for each of them.
    """
    summation = _Summation(fmir, part, dict(fmir.buffers), dict(fmir.matrices))
    ops = map_simple(fmir.ops, summation.changed)
    return replace(fmir, matrices=summation.matrices).with_ops(ops, summation.buffers)


@dataclass
class _Summation:
    """The network, and the buffers and matrices of the changed one."""

    fmir: Fmir
    part: Part
    buffers: dict[str, Buffer]
    matrices: dict[str, Matrix]

    def changed(self, op: Simple) -> tuple[Op, ...]:
        """What takes the place of an operation."""
        if not isinstance(op, Mac) or len(op.parts) != 1 or op.repeat != 1 or op.rows != 1:
            return (op,)
        ((name, x),) = op.parts
        weights = self.matrices[name].weights
        width = _first_sums(x.length)
        bits = storage_bits(self.buffers[x.buffer].bits + x.length.bit_length())
        if not width or bits > MAX_ELEMENT_BITS or (weights != weights[0]).any():
            return (op,)
        trial = _Summation(self.fmir, self.part, dict(self.buffers), dict(self.matrices))
        ops = trial._summed(op, x, width, bits)
        after = replace(self.fmir, buffers=trial.buffers, matrices=trial.matrices)
        old, new = CycleEstimator(self.fmir, self.part), CycleEstimator(after, self.part)
        if sum(map(new.cost, ops)) >= old.cost(op):
            return (op,)
        self.buffers, self.matrices = trial.buffers, trial.matrices
        return ops

    def _summed(self, op: Mac, x: View, width: int, bits: int) -> tuple[Op, ...]:
        ((name, _),) = op.parts
        ops: list[Op] = []
        low, high = x.part(0, width), x.part(width, 2 * width)
        while low.length >= GROUP_SIZE:
            sums = View(self._buffer(low.length, bits, op.core), 0, low.length)
            ops.append(Vec("vadd", sums, low, high, layer=op.layer, core=op.core))
            half = sums.length // 2
            low, high = sums.part(0, half), sums.part(half, 2 * half)
        parts = [(name, View(sums.buffer, 0, GROUP_SIZE)), (name, x.part(2 * width, x.length))]
        parts = [(self._first_columns(name, view.length), view) for name, view in parts if view.length]
        return (*ops, replace(op, parts=tuple(parts)))

    def _buffer(self, length: int, bits: int, core: int) -> str:
        name = f"lanes{len(self.buffers)}"
        self.buffers[name] = Buffer(name, length, bits, Role.TEMP, core)
        return name

    def _first_columns(self, name: str, count: int) -> str:
        whole = self.matrices[name]
        piece = f"{name}.first{count}"
        self.matrices.setdefault(piece, Matrix(piece, np.ascontiguousarray(whole.weights[:count]), whole.bits))
        return piece


def _first_sums(length: int) -> int:
    """Elements of the first sums: a power of two of whole rows; 0 if there are too few elements."""
    rows = length // (2 * GROUP_SIZE)
    return GROUP_SIZE << rows.bit_length() - 1 if rows else 0


PASS = Pass(
    "sum-in-lanes",
    sum_in_lanes,
    Switch("sum_in_lanes", "add up long vectors in all lanes instead of by a matrix with one output"),
)
