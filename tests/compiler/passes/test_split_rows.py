"""Products that are too long for the accumulators become several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import Fmir, Loop, Mac, Matrix, Post, View
from femtodriver.compiler.fmir.verify import InvalidFmirError, verify
from femtodriver.compiler.passes.split_rows import split_rows
from tests.compiler.fmir_samples import SIZE, add, buffer, machine_outputs, network, outputs
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


def repeated(count: int, rows: int) -> Mac:
    """Products of so many vectors, with a bias."""
    x, dst = View("in0", 0, SIZE * count), View("out0", 0, rows * count)
    post = Post(-3, True, "saturate", 16)
    return Mac(dst, (("m0", x),), View("const0", 0, rows * count), 2, post, repeat=count)


def several(count: int, rows: int) -> Fmir:
    """A network of repeated products."""
    matrix = Matrix("m0", np.arange(SIZE * rows).reshape(SIZE, rows) % 15 - 7, 4)
    bias = buffer("const0", rows * count, init=np.arange(rows * count) * 5)
    return network([buffer("in0", SIZE * count), buffer("out0", rows * count), bias], [repeated(count, rows)], [matrix])


@pytest.mark.parametrize(
    ("count", "rows", "acc_rows", "pieces"),
    [
        (2, 8, 6, [(2, 16)]),
        (5, 8, 6, [(2, 16), (2, 16), (1, 8)]),
        (3, 16, 7, [(1, 16), (1, 16), (1, 16)]),  # three rows for sums, two for each product
        (2, 24, 6, [(1, 16), (1, 16), (1, 16)]),  # the second piece has the end of one and the beginning of the other
    ],
)
def test_repeated_products_stay_whole_where_they_can(
    count: int, rows: int, acc_rows: int, pieces: list[tuple[int, int]]
) -> None:
    before, part = several(count, rows), replace(SPU, acc_rows=acc_rows)
    verify(before)
    after = split_rows(before, part)
    verify(after)
    assert [(op.repeat, op.dst.length) for op in after.ops if isinstance(op, Mac)] == pieces
    assert outputs(after) == outputs(before) == machine_outputs(after, part=part)


def test_repeated_products_are_whole() -> None:
    for wrong in (replace(repeated(2, 8), repeat=3), replace(repeated(2, 12), repeat=2)):
        fmir = several(2, wrong.dst.length // 2)
        with pytest.raises(InvalidFmirError, match="must have"):
            verify(fmir.with_ops((wrong,)))
