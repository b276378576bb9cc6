"""Table look-ups."""

from __future__ import annotations

import pytest

from femtodriver.errors import MachineFault
from tests.machine.machine_bench import END, START, Bench, Source

SQUARES = [index * index for index in range(-8, 8)]  # 16 entries, for addresses of 4 bits


def bench(line: str, tables: dict[int, list[int]] | None = None) -> Bench:
    return Bench(Source(f"{line}\nend", tables=tables or {0: SQUARES}))


def test_entry_0_belongs_to_the_lowest_address() -> None:
    made = bench("lut a1, a4 length=16 bits=4").set_acc(4, range(-8, 8))
    made.run()
    assert made.acc(1, 16) == SQUARES


def test_addresses_saturate_and_are_counted() -> None:
    made = bench("lut a1, a4 length=5 bits=4").set_acc(4, [7, 8, -8, -9, 10**15])
    made.run()
    assert made.acc(1, 5) == [49, 49, 64, 64, 49]
    assert made.events()["saturated"] == 3


@pytest.mark.parametrize(
    ("shift", "expected"), [(0, [49, 64, 4]), (-1, [9, 25, 1]), (1, [49, 64, 16]), (-64, [0, 1, 0])]
)
def test_addresses_are_shifted_down_to_the_floor(shift: int, expected: list[int]) -> None:
    made = bench(f"lut a1, a4 length=3 bits=4 shift_a={shift}").set_acc(4, [7, -9, 2])
    made.run()
    assert made.acc(1, 3) == expected


def test_entries_have_16_bits_and_a_sign() -> None:
    made = bench("lut a1, #0 length=2 bits=1", {0: [0x7FFF, -0x8000]})
    made.run()
    assert made.acc(1, 2) == [-0x8000, -0x8000]
    made = bench("lut [0]:i16, #-1 bits=1\nlut [2]:i8, #-1 bits=1", {0: [0x7F80, 0]})
    made.run()
    assert made.read(0, 16, 1) == [0x7F80]
    assert made.read(2, 8, 1) == [-0x80]


def test_the_table_may_lie_anywhere() -> None:
    made = bench("lut a1, a4 length=4 bits=2 table=296 bank=3", {3: [0] * 296 + [1, 2, 3, 4]}).set_acc(
        4, [-2, -1, 0, 1]
    )
    made.run()
    assert made.acc(1, 4) == [1, 2, 3, 4]


def test_elements_take_the_copies_in_turn() -> None:
    tables = {1: [10] * 4, 2: [20] * 4}
    made = bench("lut a1, a4 length=5 bits=2 bank=1 ways=1", tables)
    made.run()
    assert made.acc(1, 5) == [10, 20, 10, 20, 10]


def test_operands_in_memory_and_in_place() -> None:
    made = bench("lut [0]:i8, [0]:i8 length=4 bits=4").write(0, 8, [1, 2, 3, -3])
    made.run()
    assert made.read(0, 8, 4) == [1, 4, 9, 9]


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("lut a1, a4 length=8 bits=4", 4 + 4),
        ("lut a1, a4 length=8 bits=4 ways=1", 4 + 2),
        ("lut a1, a4 length=8 bits=4 ways=2", 4 + 1),
        ("lut a1, a4 length=6 bits=4 ways=2", 4 + 1),
        (
            "lut [0x40]:i32, [0]:i32 length=16 bits=4 ways=2",
            4 + 8 + 2,
        ),  # 16 words of a pair; first and last two in a bank
    ],
)
def test_a_bank_gives_two_entries_per_cycle(line: str, taken: int) -> None:
    made = bench(line)
    assert made.run() == START + taken + END


def test_events() -> None:
    made = bench("lut [0x40]:i16, a0 length=10 bits=4 ways=2")
    made.run()
    assert made.events() == {
        "cycles": START + 4 + 2,
        "instructions": 1,
        "im_read": 2,
        "thread_switch": 1,
        "tm_read": 10,
        "alu": 10,
        "acc_read": 10,
        "dm_write": 3,
    }
    assert made.banks() == ([0] * 8, [2, 1, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    "line",
    [
        "lut a1, a4 bits=4 table=285",
        "lut a1, a4 bits=9",
        "lut a1, a4 bits=4 bank=3 ways=1",
        "lut a1, a4 bits=4 bank=1 ways=2",
    ],
)
def test_a_table_outside_table_memory_is_a_fault(line: str) -> None:
    with pytest.raises(MachineFault) as caught:
        bench(line).run()
    assert str(caught.value) == "core 0 pc 0: lut: the table must lie inside table memory of 4 banks x 300 words."
