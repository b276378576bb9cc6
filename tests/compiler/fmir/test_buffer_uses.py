"""Operations are found by the buffers that they use."""

from __future__ import annotations

from femtodriver.compiler.fmir.buffer_uses import times_touched, users
from femtodriver.compiler.fmir.ir import Loop, Op, reads, writes
from tests.compiler.fmir_samples import add, copy

OPS: list[Op] = [add("t0", "in0", "in0"), Loop(2, (copy("t1", "t0"), copy("out0", "t1"))), copy("t0", "in0")]


def test_bodies_count_as_their_operation() -> None:
    assert users(OPS) == {"in0": [0, 2], "t0": [0, 1, 2], "t1": [1], "out0": [1]}
    assert users(OPS, writes) == {"t0": [0, 2], "t1": [1], "out0": [1]}
    assert users(OPS, reads) == {"in0": [0, 2], "t0": [1], "t1": [1]}


def test_every_view_counts() -> None:
    assert times_touched(OPS) == {"in0": 3, "t0": 3, "t1": 2, "out0": 1}
