"""Vector instructions, one by one."""

from __future__ import annotations

import pytest

from femtodriver.errors import MachineFault
from tests.machine.machine_bench import END, START, Bench

LOW, HIGH = -(2**63), 2**63 - 1


def vector(line: str, a: list[int], b: list[int]) -> list[int]:
    """Row 2 after ``line`` with a in row 0 and b in row 1."""
    bench = Bench(f"{line} length={len(a)}\nend").set_acc(0, a).set_acc(1, b)
    bench.run()
    return bench.acc(2, len(a))


A = [5, -5, 0, 7, -7, 0]
B = [3, -5, 0, -7, 0, 2]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vpass", A),
        ("vadd", [8, -10, 0, 0, -7, 2]),
        ("vsub", [2, 0, 0, 14, -7, -2]),
        ("vmul", [15, 25, 0, -49, 0, 0]),
        ("vmax", [5, -5, 0, 7, 0, 2]),
        ("vmin", [3, -5, 0, -7, -7, 0]),
        ("vgt", [1, 0, 0, 1, 0, 0]),
        ("vge", [1, 1, 1, 1, 0, 0]),
        ("veq", [0, 1, 1, 0, 0, 0]),
        ("vand", [1, 1, 0, 1, 0, 0]),
        ("vor", [1, 1, 0, 1, 1, 1]),
        ("vxor", [0, 0, 0, 0, 1, 1]),
    ],
)
def test_the_meaning_of_every_instruction(name: str, expected: list[int]) -> None:
    assert vector(f"{name} a2, a0, a1", A, B) == expected


def test_sums_and_products_wrap_at_64_bits() -> None:
    assert vector("vadd a2, a0, a1", [HIGH, LOW], [1, -1]) == [LOW, HIGH]
    assert vector("vsub a2, a0, a1", [LOW, 0], [1, LOW]) == [HIGH, LOW]
    assert vector("vmul a2, a0, a1", [2**32, HIGH, 3], [2**31, 2, 2**63 - 1]) == [LOW, -2, 3 * HIGH - 2**64]


def test_vscale_multiplies_by_a_fraction_and_doubles() -> None:
    """By 1/2, and by 3/4 doubled three times, which is not what the number in b says of itself: it is negative."""
    half, doubled = 0, (3 << 30 | 1 << 29) - (1 << 32)
    assert vector("vscale a2, a0, a1", [5, 4, -5, -4, 0], [half] * 5) == [3, 2, -3, -3, 0]
    assert vector("vscale a2, a0, a1", [5, 4, -5, -4], [doubled] * 4) == [32, 24, -33, -25]


def test_vscale_with_its_shift_rounds_halves_away_from_zero() -> None:
    """v / 4, of v = a / 2 and, with k = 1, of v = a."""
    values = [20, -20, 12, -12, 11, -11]
    assert vector("vscale a2, a0, a1 shift=-2 rounded=1", values, [0] * 6) == [3, -3, 2, -2, 2, -1]
    assert vector("vscale a2, a0, a1 shift=-2 rounded=1", [10, -10], [1 << 30] * 2) == [3, -3]


def test_vscale_takes_the_low_24_bits() -> None:
    assert vector("vscale a2, a0, a1", [(1 << 23) + 2, (5 << 24) - 2], [0, 0]) == [-(1 << 22), -2]


def test_vscale_takes_six_passes() -> None:
    cycles = []
    for line in ("vscale [0x200]:i16, a0:i32, [0]:i32", "vmul [0x200]:i16, a0:i32, [0]:i32"):
        cycles.append(Bench(f"{line} length=64\nend").set_acc(0, [1] * 64).run())
    assert cycles[1] - cycles[0] == 8 * 2


@pytest.mark.parametrize("dst", ["[0x100]:i8", "[0x100]:i16", "[0x100]:i32", "a4"])
@pytest.mark.parametrize("a", ["[0]:i8", "[0x20]:i16", "[0x40]:i32", "a0", "a0:i8", "#-7"])
@pytest.mark.parametrize("b", ["[0x80]:i8", "[0xa0]:i16", "[0xc0]:i32", "a2", "a2:i16", "#9"])
def test_every_kind_of_operand(dst: str, a: str, b: str) -> None:
    first, second = [-3, 100, 0, 7, -90, 1, 2, 3, 4], [-2, 5, 9, -100, 1, 1, 1, 1, 120]
    bench = Bench(f"vadd {dst}, {a}, {b} length=9\nend")
    for place, bits in ((0, 8), (0x20, 16), (0x40, 32)):
        bench.write(place, bits, first).write(place + 0x80, bits, second)
    # What lies above the low bits must not matter when an accumulator is read narrow.
    noise = 5 << 20
    bench.set_acc(0, [x + (noise if a == "a0:i8" else 0) for x in first])
    bench.set_acc(2, [x + (noise if b == "a2:i16" else 0) for x in second])
    bench.run()
    sums = [
        (-7 if a.startswith("#") else x) + (9 if b.startswith("#") else y) for x, y in zip(first, second, strict=True)
    ]
    if dst == "a4":
        assert bench.acc(4, 9) == sums
    else:
        bits = int(dst.split(":i")[1])
        half = 1 << (bits - 1)
        assert bench.read(0x100, bits, 9) == [(value + half) % (2 * half) - half for value in sums]


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("shift_a=3", -5, -40),
        ("shift_a=-1", -1, -1),
        ("shift_a=-1", -3, -2),
        ("shift_a=63", 3, LOW),
        ("shift_a=-64", -1, -1),
        ("shift_a=-64", HIGH, 0),
        ("shift=2", -3, -12),
        ("shift=-1", -3, -2),
        ("shift=-1 rounded=1", -3, -1),
        ("shift=-1 rounded=1", 3, 2),
        ("shift=-2 rounded=1", 5, 1),
        ("shift=-2 rounded=1", 6, 2),
        ("shift=-2 rounded=1", -6, -1),
        ("shift=-2 rounded=1", -7, -2),
        ("shift=4 rounded=1", 1, 16),
        ("shift=0 rounded=1", 7, 7),
        ("shift=-63 rounded=1", HIGH, -1),  # the added half wraps
        ("shift=-63", LOW, -1),
        ("shift_a=2 shift=-2", HIGH, -1),
    ],
)
def test_shifts_and_rounding(text: str, value: int, expected: int) -> None:
    assert vector(f"vpass a2, a0, #0 {text}", [value], [0]) == [expected]


def test_the_second_operand_has_its_own_shift() -> None:
    assert vector("vadd a2, a0, a1 shift_a=4 shift_b=-1", [1, 2], [5, -5]) == [18, 29]
    assert vector("vsub a2, a0, #1 shift_b=10", [0], [0]) == [-1024]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("clip=0 bits=8", [300, -300], [300, -300]),
        ("clip=1 bits=8", [127, 128, -128, -129, 300], [127, 127, -128, -128, 127]),
        ("clip=1 bits=1", [0, 1, -1, -2], [0, 0, -1, -1]),
        ("clip=1 bits=64", [HIGH, LOW], [HIGH, LOW]),
        ("clip=2 bits=8", [255, 256, -1, -256], [255, 0, 255, 0]),
        ("clip=2 bits=1", [2, 3], [0, 1]),
        ("clip=2 bits=63", [-1, 5], [HIGH, 5]),
        ("clip=2 bits=64", [-1, LOW], [-1, LOW]),
        ("clip=3 bits=8", [127, 128, 0, -1, -129], [127, 127, 0, 0, 0]),
        ("clip=3 bits=1", [0, 1, -1], [0, 0, 0]),
        ("clip=3 bits=64", [HIGH, LOW], [HIGH, 0]),
        ("clip=1 bits=8 shift=-4 rounded=1", [2040, 2039, -2056, -2057], [127, 127, -128, -128]),
    ],
)
def test_clip_modes(text: str, values: list[int], expected: list[int]) -> None:
    assert vector(f"vpass a2, a0, #0 {text}", values, [0]) == expected


def test_clipped_elements_are_counted() -> None:
    bench = Bench("vpass a2, a0, #0 length=5 clip=1 bits=8\nend").set_acc(0, [127, 128, -128, -129, 300])
    bench.run()
    assert bench.events()["saturated"] == 3
    bench = Bench("vadd a2, #100, #100 length=5 clip=1 bits=8\nend")
    bench.run()
    assert bench.acc(2, 5) == [127] * 5
    assert bench.events()["saturated"] == 5


def test_spread_uses_element_0_for_all() -> None:
    assert vector("vsub a2, a0, a1 spread_a=1", [10, 20, 30], [1, 2, 3]) == [9, 8, 7]
    assert vector("vsub a2, a0, a1 spread_b=1", [10, 20, 30], [1, 2, 3]) == [9, 19, 29]
    assert vector("vsub a2, a0, a1 spread_a=1 spread_b=1", [10, 20, 30], [1, 2, 3]) == [9, 9, 9]
    # Element 0 is read before it is overwritten.
    bench = Bench("vadd [0]:i16, [0]:i16, [0]:i16 length=4 spread_b=1\nend").write(0, 16, [5, 6, 7, 8])
    bench.run()
    assert bench.read(0, 16, 4) == [10, 11, 12, 13]


def test_elements_outside_the_destination_stay() -> None:
    bench = Bench("vpass [0x12]:i16, #7, #0 length=3\nend").write(0x10, 16, [1] * 8)
    bench.run()
    assert bench.read(0x10, 16, 8) == [1, 7, 7, 7, 1, 1, 1, 1]
    bench = Bench("vpass a1, #7, #0 length=3\nend").set_acc(1, [1] * 16)
    bench.run()
    assert bench.acc(1, 16) == [7, 7, 7, *[1] * 13]


def test_vpass_does_not_look_at_its_second_operand() -> None:
    bench = Bench("vpass a1, #7, [0xffff]:i32 length=3\nend")
    bench.run()
    assert bench.acc(1, 3) == [7, 7, 7]
    assert "dm_read" not in bench.events()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("vadd [0x10]:i16, [0x10]:i16, #1 length=6", [1, 2, 3, 4, 5, 6]),  # in place
        ("vadd [0xe]:i16, [0x10]:i16, #1 length=6", [2, 3, 4, 5, 6, 5]),  # towards lower addresses
    ],
)
def test_destinations_that_may_overlap_a_source(line: str, expected: list[int]) -> None:
    bench = Bench(f"{line}\nend").write(0x10, 16, range(6))
    bench.run()
    assert bench.read(0x10, 16, 6) == expected


def test_rows_may_move_down_in_the_accumulators() -> None:
    bench = Bench("vpass a1, a2, #0 length=16\nvadd a1, a1, a1 length=16\nend").set_acc(2, range(16))
    bench.run()
    assert bench.acc(1, 24) == [*range(0, 32, 2), *range(8, 16)]


def test_a_single_element_may_lie_anywhere() -> None:
    bench = Bench("vpass [1]:i8, [0]:i16, #0 shift_a=-8\nvpass [0x11]:i8, [0x10]:i32, #0 length=3 spread_a=1\nend")
    bench.write(0, 16, [0x1234]).write(0x10, 32, [0x77])
    bench.run()
    assert bench.read(0, 8, 2) == [0x34, 0x12]
    assert bench.read(0x10, 8, 4) == [0x77] * 4


@pytest.mark.parametrize(
    "line",
    [
        "vpass [0x12]:i16, [0x10]:i16, #0 length=6",
        "vadd [0x12]:i16, #0, [0x10]:i16 length=6",
        "vpass [0x1a]:i16, [0x10]:i16, #0 length=6",
        "vpass [0x10]:i8, [0x10]:i16, #0 length=2",
        "vpass [0x10]:i32, [0x10]:i16, #0 length=2",
        "vpass [b1+0x12]:i16, [0x10]:i16, #0 length=6",
        "lut [0x11]:i8, [0x10]:i8 length=4 bits=5",
    ],
)
def test_destinations_that_would_overtake_a_source_are_faults(line: str) -> None:
    with pytest.raises(MachineFault, match=r"^core 0 pc 0: destination .*: must not overlap the rest of source .*\.$"):
        Bench(f"{line}\nend").run()


@pytest.mark.parametrize(
    "line", ["vpass a2, a1, #0 length=9", "vadd a1, #0, a0 length=16", "lut a2, a1 length=9 bits=5"]
)
def test_rows_must_not_move_up_over_themselves(line: str) -> None:
    with pytest.raises(MachineFault, match=r"destination a\d: must not overlap the rest of source a\d\.$"):
        Bench(f"{line}\nend").run()


def test_neighbours_do_not_overlap() -> None:
    text = (
        "vpass [0x1c]:i16, [0x10]:i16, #0 length=6\nvpass [0x4]:i16, [0x10]:i16, #0 length=6\nvpass a2, a1, #0 length=8"
    )
    bench = Bench(f"{text}\nend").write(0x10, 16, range(6))
    bench.run()
    assert bench.read(0x1C, 16, 6) == bench.read(0x4, 16, 6) == list(range(6))


# In the small part, words 0 to 127 (bytes 0 to 0x3ff) lie in banks 0 and 1, bytes from 0x400 on in banks 2 and 3.
@pytest.mark.parametrize(
    ("line", "taken", "reads", "writes"),
    [
        ("vadd a0, a0, a0 length=64", 3 + 8, [], []),
        ("vadd a0, a0, a1 length=1", 3 + 1, [], []),
        ("vadd a0, [0]:i8, #1 length=64", 3 + 8, [4, 4], []),  # 8 words, 8 rows of lanes
        ("vadd a0, [0]:i16, #1 length=64", 3 + 8, [8, 8], []),
        ("vadd a0, [0]:i32, #1 length=64", 3 + 16 + 1, [16, 16], []),  # the banks are the narrow place
        ("vadd a0, [0x2]:i16, #1 length=64", 3 + 9 + 1, [9, 8], []),  # 17 words
        ("vadd a0, [0x8]:i16, #1 length=4", 3 + 1, [0, 1], []),
        ("vadd [0x200]:i16, [0]:i16, [0x80]:i16 length=64", 3 + 24 + 1, [16, 16], [8, 8]),  # three streams, one pair
        ("vadd [0x400]:i16, [0]:i16, [0x80]:i16 length=64", 3 + 16 + 1, [16, 16], [0, 0, 8, 8]),
        ("vadd [0x400]:i16, [0]:i16, [0x800]:i16 length=64", 3 + 8, [8, 8, 0, 0, 8, 8], [0, 0, 8, 8]),
        ("vadd [0]:i16, [0]:i16, [0]:i16 length=64", 3 + 24 + 1, [16, 16], [8, 8]),
        ("vadd a0, [0]:i32, #1 length=64 spread_a=1", 3 + 8, [1], []),
        ("vadd a0, [0x3f8]:i16, #1 length=8", 3 + 1, [0, 1, 1], []),  # over the end of a pair
        ("vpass [0]:i32, a0, #0 length=64", 3 + 16 + 1, [], [16, 16]),
        ("vadd a0, [0x3a0]:i16, #1 length=64", 3 + 6 + 2, [6, 6, 2, 2], []),  # 48 elements, then the next pair
        ("vadd a0, [0x3a0]:i16, [0x200]:i16 length=64", 3 + 1 + 12 + 2, [14, 14, 2, 2], []),
        ("vmul a0, [0]:i8, [0x400]:i8 length=64", 3 + 8, [4, 4, 4, 4], []),
        ("vmul a0, [0]:i16, [0x400]:i16 length=64", 3 + 16, [8, 8, 8, 8], []),
        ("vmul a0, a0, a0 length=64", 3 + 8 * 32, [], []),
        ("vmul a0, a0:i16, #100 length=64", 3 + 8, [], []),
        ("vmul a0, a0:i16, #-128 length=64", 3 + 8, [], []),
        ("vmul a0, a0:i16, #128 length=64", 3 + 16, [], []),
    ],
)
def test_cycles_and_bank_accesses(line: str, taken: int, reads: list[int], writes: list[int]) -> None:
    bench = Bench(f"{line}\nend")
    assert bench.run() == START + taken + END
    assert bench.events()["cycles"] == START + taken
    assert bench.banks() == (padded(reads), padded(writes))
    assert bench.events().get("dm_read", 0) == sum(reads)
    assert bench.events().get("dm_write", 0) == sum(writes)


def padded(counts: list[int]) -> list[int]:
    return counts + [0] * (8 - len(counts))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("vadd a0, a0, a1 length=10", {"acc_read": 20, "acc_write": 10, "alu": 10}),
        ("vadd a0, a0, a1 length=10 spread_b=1", {"acc_read": 11, "acc_write": 10, "alu": 10}),
        ("vpass [0]:i8, a1, #0 length=10", {"acc_read": 10, "alu": 10, "dm_write": 2}),
        ("vmul a0, [0]:i8, #127 length=10", {"mac_8x8": 10, "alu": 10, "acc_write": 10, "dm_read": 2}),
        ("vmul a0, [0]:i8, #-128 length=10", {"mac_8x8": 10, "alu": 10, "acc_write": 10, "dm_read": 2}),
        ("vmul a0, [0]:i8, #128 length=10", {"mac_8x16": 10, "alu": 10, "acc_write": 10, "dm_read": 2}),
        ("vmul a0, [0]:i16, #40000 length=10", {"mac_16x16": 20, "alu": 10, "acc_write": 10, "dm_read": 3}),
        ("vmul a0, [0]:i32, #1 length=10", {"mac_8x16": 20, "alu": 10, "acc_write": 10, "dm_read": 5}),
        ("vmul a0, a0, a1 length=10", {"mac_16x16": 160, "alu": 10, "acc_read": 20, "acc_write": 10}),
    ],
)
def test_events(line: str, expected: dict[str, int]) -> None:
    bench = Bench(f"{line}\nend")
    bench.run()
    bench.run()
    events = bench.events()
    del events["cycles"]
    fixed = {"instructions": 2, "im_read": 4, "thread_switch": 2}
    assert events == {**fixed, **{name: 2 * count for name, count in expected.items()}}
