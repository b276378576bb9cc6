"""gmac_v2: a sum of several products and scaled values, floored once, split into several outputs.

    F  = number of low bits that are lost, F >= 0
    v  = 2**F * floor(sum of p_i * 2**s_i / 2**F)
    v  = Sat(v, sum(bits_out) - len(bits_out) + 1)

Every output but the last takes bits_k - 1 bits of v as a non-negative number, low bits first; the last
output is the signed rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.fixed import WORD_BITS
from femtodriver.fqir.graph import Tensor
from femtodriver.fqir.operators.constant_kinds import (
    OUTPUTS,
    Immediate,
    IntegerForEach,
    ShiftAmount,
    Width,
)
from femtodriver.fqir.operators.example import Example
from femtodriver.fqir.operators.lowering_interface import Build, Value
from femtodriver.fqir.operators.operator import EXAMPLE_SIZES, Elementwise, Ranges, Shape, Shapes, rule
from femtodriver.fqir.operators.ranges import Range, of_bits

HALF_BITS = 12  # a 24-bit operand is later split into two halves of 12 bits
WIDE_BITS, NARROW_BITS = 24, 16
SMALLEST_PART = 8
USUAL_PARTS = ((16,), (8,), (24,), (13, 12), (9, 16), (9, 8), (8, 9, 9), (7, 7, 7), (32,))


@dataclass(frozen=True)
class Term:
    """A product of the sum: two arguments, or one argument (``right`` None) times ``immediate``; 2**shift."""

    left: int
    right: int | None
    immediate: int
    shift: int

    def product(self, values: Sequence[Int64Array]) -> Int64Array:
        """The unshifted product."""
        if self.right is not None:
            return values[self.left] * values[self.right]
        return values[self.left] * self.immediate

    def lowered(self, build: Build, values: Sequence[Value]) -> tuple[Value, int]:
        """The product as a value and a left shift: factors that are powers of two cost no multiplication."""
        left = values[self.left]
        if self.right is not None:
            return build.vec("vmul", left, values[self.right]), 0
        if self.immediate > 0 and self.immediate & (self.immediate - 1) == 0:
            return left, self.immediate.bit_length() - 1
        return build.vec("vmul", left, self.immediate), 0


def fits(value: int, bits: int) -> bool:
    """Whether ``value`` is a signed number of ``bits`` bits."""
    low, high = fixed.limits(bits)
    return low <= value <= high


def declared_wide(tensor: Tensor) -> bool:
    """Whether the declared type makes the arithmetic of gmac_v2 treat an operand as 24 bits wide."""
    return "int24" in tensor.dtype


class GmacV2(Elementwise):
    """Sum of products x_vv_i * y_vv_i and x_vi_i * immediate_i, each shifted; one floor; split into parts."""

    name = "gmac_v2"
    producer_class = "GMACv2"
    inputs = ("x_vv_#", "y_vv_#", "x_vi_#")
    outputs = None
    examples = tuple(
        Example(
            f"{size} elements, a product, a scaled value, two parts",
            dict.fromkeys(("x_vv_0", "y_vv_0", "x_vi_0"), (size,)),
            {"shamts_vv": (-8,), "shamts_vi": (-2,), "immediates_vi": (5,), "bits_out": (13, 12)},
            outputs=2,
        )
        for size in EXAMPLE_SIZES
    )
    shamts_vv = IntegerForEach("x_vv_#", ShiftAmount(usual=(-16, 4)))
    shamts_vi = IntegerForEach("x_vi_#", ShiftAmount(usual=(-12, 6)))
    immediates_vi = IntegerForEach("x_vi_#", Immediate())
    bits_out = IntegerForEach(OUTPUTS, Width(low=2), least=1, usual=USUAL_PARTS)

    @rule
    def pairs_match(self, shapes: Shapes) -> str | None:
        """inputs x_vv and y_vv and the list shamts_vv must be equal in number"""
        counts = self.members("x_vv_"), self.members("y_vv_"), len(self.shamts_vv)
        return None if len(set(counts)) == 1 else f"{counts[0]}, {counts[1]} and {counts[2]}"

    @rule
    def singles_match(self, shapes: Shapes) -> str | None:
        """inputs x_vi and the lists shamts_vi and immediates_vi must be equal in number"""
        counts = self.members("x_vi_"), len(self.shamts_vi), len(self.immediates_vi)
        return None if len(set(counts)) == 1 else f"{counts[0]}, {counts[1]} and {counts[2]}"

    @rule
    def has_terms(self, shapes: Shapes) -> str | None:
        """a sum must have at least one term"""
        return None if self.arguments else "none"

    @rule
    def known_types(self, shapes: Shapes) -> str | None:
        """inputs must have a declared type, since it decides how many bits are lost"""
        unknown = [argument for argument in self.arguments if not self.node.inputs[argument].dtype]
        return f"{unknown[0]} without one" if unknown else None

    @rule
    def one_part_each(self, shapes: Shapes) -> str | None:
        """bits_out must have one entry for each output"""
        parts, outputs = len(self.bits_out), len(self.node.outputs)
        return None if parts == outputs else f"{parts} for {outputs}"

    def shapes(self, shapes: Shapes) -> tuple[Shape, ...]:
        return super().shapes(shapes) * len(self.bits_out)

    def ranges(self, ranges: Ranges) -> tuple[Range, ...]:
        low_parts = [(0, (1 << (bits - 1)) - 1) for bits in self.bits_out[:-1]]
        return (*low_parts, of_bits(self.bits_out[-1]))

    def work(self, shapes: Shapes, results: Sequence[Shape]) -> int:
        return super().work(shapes, results) + len(self.arguments) * super().work(shapes, results[:1])

    @property
    def lost_bits(self) -> int:
        """F: how many low bits of the sum are lost, because of its shifts or of how wide operands are split later."""
        return max(0, *self.shamts_vv, *self.shamts_vi, *self._pair_losses(), *self._single_losses())

    def _pair_losses(self) -> Iterator[int]:
        for index, shift in enumerate(self.shamts_vv):
            operands = (self.node.inputs[f"x_vv_{index}"], self.node.inputs[f"y_vv_{index}"])
            yield shift + HALF_BITS * sum(declared_wide(operand) for operand in operands)

    def _single_losses(self) -> Iterator[int]:
        for index, (immediate, shift) in enumerate(zip(self.immediates_vi, self.shamts_vi, strict=True)):
            yield immediate_loss(immediate, shift)
            if declared_wide(self.node.inputs[f"x_vi_{index}"]):
                high = shift + HALF_BITS
                if high > 0 and fits(immediate << high, WIDE_BITS):
                    yield immediate_loss(immediate << high, 0)
                else:
                    yield immediate_loss(immediate, high)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """All terms by ascending shift; ``left`` and ``right`` index ``arguments``."""
        at = {argument: index for index, argument in enumerate(self.arguments)}
        found = [Term(at[f"x_vv_{i}"], at[f"y_vv_{i}"], 1, shift) for i, shift in enumerate(self.shamts_vv)]
        singles = enumerate(zip(self.immediates_vi, self.shamts_vi, strict=True))
        found += [Term(at[f"x_vi_{i}"], None, immediate, shift) for i, (immediate, shift) in singles]
        return tuple(sorted(found, key=lambda term: term.shift))

    @cached_property
    def steps(self) -> tuple[tuple[Term, int], ...]:
        """Each term with the shift of the sum so far before the next term: nested floors make the one floor."""
        lost = self.lost_bits
        after = [term.shift for term in self.terms[1:]] + [lost]
        return tuple((term, term.shift - following) for term, following in zip(self.terms, after, strict=True))

    @cached_property
    def _left_shift(self) -> int:
        return self.lost_bits

    def evaluate(self, *values: Int64Array) -> tuple[Int64Array, ...]:
        head, shift = self.steps[0]
        total = fixed.shift(head.product(values), shift)
        for term, shift in self.steps[1:]:
            total = fixed.shift(total + term.product(values), shift)
        return self.split(fixed.shift(total, self._left_shift))

    def lower(self, build: Build) -> None:
        """The same steps as ``evaluate``, a few elements at a time: sums are wider than memory elements."""
        values = self.taken(build)
        sizes = [build.size(value) for value in values]
        size = max(sizes) if all(sizes) else 0
        pieces: list[list[Value]] = []
        for first in range(0, size, build.wide_elements):
            end = min(first + build.wide_elements, size)
            cut = [v if build.size(v) == 1 else build.part(v, first, end) for v in values]
            pieces.append(self._lower_parts(build, self._lower_sum(build, cut)))
        self.give(build, *(build.cat([parts[k] for parts in pieces]) for k in range(len(self.bits_out))))

    def _lower_sum(self, build: Build, values: list[Value]) -> Value:
        """The saturated sum."""
        (head, waiting), *others = self.steps
        total, power = head.lowered(build, values)
        waiting += power
        bits, lost = min(self.total_bits, WORD_BITS), self.lost_bits
        for index, (term, shift) in enumerate(others):
            factor, power = term.lowered(build, values)
            last = index == len(others) - 1 and not lost
            total = build.vec(
                "vadd", total, factor, shift_a=waiting, shift_b=power, shift=shift, saturate=bits if last else None
            )
            waiting = 0
        if others and not lost:
            return total
        return build.vec("vpass", total, shift_a=waiting, shift=lost, saturate=bits)

    def _lower_parts(self, build: Build, rest: Value) -> list[Value]:
        parts, bits = [], min(self.total_bits, WORD_BITS)
        for part_bits in self.bits_out[:-1]:
            parts.append(build.vec("vpass", rest, low=part_bits - 1))
            bits = max(bits - part_bits + 1, 1)
            rest = build.vec("vpass", rest, shift=1 - part_bits, saturate=bits)
        return [*parts, rest]

    @property
    def total_bits(self) -> int:
        """Width of the whole sum: every part but the last is a non-negative number of one bit less."""
        return sum(self.bits_out) - len(self.bits_out) + 1

    def split(self, total: Int64Array) -> tuple[Int64Array, ...]:
        """Saturate the sum and cut it into its parts, low bits first."""
        rest = fixed.saturate(total, min(self.total_bits, WORD_BITS))
        parts = []
        for part_bits in self.bits_out[:-1]:
            parts.append(fixed.low_bits(rest, part_bits - 1))
            rest = fixed.shift(rest, 1 - part_bits)
        return (*parts, rest)


def immediate_loss(immediate: int, shift: int) -> int:
    """Bits lost by a scaled value: more than its shift if the immediate needs two parts of 16 bits."""
    if fits(immediate, NARROW_BITS):
        return shift
    return shift + max(SMALLEST_PART, min(-shift, HALF_BITS))
