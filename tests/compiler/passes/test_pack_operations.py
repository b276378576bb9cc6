"""Equal small operations become one, in an order that keeps every value right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from femtodriver.compiler.fmir.ir import Vec, View
from femtodriver.compiler.passes import pack_operations as packing
from femtodriver.compiler.passes.pack_operations import pack_operations
from tests.compiler.fmir_samples import SATURATE, add, buffer, network
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare


@pytest.fixture(scope="module", autouse=True)
def packing_always_pays() -> Iterator[None]:
    """Small networks save little by packing; here they are packed all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "LEAST_SAVING", 0.0)
        yield


def test_pack(golden: Golden) -> None:
    """The two halves of a butterfly: four sums become two, on vectors that lie side by side."""
    first, second = View("in0", 0, 8), View("in0", 8, 8)
    sums = [Vec("vadd", View(f"t{k}", 0, 8), first, second, post=SATURATE) for k in range(2)]
    more = [Vec("vadd", View(f"t{k + 2}", 0, 8), View(f"t{k}", 0, 8), 7, post=SATURATE) for k in range(2)]
    last = [Vec("vmax", View(f"t{k + 4}", 0, 8), View(f"t{k + 2}", 0, 8), 0) for k in range(2)]
    ends = [Vec("vpass", View("out0", 8 * k, 8), View(f"t{k + 4}", 0, 8)) for k in range(2)]
    buffers = [IN, OUT, *(buffer(f"t{k}", 8) for k in range(6))]
    after = compare(golden, "pack", pack_operations, network(buffers, [*sums, *more, *last, *ends]))
    assert len(after.ops) < 8


def test_packing_that_saves_little_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LEAST_SAVING", 1.0)
    before = network(
        [IN, OUT, buffer("t0"), buffer("t1")], [add("t0", "in0", 1), add("t1", "in0", 1), add("out0", "t0", "t1")]
    )
    assert pack_operations(before, SPU) is before
