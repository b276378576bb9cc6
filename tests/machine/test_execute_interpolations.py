"""Interpolation in tables."""

from __future__ import annotations

import pytest

from femtodriver.errors import MachineFault
from tests.machine.machine_bench import END, START, Bench, Source

# Line h goes through OFFSET[h + 128] with slope SLOPE[h + 128].
OFFSET = [100 * line for line in range(-128, 128)]
SLOPE = [7 * line - 3 for line in range(-128, 128)]


def bench(line: str, tables: dict[int, list[int]] | None = None) -> Bench:
    return Bench(Source(f"{line}\nend", tables=tables or {0: OFFSET, 1: SLOPE}))


def expected(value: int) -> int:
    line, place = value >> 8, value & 255
    return OFFSET[line + 128] + (SLOPE[line + 128] * place >> 8)


VALUES = [0, 1, 255, 256, -1, -256, -257, 32767, -32768, 1234, -4321]


def test_lines_and_places() -> None:
    made = bench("interp a1, a4:i16 length=11 slope_bank=1").set_acc(4, VALUES)
    made.run()
    assert made.acc(1, 11) == [expected(value) for value in VALUES]


def test_by_hand() -> None:
    # 0x0280: line 2, half way: offset 200, slope 11: 11 * 128 / 256 = 5.5, floored.
    made = bench("interp a1, a4:i16 slope_bank=1").set_acc(4, [0x280])
    made.run()
    assert made.acc(1, 1) == [205]
    # -0x180 = line -2, half way: offset -200, slope -17: -8.5, floored.
    made = bench("interp a1, a4:i16 slope_bank=1").set_acc(4, [-0x180])
    made.run()
    assert made.acc(1, 1) == [-209]


def test_only_16_bits_of_an_accumulator_count() -> None:
    made = bench("interp a1, a4:i16 slope_bank=1").set_acc(4, [0x280 + (5 << 16)])
    made.run()
    assert made.acc(1, 1) == [205]


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("shift_a=4", 0x280, 5 * 16 + 200),
        ("shift_b=-3", 0x280, 5 + 25),
        ("shift=-1", 0x280, 102),
        ("shift=-1 rounded=1", 0x280, 103),
        ("clip=1 bits=8", 0x280, 127),
        ("clip=3 bits=16", -0x180, 0),
        ("clip=2 bits=8", -0x180, -209 + 256),
        ("clip=2 bits=64", -0x180, -209),
    ],
)
def test_shifts_and_clips(text: str, value: int, result: int) -> None:
    made = bench(f"interp [0]:i32, [0x100]:i16 slope_bank=1 {text}").write(0x100, 16, [value])
    made.run()
    assert made.read(0, 32, 1) == [result]
    assert made.events().get("saturated", 0) == ("clip=1" in text)


def test_both_tables_in_one_bank() -> None:
    made = bench("interp a1, a4:i16 slope=256", {0: OFFSET[:255] + SLOPE[:45]})
    with pytest.raises(MachineFault, match="must lie inside table memory of 4 banks x 300 words"):
        made.run()
    made = bench("interp a1, a4:i16 offset=1 slope=44", {0: [9] * 300}).set_acc(4, [0x4080])
    made.run()
    assert made.acc(1, 1) == [9 + 4]


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("length=16", 5 + 16),  # both tables in one bank, one copy
        ("length=16 slope_bank=1", 5 + 8),
        ("length=16 ways=1", 5 + 8),
        ("length=16 slope_bank=2 ways=1", 5 + 4),
        ("length=16 slope_bank=1 ways=1", 5 + 8),  # bank 1 holds both
        ("length=16 ways=2", 5 + 4),
        ("length=3 ways=2", 5 + 1),
        ("length=1", 5 + 1),
    ],
)
def test_a_table_bank_gives_two_entries_per_cycle(text: str, taken: int) -> None:
    same = {bank: [5] * 256 for bank in range(4)}
    assert bench(f"interp a1, a4:i16 {text}", same).run() == START + taken + END


def test_events() -> None:
    made = bench("interp [0x100]:i16, [0]:i16 length=10 slope_bank=1")
    made.run()
    assert made.events() == {
        "cycles": START + 5 + (4 + 3),  # bank 0 has 4 accesses, and a row takes 4 steps
        "instructions": 1,
        "im_read": 2,
        "thread_switch": 1,
        "tm_read": 20,
        "mac_8x16": 10,
        "alu": 10,
        "dm_read": 3,
        "dm_write": 3,
    }


def test_a_moving_argument() -> None:
    made = bench("setb register=1 value=8\ninterp [b1+0]:i16, [b1+0x100]:i16 length=2 slope_bank=1")
    made.write(0x108, 16, [0x280, -0x180])
    assert made.run() == START + 1 + 5 + 2 + END
    assert made.read(8, 16, 2) == [205, -209]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("interp a1, a4", "interp: a must have 16-bit elements, not a4."),
        ("interp a1, [0]:i8", "interp: a must have 16-bit elements, not [0x0]:i8."),
        ("interp a1, #5", "interp: a must have 16-bit elements, not #5."),
        ("interp a1, a4:i16 offset=45", "interp: the tables must lie inside table memory of 4 banks x 300 words."),
        (
            "interp a1, a4:i16 offset_bank=2 slope_bank=3 ways=1",
            "interp: the tables must lie inside table memory of 4 banks x 300",
        ),
        ("interp a1, a4:i16 ways=1", "interp: the copies of a table must be equal."),
        ("interp #1, a4:i16", "destination: must be memory or an accumulator, not an immediate."),
        ("interp a4, a3:i16 length=9", "destination a4: must not overlap the rest of source a3:i16."),
    ],
)
def test_faults(line: str, sentence: str) -> None:
    with pytest.raises(MachineFault) as caught:
        bench(line).run()
    assert str(caught.value).startswith(f"core 0 pc 0: {sentence}")
