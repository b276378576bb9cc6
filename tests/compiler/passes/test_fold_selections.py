"""Products make their outputs in the order that a permutation brings them into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from femtodriver.arrays import Int64Array
from femtodriver.compiler.fmir.ir import Fmir, Mac, Matrix, Op, Post, View
from femtodriver.compiler.passes.fold_selections import fold_selections
from tests.compiler.fmir_samples import SIZE, add, buffer, copy, machine_outputs, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare

WEIGHTS = np.random.default_rng(0).integers(-128, 128, (SIZE, SIZE))
ORDER = [*range(1, SIZE, 2), *range(0, SIZE, 2)]
MAKE = Mac(View("t0", 0, SIZE), (("m0", View("in0", 0, SIZE)),), post=Post(-9, True, "positive", 16))
SELECT = Mac(View("out0", 0, SIZE), (("m1", View("t0", 0, SIZE)),), post=Post(-6, True, "saturate", 16))


def selecting(order: Sequence[int | None], factor: int = 64, size: int = SIZE) -> Int64Array:
    """A matrix whose outputs are these elements (None: zero)."""
    weights = np.zeros((size, len(order)), np.int64)
    for output, element in enumerate(order):
        if element is not None:
            weights[element, output] = factor
    return weights


def permuted(make: Mac, select: Mac, *between: Op, weights: Int64Array | None = None) -> Fmir:
    matrices = [Matrix("m0", WEIGHTS, 8), Matrix("m1", selecting(ORDER) if weights is None else weights, 8)]
    spare = [buffer("t0"), buffer("t1"), buffer("state0"), buffer("const0", init=np.arange(SIZE))]
    ops = (make, *between, select, copy("state0", "in0"))
    return network([IN, OUT, *spare], ops, matrices).with_ops(ops)


def products(fmir: Fmir) -> int:
    return sum(isinstance(op, Mac) for op in fmir.ops)


def test_fold_selections(golden: Golden) -> None:
    after = compare(golden, "fold_selections", fold_selections, permuted(MAKE, SELECT))
    (matrix,) = after.matrices.values()
    assert matrix.weights.tolist() == WEIGHTS[:, ORDER].tolist()
    assert machine_outputs(after) == outputs(permuted(MAKE, SELECT))


def test_a_chain_of_selections_is_one_product() -> None:
    mirror = Mac(View("t1", 0, SIZE), (("m1", View("t0", 0, SIZE)),), post=Post(-6, clip="saturate", bits=16))
    select = Mac(View("out0", 0, SIZE), (("m2", View("t1", 0, SIZE)),))
    reverse, other = Matrix("m1", selecting(range(SIZE)[::-1]), 8), Matrix("m2", selecting(ORDER, 1), 4)
    buffers = [IN, OUT, buffer("t0"), buffer("t1")]
    before = network(buffers, [MAKE, mirror, select], [Matrix("m0", WEIGHTS, 8), reverse, other])
    after = fold_selections(before, SPU)
    assert products(after) == 1
    assert outputs(after) == outputs(before) == machine_outputs(after)


def test_each_selection_from_products_with_equal_matrices_has_its_own() -> None:
    short = View("in0", 0, SIZE // 2)
    makes = [replace(MAKE, dst=View(name, 0, SIZE), parts=(("m0", short),)) for name in ("t0", "t1")]
    select = replace(SELECT, dst=View("out1", 0, SIZE), parts=(("m2", View("t1", 0, SIZE)),))
    matrices = [
        Matrix("m0", WEIGHTS[: SIZE // 2] >> 5, 4),
        Matrix("m1", selecting(ORDER), 8),
        Matrix("m2", selecting(range(SIZE)[::-1]), 8),
    ]
    buffers = [IN, OUT, buffer("out1"), buffer("t0"), buffer("t1")]
    before = network(buffers, [makes[0], SELECT, makes[1], select], matrices)
    after = fold_selections(before, SPU)
    assert products(after) == len(after.matrices) == 2
    assert outputs(after) == outputs(before) == machine_outputs(after)


def test_what_is_not_selected_is_zero() -> None:
    before = permuted(MAKE, SELECT, weights=selecting([3, None, 3, *([None] * 12), 15]))
    after = fold_selections(before, SPU)
    assert products(after) == 1
    assert outputs(after) == outputs(before) == machine_outputs(after)


VIEW = View("t0", 0, SIZE)
KEPT = {
    "read by others": permuted(MAKE, SELECT, copy("t1", "t0")),
    "changed in between": permuted(MAKE, SELECT, add("t0", "t0", 1)),
    "its operand changes in between": permuted(
        replace(MAKE, parts=(("m0", View("state0", 0, SIZE)),)), SELECT, copy("state0", "in0")
    ),
    "its operand is the destination": permuted(
        replace(MAKE, parts=(("m0", View("state0", 0, SIZE)),)), replace(SELECT, dst=View("state0", 0, SIZE))
    ),
    "a sum": permuted(MAKE, SELECT, weights=selecting(ORDER) + selecting([0] * SIZE)),
    "a negative factor": permuted(MAKE, SELECT, weights=selecting(ORDER, -64)),
    "another factor": permuted(MAKE, SELECT, weights=selecting(ORDER, 32)),
    "unequal factors": permuted(MAKE, SELECT, weights=selecting(ORDER) + selecting([0, *([None] * (SIZE - 1))])),
    "a clip that acts": permuted(MAKE, replace(SELECT, post=Post(-6, clip="saturate", bits=15))),
    "a clip at zero": permuted(MAKE, replace(SELECT, post=Post(-6, clip="positive", bits=16))),
    "low bits": permuted(MAKE, replace(SELECT, post=Post(-6, clip="low", bits=16))),
    "a bias": permuted(MAKE, replace(SELECT, bias=1)),
    "a bias of the maker": permuted(replace(MAKE, bias=View("const0", 0, SIZE)), SELECT),
    "two parts": permuted(MAKE, replace(SELECT, parts=(("m1", VIEW), ("m1", View("in0", 0, SIZE))))),
    "not made by a product": permuted(replace(MAKE, dst=View("t1", 0, SIZE)), SELECT, copy("t0", "in0")),
    "a state": permuted(
        replace(MAKE, dst=View("state0", 0, SIZE)), replace(SELECT, parts=(("m1", View("state0", 0, SIZE)),))
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_other_products_stay(name: str) -> None:
    assert fold_selections(KEPT[name], SPU) is KEPT[name]


@pytest.mark.parametrize(("count", "folded"), [(SIZE, True), (20 * SIZE, False)])
def test_it_must_pay(count: int, folded: bool) -> None:
    """To repeat dense outputs 20 times takes more work and room than to select them."""
    order = [number % SIZE for number in range(count)]
    select = replace(SELECT, dst=View("out0", 0, count))
    matrices = [Matrix("m0", WEIGHTS, 8), Matrix("m1", selecting(order), 8)]
    before = network([IN, buffer("out0", count), buffer("t0")], [MAKE, select], matrices)
    assert (products(fold_selections(before, SPU)) == 1) == folded
