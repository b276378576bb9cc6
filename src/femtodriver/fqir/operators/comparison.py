"""Comparisons, maxima and logic: results 0 or 1, except for the maximum and minimum."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.operators.constant_kinds import Ignored, Immediate
from femtodriver.fqir.operators.lowering_interface import Build
from femtodriver.fqir.operators.operator import Elementwise, Ranges
from femtodriver.fqir.operators.ranges import BOOLEAN, Range


class TruthValue(Elementwise):
    """Shared by operators whose results are 0 or 1."""

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        return (BOOLEAN,)


class Gt0(TruthValue):
    """1 where x > 0, else 0. The width ``bw`` is ignored."""

    name = "gt0"
    inputs = ("x",)
    bw = Ignored()

    def evaluate(self, x: Int64Array) -> Int64Array:
        return (x > 0).astype(np.int64)

    def lower(self, build: Build) -> None:
        (x,) = self.taken(build)
        self.give(build, build.vec("vgt", x, 0))


class Vvmax(Elementwise):
    """The larger of the raw integers."""

    name = "vvmax"
    inputs = ("x", "y")

    def evaluate(self, x: Int64Array, y: Int64Array) -> Int64Array:
        return np.maximum(x, y)

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        (x_low, x_high), (y_low, y_high) = ranges["x"], ranges["y"]
        return ((max(x_low, y_low), max(x_high, y_high)),)

    def lower(self, build: Build) -> None:
        x, y = self.taken(build)
        self.give(build, build.vec("vmax", x, y))


class Vvmin(Elementwise):
    """The smaller of the raw integers."""

    name = "vvmin"
    inputs = ("x", "y")

    def evaluate(self, x: Int64Array, y: Int64Array) -> Int64Array:
        return np.minimum(x, y)

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        (x_low, x_high), (y_low, y_high) = ranges["x"], ranges["y"]
        return ((min(x_low, y_low), min(x_high, y_high)),)

    def lower(self, build: Build) -> None:
        x, y = self.taken(build)
        self.give(build, build.vec("vmin", x, y))


class PairTest(TruthValue):
    """Shared by operators that test two operands: comparisons of raw integers, and logic against zero."""

    inputs = ("x", "y")
    test: ClassVar[np.ufunc]
    vector: ClassVar[str]
    swapped: ClassVar[bool] = False

    def evaluate(self, x: Int64Array, y: Int64Array) -> Int64Array:
        return np.asarray(self.test(x, y), dtype=np.int64)

    def lower(self, build: Build) -> None:
        x, y = self.taken(build)
        self.give(build, build.vec(self.vector, y, x) if self.swapped else build.vec(self.vector, x, y))


class ImmediateTest(TruthValue):
    """Shared by operators that test one operand against an immediate."""

    inputs = ("x",)
    test: ClassVar[np.ufunc]
    vector: ClassVar[str]
    swapped: ClassVar[bool] = False
    imm = Immediate()

    def evaluate(self, x: Int64Array) -> Int64Array:
        return np.asarray(self.test(x, self.imm), dtype=np.int64)

    def lower(self, build: Build) -> None:
        (x,) = self.taken(build)
        self.give(build, build.vec(self.vector, self.imm, x) if self.swapped else build.vec(self.vector, x, self.imm))


class Vvgt(PairTest):
    """x > y."""

    name = "vvgt"
    test = np.greater
    vector = "vgt"


class Vvge(PairTest):
    """x >= y."""

    name = "vvge"
    test = np.greater_equal
    vector = "vge"


class Vvlt(PairTest):
    """x < y."""

    name = "vvlt"
    test = np.less
    vector = "vgt"
    swapped = True


class Vvle(PairTest):
    """x <= y."""

    name = "vvle"
    test = np.less_equal
    vector = "vge"
    swapped = True


class Vveq(PairTest):
    """x == y."""

    name = "vveq"
    test = np.equal
    vector = "veq"


class Vvand(PairTest):
    """Logical and: both operands differ from zero."""

    name = "vvand"
    test = np.logical_and
    vector = "vand"


class Vvor(PairTest):
    """Logical or: an operand differs from zero."""

    name = "vvor"
    test = np.logical_or
    vector = "vor"


class Vvxor(PairTest):
    """Logical exclusive or: exactly one operand differs from zero."""

    name = "vvxor"
    test = np.logical_xor
    vector = "vxor"


class Vigt(ImmediateTest):
    """x > imm."""

    name = "vigt"
    test = np.greater
    vector = "vgt"


class Vige(ImmediateTest):
    """x >= imm."""

    name = "vige"
    test = np.greater_equal
    vector = "vge"


class Vilt(ImmediateTest):
    """x < imm."""

    name = "vilt"
    test = np.less
    vector = "vgt"
    swapped = True


class Vile(ImmediateTest):
    """x <= imm."""

    name = "vile"
    test = np.less_equal
    vector = "vge"
    swapped = True


class Vieq(ImmediateTest):
    """x == imm."""

    name = "vieq"
    test = np.equal
    vector = "veq"


class Viand(ImmediateTest):
    """Logical and of x and the immediate."""

    name = "viand"
    test = np.logical_and
    vector = "vand"


class Vior(ImmediateTest):
    """Logical or of x and the immediate."""

    name = "vior"
    test = np.logical_or
    vector = "vor"


class Vixor(ImmediateTest):
    """Logical exclusive or of x and the immediate."""

    name = "vixor"
    test = np.logical_xor
    vector = "vxor"
