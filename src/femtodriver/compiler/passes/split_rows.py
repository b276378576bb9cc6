"""Splits products with more outputs than the accumulators can sum up at a time."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.accumulator_rows import most_outputs
from femtodriver.compiler.fmir.ir import Fmir, Mac, Op, Products, Simple
from femtodriver.compiler.fmir.rewriting import elements, map_simple, product_rows
from femtodriver.compiler.passes.compiler_pass import Pass
from femtodriver.part import Part


def split_rows(fmir: Fmir, part: Part) -> Fmir:
    """Every matrix product, and every sum of products, fits the accumulators."""
    most = most_outputs(part)
    matrices = dict(fmir.matrices)

    def split(op: Simple) -> tuple[Op, ...]:
        if not isinstance(op, (Mac, Products)) or op.dst.length <= most:
            return (op,)
        # Products that are repeated stay whole where they can.
        step = most // op.rows * op.rows if isinstance(op, Mac) and op.repeat > 1 and op.rows <= most else most
        pieces = [(first, min(first + step, op.dst.length)) for first in range(0, op.dst.length, step)]
        if isinstance(op, Products):
            return tuple(elements(op, first, end) for first, end in pieces)
        return tuple(product_rows(op, first, end, matrices) for first, end in pieces)

    ops = map_simple(fmir.ops, split)
    return replace(fmir, matrices=matrices).with_ops(ops)


PASS = Pass("split-rows", split_rows)
