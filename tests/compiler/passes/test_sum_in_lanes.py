"""Sums of long vectors are made in all lanes, and everything else stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import Cursor, Fmir, Loop, Mac, Matrix, Op, Post, Vec, View
from femtodriver.compiler.passes.sum_in_lanes import sum_in_lanes
from tests.compiler.fmir_samples import buffer, machine_outputs, network, outputs
from tests.compiler.pass_bench import SPU, Golden, compare

POST = Post(-7, True, "saturate", 16)


def total(length: int, weight: int = 1, bits: int = 16, rows: int = 1, bias: View | int = 0) -> Fmir:
    """The sum of an input, times a weight."""
    matrix = Matrix("m0", np.full((length, rows), weight), 8)
    mac = Mac(View("out0", 0, rows), (("m0", View("in0", 0, length)),), bias, 3, POST)
    const = buffer("const0", rows, init=np.arange(rows) - 5000)
    buffers = [buffer("in0", length, bits), buffer("out0", rows), const]
    return network(buffers, [mac], [matrix]).with_ops((mac,))


def added(fmir: Fmir) -> list[int]:
    """Lengths of the sums of halves."""
    return [op.dst.length for op in fmir.ops if isinstance(op, Vec) and op.op == "vadd"]


def test_sum_in_lanes(golden: Golden) -> None:
    after = compare(golden, "sum_in_lanes", sum_in_lanes, total(130, 3, bias=View("const0", 0, 1)))
    assert machine_outputs(after) == outputs(total(130, 3, bias=View("const0", 0, 1)))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("weight", [1, -128, 127])
@pytest.mark.parametrize(("length", "first"), [(64, 32), (127, 32), (128, 64), (143, 64), (257, 128), (4000, 1024)])
def test_sums_are_exact(length: int, first: int, weight: int, bits: int) -> None:
    before = total(length, weight, bits, bias=7)
    after = sum_in_lanes(before, SPU)
    assert added(after)[0] == first
    assert added(after)[-1] == 8
    assert outputs(after) == outputs(before) == machine_outputs(after)


def test_the_largest_sum_fits() -> None:
    """All elements at a limit: the sums need all the bits that they are given."""
    before = total(4096, 1)
    lowest = Vec("vpass", View("t0", 0, 4096), -32768)
    (mac,) = before.ops
    assert isinstance(mac, Mac)
    ops = (lowest, Mac(mac.dst, (("m0", View("t0", 0, 4096)),), post=Post(-12)))
    buffers = {**before.buffers, "t0": buffer("t0", 4096)}
    before = before.with_ops(ops, buffers)
    after = sum_in_lanes(before, SPU)
    assert added(after)
    assert machine_outputs(after) == outputs(before)
    assert outputs(before)[0]["out0"] == [-32768]


KEPT = {
    "few elements": total(15),
    "not worth it": total(24),
    "two outputs": total(256, rows=2),
    "wide elements": total(256, bits=32),
}


@pytest.mark.parametrize("name", KEPT)
def test_other_products_stay(name: str) -> None:
    assert sum_in_lanes(KEPT[name], SPU).ops == KEPT[name].ops


def test_unequal_weights_stay() -> None:
    before = total(256)
    weights = np.ones((256, 1), np.int64)
    weights[200] = 2
    unequal = network(before.buffers.values(), before.ops, [Matrix("m0", weights, 8)])
    assert sum_in_lanes(unequal, SPU).ops == unequal.ops


def test_sums_in_a_loop() -> None:
    """Of another part of the vector in each iteration; the matrices are stored once."""
    mac: Op = Mac(View("out0", 0, 1, 1, "c1"), (("m0", View("in0", 0, 64, 1, "c0")),), post=POST)
    loop = Loop(3, (mac,), (Cursor("c0", 64), Cursor("c1", 1)))
    again = Mac(View("t0", 0, 1), (("m0", View("in0", 64, 64)),), post=POST)
    last = Vec("vadd", View("out0", 0, 1), View("out0", 0, 1), View("t0", 0, 1), post=Post(clip="saturate", bits=16))
    buffers = [buffer("in0", 192), buffer("out0", 3), buffer("t0", 1)]
    before = network(buffers, [loop, again, last], [Matrix("m0", np.ones((64, 1), np.int64), 4)])
    after = sum_in_lanes(before, SPU)
    assert list(after.matrices) == ["m0.first8"]
    assert outputs(after) == outputs(before) == machine_outputs(after)
