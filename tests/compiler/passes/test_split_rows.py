"""Products that are too long for the accumulators become several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from femtodriver.compiler.fmir.ir import Loop, Mac, Matrix, Post, View
from femtodriver.compiler.passes.split_rows import split_rows
from tests.compiler.fmir_samples import SIZE, buffer, network
from tests.compiler.pass_bench import IN, SPU, Golden, compare


def test_split_rows(golden: Golden) -> None:
    numbers = np.random.default_rng(0)
    matrix = Matrix("m0", numbers.integers(-128, 128, (SIZE, 20)), 8)
    bias = buffer("const0", 20, init=np.arange(20))
    mac = Mac(View("out0", 0, 20), (("m0", View("in0", 0, SIZE)),), View("const0", 0, 20), 3, Post(-6, clip="saturate"))
    before = network([IN, buffer("out0", 20, 32), bias], [Loop(2, (mac,))], [matrix])
    after = compare(golden, "split_rows", split_rows, before, replace(SPU, acc_rows=2))
    assert [m.rows for m in after.matrices.values()] == [8, 8, 4]
