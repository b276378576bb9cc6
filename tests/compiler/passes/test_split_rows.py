"""Products that are too long for the accumulators become several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import Loop, Mac, Matrix, Post, View
from femtodriver.compiler.passes.split_rows import split_rows
from tests.compiler.fmir_samples import SIZE, add, buffer, network
from tests.compiler.pass_bench import IN, SPU, Golden, compare


def test_split_rows(golden: Golden) -> None:
    numbers = np.random.default_rng(0)
    matrix = Matrix("m0", numbers.integers(-128, 128, (SIZE, 20)), 8)
    bias = buffer("const0", 20, init=np.arange(20))
    mac = Mac(View("out0", 0, 20), (("m0", View("in0", 0, SIZE)),), View("const0", 0, 20), 3, Post(-6, clip="saturate"))
    before = network([IN, buffer("out0", 20, 32), bias], [Loop(2, (mac,))], [matrix])
    after = compare(golden, "split_rows", split_rows, before, replace(SPU, acc_rows=2))
    assert [m.rows for m in after.matrices.values()] == [8, 8, 4]


@pytest.mark.parametrize(("outputs", "pieces"), [(8, [8]), (9, [8, 1]), (16, [8, 8])])
def test_only_what_is_too_long_is_split(outputs: int, pieces: list[int]) -> None:
    matrix = Matrix("m0", np.ones((SIZE, outputs), np.int64), 8)
    mac = Mac(View("out0", 0, outputs), (("m0", View("in0", 0, SIZE)),), post=Post(clip="saturate", bits=16))
    other = add("t0", "in0", 1)
    before = network([IN, buffer("out0", outputs), buffer("t0")], [other, mac], [matrix])
    after = split_rows(before, replace(SPU, acc_rows=2))
    assert after.ops[0] == other
    assert [op.dst.length for op in after.ops if isinstance(op, Mac)] == pieces
    if len(pieces) == 1:
        assert after.ops == before.ops
