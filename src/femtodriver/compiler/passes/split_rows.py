"""Splits matrix products with more outputs than the accumulators can sum up at a time."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.accumulator_rows import most_outputs
from femtodriver.compiler.fmir.ir import Fmir, Mac, Op, Simple
from femtodriver.compiler.fmir.rewriting import map_simple, product_rows
from femtodriver.compiler.passes.compiler_pass import Pass
from femtodriver.part import Part


def split_rows(fmir: Fmir, part: Part) -> Fmir:
    """Every matrix product fits the accumulators."""
    most = most_outputs(part)
    matrices = dict(fmir.matrices)

    def split(op: Simple) -> tuple[Op, ...]:
        if not isinstance(op, Mac) or op.dst.length <= most:
            return (op,)
        starts = range(0, op.dst.length, most)
        return tuple(product_rows(op, first, min(first + most, op.dst.length), matrices) for first in starts)

    ops = map_simple(fmir.ops, split)
    return replace(fmir, matrices=matrices).with_ops(ops)


PASS = Pass("split-rows", split_rows)
