"""``vmac``: products added to what the accumulators hold."""

from __future__ import annotations

import pytest

from femtodriver.errors import AssemblyError, MachineFault
from femtodriver.isa import ISA, cycles
from tests.machine.machine_bench import Bench, run_one

HIGH, LOW = (1 << 63) - 1, -(1 << 63)


def test_products_are_added() -> None:
    bench = Bench("vmac a2, a0:i16, #-3 length=5\nend").set_acc(0, [1, 2, 3, -4, 0]).set_acc(2, [10, 0, -1, 7, 5])
    bench.run()
    assert bench.acc(2, 5) == [7, -6, -10, 19, 5]


def test_sums_wrap() -> None:
    bench = Bench("vmac a2, a0, #2 length=2\nend").set_acc(0, [HIGH, LOW]).set_acc(2, [3, 5])
    bench.run()
    assert bench.acc(2, 2) == [1, 5]


def test_operands_are_shifted_to_the_right_and_spread() -> None:
    bench = (
        Bench("vmac a2, a0:i16, #7 length=3 shift_a=-1 shift_b=-1 spread_a=1\nend").set_acc(0, [9]).set_acc(2, [0] * 3)
    )
    bench.run()
    assert bench.acc(2, 3) == [12, 12, 12]


@pytest.mark.parametrize(
    ("sources", "steps"),
    [("a0:i8, #3", 2), ("a0:i16, #300", 4), ("[0x0]:i16, #3", 2), ("[0x0]:i32, a4:i16", 8 + 1)],
)
def test_costs_are_those_of_a_multiplication_that_reads_its_destination(sources: str, steps: int) -> None:
    made, other = (run_one(f"{name} a2, {sources} length=16").events() for name in ("vmac", "vmul"))
    assert made == {**other, "acc_read": other.get("acc_read", 0) + 16}
    assert made["cycles"] == cycles.THREAD_SWITCH + cycles.START_VECTOR + steps


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("vmac [0x0]:i16, a0, #1", "vmac: dst must be in the accumulators, not [0x0]:i16."),
        ("vmac a2, a0, a1", "vmac: a or b must be outside the accumulators, which dst reads, too."),
    ],
)
def test_faults(text: str, sentence: str) -> None:
    with pytest.raises(MachineFault) as caught:
        Bench(f"{text}\nend").run()
    assert sentence in str(caught.value)


@pytest.mark.parametrize("field", ["shift=-1", "rounded=1", "clip=1", "bits=16", "shift_a=1"])
def test_there_is_no_last_stage_and_no_left_shift(field: str) -> None:
    with pytest.raises(AssemblyError):
        ISA.parse(f"vmac a2, a0, #1 {field}").encode()
