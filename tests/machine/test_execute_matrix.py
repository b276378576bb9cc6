"""The matrix instruction against a brute-force product, and its costs against numbers counted by hand."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import MachineFault
from femtodriver.machine.execute_matrix import MatrixExecutor
from femtodriver.part import Part
from tests.machine.machine_bench import END, SMALL, START, Bench, Source

WIDTHS = {4: 0, 8: 1, 16: 2}
# A byte address in the fourth pair of banks, a word address in the first and one in the third.
X, WEIGHTS, MASK = 0xC00, 0x10, 0x100


@dataclass(frozen=True)
class Case:
    """Weights (columns of rows) and activations."""

    weights: list[list[int]]
    x: list[int]
    weight_bits: int
    x_bits: int
    form: int  # 0 dense, 1 flat mask, 2 nested mask, 3 flat mask and codes of halves

    @property
    def rows(self) -> int:
        return len(self.weights[0])

    @property
    def size(self) -> int:
        """Weights that are stored, or not, together: a unit."""
        return 4 if self.form == 3 else 8

    @property
    def groups(self) -> int:
        return -(-self.rows // 8)

    @property
    def units(self) -> int:
        return self.groups * 8 // self.size

    def unit(self, column: int, unit: int) -> list[int]:
        """The weights of a unit, zeros beyond the last row."""
        part = self.weights[column][self.size * unit : self.size * (unit + 1)]
        return part + [0] * (self.size - len(part))

    @property
    def kept(self) -> list[tuple[int, int]]:
        every = [(column, unit) for column in range(len(self.x)) for unit in range(self.units)]
        return [place for place in every if not self.form or any(self.unit(*place))]

    def outputs(self, unit: int) -> int:
        """Outputs of a unit, fewer in the last one."""
        return max(min(self.size, self.rows - self.size * unit), 0)

    @property
    def kept_groups(self) -> list[tuple[int, int]]:
        return sorted({(column, unit * self.size // 8) for column, unit in self.kept})

    def mask(self) -> tuple[bytes, list[int]]:
        """Bytes of the mask and the words that are read of it."""
        bits = sum(1 << (column * self.groups + group) for column, group in self.kept_groups)
        flat = bits.to_bytes(-(-len(self.x) * self.groups // 8), "little")
        if self.form < 2:
            return flat, list(range(MASK, MASK + -(-len(flat) // 8)))
        if self.form == 3:
            flat += bytes(-len(flat) % 8) + self.codes()
            return flat, list(range(MASK, MASK + -(-len(flat) // 8)))
        head = sum(1 << number for number, byte in enumerate(flat) if byte).to_bytes(-(-len(flat) // 8), "little")
        tail = bytes(byte for byte in flat if byte)
        words = list(range(MASK, MASK + -(-len(head) // 8)))
        words += range(MASK + len(head) // 8, MASK + -(-len(head + tail) // 8)) if tail else ()
        return head + tail, words

    def codes(self) -> bytes:
        """Two bits for each kept group: 1 lower half, 2 upper half, 3 both."""
        bits = 0
        for number, (column, group) in enumerate(self.kept_groups):
            bits |= sum(1 << half for half in (0, 1) if (column, 2 * group + half) in self.kept) << 2 * number
        return bits.to_bytes(-(-len(self.kept_groups) // 4), "little")

    def product(self) -> list[int]:
        return [
            sum(column[row] * x for column, x in zip(self.weights, self.x, strict=True)) for row in range(self.rows)
        ]

    def line(self) -> str:
        shape = f"columns={len(self.x)} rows={self.rows}"
        mask = f" form={self.form} mask={MASK}" if self.form else ""
        return f"mac [{X}]:i{self.x_bits} acc=1 {shape} weights={WEIGHTS} width={WIDTHS[self.weight_bits]}{mask}"

    def bench(self, text: str = "", part: Part = SMALL) -> Bench:
        bench = Bench(text or f"{self.line()}\nend", part=part)
        stored = 0
        for number, place in enumerate(self.kept):
            for lane, weight in enumerate(self.unit(*place)):
                stored |= (weight & ((1 << self.weight_bits) - 1)) << ((self.size * number + lane) * self.weight_bits)
        bench.write(8 * WEIGHTS, 8, signed_bytes(stored, len(self.kept) * self.size * self.weight_bits // 8))
        if self.form:
            bench.write(8 * MASK, 8, [byte - 256 if byte > 127 else byte for byte in self.mask()[0]])
        return bench.write(X, self.x_bits, self.x)


def signed_bytes(value: int, count: int) -> list[int]:
    return [byte - 256 if byte > 127 else byte for byte in value.to_bytes(count, "little")]


def random_case(seed: int, columns: int, rows: int, weight_bits: int, x_bits: int, form: int) -> Case:
    dice = random.Random(seed)

    def number(bits: int) -> int:
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        return dice.choice((0, low, high, dice.randint(low, high), dice.randint(-3, 3)))

    density = dice.choice((0.0, 0.3, 1.0))
    weights = [[0] * rows for _ in range(columns)]
    for column in weights:
        for unit in range(0, rows, 4):
            if dice.random() < density:
                for row in range(unit, min(unit + 4, rows)):
                    column[row] = number(weight_bits)
    return Case(weights, [number(x_bits) for _ in range(columns)], weight_bits, x_bits, form)


cases = st.builds(
    random_case,
    st.integers(0, 2**16),
    st.integers(1, 20),
    st.integers(1, 33),
    st.sampled_from((4, 8, 16)),
    st.sampled_from((8, 16, 32)),
    st.integers(0, 3),
)


@pytest.mark.slow
@given(cases)
@settings(max_examples=150, deadline=None)
def test_the_product_is_added_to_the_accumulators(case: Case) -> None:
    bench = case.bench().set_acc(1, range(case.rows))
    bench.run()
    assert bench.acc(1, case.rows) == [row + value for row, value in enumerate(case.product())]
    assert bench.acc(0, 8) == [0] * 8
    assert bench.acc(1, 48)[case.rows :] == [0] * (48 - case.rows)


@pytest.mark.slow
@given(cases)
@settings(max_examples=80, deadline=None)
def test_pruned_weights_and_zero_activations_cost_nothing(case: Case) -> None:
    live = [(column, unit) for column, unit in case.kept if case.x[column]]
    groups = [place for place in case.kept_groups if case.x[place[0]]]
    passes = {(8, 8): 1, (8, 16): 1, (8, 32): 2, (16, 8): 1, (16, 16): 2, (16, 32): 4}
    scan = -(-len(case.x) * case.x_bits // 64)
    bench = case.bench()
    bench.run()
    events = bench.events()
    stored = sum(case.outputs(unit) for _, unit in case.kept)
    executed = sum(case.outputs(unit) for _, unit in live)
    assert events["matrix_dense"] == len(case.x) * case.rows
    assert events.get("matrix_stored", 0) == stored
    assert events.get("matrix_executed", 0) == executed
    assert events["activation"] == len(case.x)
    assert events.get("activation_live", 0) == sum(map(bool, case.x))
    assert events.get("acc_read", 0) == events.get("acc_write", 0) == 8 * len(groups)
    assert events.get("index_group", 0) == (len(live) if case.form else 0)
    words = weight_words(case, live)
    words += case.mask()[1] if case.form else []
    words += range(X // 8, X // 8 + scan)
    reads = [sum(word // 128 == bank // 2 and word % 2 == bank % 2 for word in words) for bank in range(8)]
    assert bench.banks() == (reads, [0] * 8)
    assert events["dm_read"] == len(words)
    work, steps = in_order(case, groups, passes[(max(case.weight_bits, 8), case.x_bits)])
    assert events["cycles"] == START + 4 + max(work, scan, steps, *reads)


def in_order(case: Case, live: list[tuple[int, int]], passes: int) -> tuple[int, int]:
    """End of the lanes, and steps of the mask: one group after the other, none before scanner and index know it."""
    known, steps = dict.fromkeys(live, 0), 0
    flags = {place: place[0] * case.groups + place[1] for place in case.kept_groups}
    if case.form in (1, 3):
        known = {place: flags[place] // 64 for place in live}
        steps = -(-len(case.x) * case.groups // 64)
    if case.form == 3:
        order = {place: number for number, place in enumerate(case.kept_groups)}
        known = {place: max(known[place], order[place] // 32) for place in live}
        steps = max(steps, -(-len(order) // 32))
    if case.form == 2:
        of_byte, last = {}, 0
        for byte in sorted({flag // 8 for flag in flags.values()}):
            last = of_byte[byte] = max(last + 1, byte // 64 + 1)
        known = {place: of_byte[flags[place] // 8] for place in live}
        steps = 1 + last
    time = 0
    for place in live:
        time = max(time, place[0] * case.x_bits // 64, known[place]) + passes
    return time, steps


def weight_words(case: Case, live: list[tuple[int, int]]) -> list[int]:
    """Words that live columns read: a word that two of them share is read by both."""
    found = set()
    for number, place in enumerate(case.kept):
        if place in live:
            first = 64 * WEIGHTS + case.size * case.weight_bits * number
            end = first + case.size * case.weight_bits
            found |= {(place[0], word) for word in range(first // 64, -(-end // 64))}
    return [word for _, word in found]


def dense(columns: int, rows: int, x: list[int], weight_bits: int = 8, x_bits: int = 8, form: int = 0) -> Case:
    return Case([[1] * rows for _ in range(columns)], x, weight_bits, x_bits, form)


@pytest.mark.parametrize(
    ("case", "taken"),
    [
        (dense(16, 40, [1] * 16), 4 + 80),  # 80 groups of one pass
        (dense(16, 40, [1, 0] * 8), 4 + 40),
        (dense(16, 40, [0] * 16), 4 + 2),  # the scan of 2 words
        (dense(16, 40, [0] * 15 + [1]), 4 + 1 + 5),  # the live one is in the second word
        (dense(16, 8, [1] * 16, x_bits=16), 4 + 16),
        (dense(16, 8, [1] * 16, x_bits=32), 4 + 32),  # two passes
        (dense(16, 8, [0] * 16, x_bits=32), 4 + 8),
        (dense(16, 8, [1] * 16, weight_bits=16), 4 + 16),
        (dense(16, 8, [1] * 16, weight_bits=16, x_bits=16), 4 + 32),
        (dense(16, 8, [1] * 16, weight_bits=4), 4 + 16),
        (dense(16, 9, [1] * 16), 4 + 32),  # a group of one row takes a pass, too
    ],
)
def test_cycles_by_hand(case: Case, taken: int) -> None:
    assert case.bench().run() == START + taken + END


@pytest.mark.parametrize(
    ("live", "taken"),
    [
        (range(256), max(256 * 2, 1024)),
        (range(4096 - 256, 4096), 960 + 256 * 2),
        (range(0, 4096, 16), 1024),
        ((), 1024),
        (range(4096), 8192),
    ],
)
def test_lanes_do_not_start_before_their_activation_is_scanned(live: Iterable[int], taken: int) -> None:
    """4096 activations of 16 bits in 1024 words, two groups each."""
    part = replace(SMALL, dm_bank_words=8192)
    bench = Bench("mac [0x0]:i16 acc=0 columns=4096 rows=16 weights=0x8000 width=0\nend", part=part)
    x = [0] * 4096
    for place in live:
        x[place] = 1
    bench.write(0, 16, x)
    bench.run()
    assert bench.events()["cycles"] == START + 4 + taken


@pytest.mark.parametrize(("form", "taken"), [(1, 15 + 8), (2, 7 + 8), (3, 15 + 8)])
def test_a_group_is_not_taken_before_its_part_of_the_mask_is_read(form: int, taken: int) -> None:
    """64 columns of 16 groups, 1,024 flags: the last column keeps 8 groups, six columns before it one each."""
    weights = [[0] * 128 for _ in range(64)]
    weights[63][64:] = [1] * 64
    for column in range(6):
        weights[column][0] = 1
    case = Case(weights, [0] * 63 + [1], 8, 8, form)
    bench = case.bench(part=replace(SMALL, acc_rows=32))
    bench.run()
    assert bench.events()["cycles"] == START + 4 + taken


def test_a_nested_mask_is_read_a_byte_at_a_time() -> None:
    """64 columns of 7 groups, all kept: only the last is live, and the last of 56 bytes has its flags."""
    case = Case([[1] * 56 for _ in range(64)], [0] * 63 + [1], 4, 8, form=2)
    bench = case.bench()
    bench.run()
    assert bench.events()["cycles"] == START + 4 + 56 + 7


def test_pruned_groups_by_hand() -> None:
    weights = [[1] * 8 + [0] * 8, [0] * 16, [0] * 8 + [2] * 8, [0] * 16]
    case = Case(weights, [5, 6, 0, 8], 8, 8, form=1)
    bench = case.bench()
    assert bench.run() == START + 4 + 1 + END  # one stored group has a live activation
    assert bench.acc(1, 16) == [5] * 8 + [0] * 8
    assert bench.events()["index_group"] == 1
    assert bench.events()["matrix_stored"] == 16
    assert bench.events()["matrix_executed"] == bench.events()["mac_8x8"] == 8


@pytest.mark.parametrize(
    ("weight_bits", "x_bits", "event", "each"),
    [
        (4, 8, "mac_8x8", 1),
        (8, 8, "mac_8x8", 1),
        (8, 16, "mac_8x16", 1),
        (16, 8, "mac_8x16", 1),
        (8, 32, "mac_8x16", 2),
        (16, 16, "mac_16x16", 1),
        (16, 32, "mac_16x16", 2),
    ],
)
def test_multiplications_are_counted_by_width(weight_bits: int, x_bits: int, event: str, each: int) -> None:
    bench = dense(4, 9, [1, 0, 2, 0], weight_bits, x_bits).bench()
    bench.run()
    counted = {name: count for name, count in bench.events().items() if name.startswith("mac_")}
    assert counted == {event: 2 * 9 * each}


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_halves_of_groups_by_hand(bits: int) -> None:
    """Both halves of a group take one pass together; one half of another takes a pass alone."""
    weights = [[1] * 8 + [0] * 8 + [3], [0] * 17, [0] * 12 + [2] * 4 + [0], [0] * 4 + [7] * 4 + [0] * 9]
    case = Case(weights, [5, 6, 1, 0], bits, 8, form=3)
    bench = case.bench()
    assert bench.run() == START + 4 + 3 + END
    assert bench.acc(1, 17) == [5] * 8 + [0] * 4 + [2] * 4 + [15]
    assert bench.events()["index_group"] == 4
    assert bench.events()["matrix_stored"] == 17
    assert bench.events()["matrix_executed"] == 13
    assert bench.events()["acc_read"] == 3 * 8


def test_sums_beyond_what_doubles_hold_are_exact() -> None:
    """129 products of 2^46 need more than the 53 bits of a double, and the last bit counts."""
    columns = 129
    weights = [[-(2**15)]] * columns + [[1]]
    case = Case(weights, [-(2**31)] * columns + [1], 16, 32, form=0)
    bench = case.bench()
    bench.run()
    assert bench.acc(1, 1) == [129 * 2**46 + 1]


def test_sums_wrap_at_64_bits() -> None:
    case = dense(1, 1, [1])
    bench = case.bench().set_acc(1, [2**63 - 1])
    bench.run()
    assert bench.acc(1, 1) == [-(2**63)]


@pytest.mark.parametrize(
    "by", ["vpass [0x80]:i8, #3, #0 length=8", "setb register=1 value=0x80\nvpass [b1+0]:i8, #3, #0 length=8"]
)
def test_weights_that_a_store_rewrites_are_seen(by: str) -> None:
    case = dense(2, 8, [1, 1])
    bench = case.bench(f"{case.line()}\n{by}\n{case.line()}\nend")
    bench.run()
    assert bench.acc(1, 8) == [2 + 4] * 8
    bench.run()
    assert bench.acc(1, 8) == [6 + 4 + 4] * 8  # the rewritten column stays


@pytest.mark.parametrize(("form", "byte"), [(1, 15), (2, 2 + 15)])
def test_a_mask_that_a_store_rewrites_is_seen(form: int, byte: int) -> None:
    """128 columns of one group: 16 mask bytes; a nested mask has 2 bytes of bits before them."""
    case = dense(128, 8, [1] * 128, weight_bits=4, form=form)
    bench = case.bench(f"{case.line()} fresh=1\nend\nstore:\nvpass [{8 * MASK + byte}]:i8, #1, #0\nend")
    bench.run()
    assert bench.acc(1, 8) == [128] * 8
    bench.run("store")
    bench.run()
    assert bench.acc(1, 8) == [128 - 7] * 8


def test_a_nested_mask_by_hand() -> None:
    """65 columns of 16 rows: 130 groups, 17 mask bytes, 3 bytes of bits before them; groups 9 and 129 are stored."""
    weights = [[0] * 16 for _ in range(65)]
    weights[4][8:], weights[64][8:] = [2] * 8, [3] * 8
    case = Case(weights, [1] * 65, 8, 8, form=2)
    assert case.mask()[0] == bytes([0b10, 0, 0b1, 1 << 1, 1 << 1])
    bench = case.bench()
    # 9 words of activations to scan; the mask's word is read for its bits and for its bytes.
    assert bench.run() == START + 4 + 9 + END
    assert bench.acc(1, 16) == [0] * 8 + [5] * 8
    assert bench.events()["dm_read"] == 9 + 2 + 2


@pytest.mark.parametrize("form", [0, 1, 2, 3])
def test_fresh_starts_from_zero_in_whole_rows(form: int) -> None:
    case = Case([[1] * 9, [0] * 9], [4, 5], 8, 8, form)
    plain = case.bench().set_acc(0, [7] * 64)
    fresh = case.bench(f"{case.line()} fresh=1\nend").set_acc(0, [7] * 64)
    assert plain.run() == fresh.run()
    assert plain.acc(0, 32) == [7] * 8 + [11] * 9 + [7] * 15
    assert fresh.acc(0, 32) == [7] * 8 + [4] * 9 + [0] * 7 + [7] * 8
    assert plain.events() == fresh.events()


def test_a_dense_matrix_does_not_look_at_its_mask() -> None:
    bench = dense(2, 8, [1, 2]).bench(dense(2, 8, [1, 2]).line() + " mask=65535\nend")
    bench.run()
    assert bench.acc(1, 8) == [3] * 8


def test_weights_that_a_message_rewrites_are_seen_and_reset_undoes_it() -> None:
    case = dense(1, 8, [1])
    data = bytearray(X + 1)
    data[8 * WEIGHTS : 8 * WEIGHTS + 8], data[X] = b"\1" * 8, 1
    bench = Bench(
        Source(f"recv address={8 * WEIGHTS} length=1\n{case.line()}\nend\nonly:\n{case.line()}\nend", data=data)
    )
    for weight in (5, 7):
        bench.spu.begin_frame()
        bench.post([0x0101010101010101 * weight]).spu.run()
    assert bench.acc(1, 8) == [12] * 8
    bench.spu.reset()
    bench.run("only")
    assert bench.acc(1, 8) == [1] * 8


STORES = {
    "vector": f"vpass [{8 * WEIGHTS}]:i8, #5, #0 length=8",
    "vector at a moving address": f"setb register=1 value=8\nvpass [b1+{8 * WEIGHTS - 8}]:i8, #5, #0 length=8",
    "vector that ends in the weights": f"vpass [{8 * WEIGHTS - 8}]:i8, #5, #0 length=16",
    "look-up": f"lut [{8 * WEIGHTS}]:i8, [{X - 64}]:i8 length=8",
    "interpolation": f"interp [{8 * WEIGHTS}]:i8, [{X - 64}]:i16 length=8",
    "message": f"recv address={8 * WEIGHTS} length=1",
}


@pytest.mark.parametrize("seen", [True, False], ids=["multiplied in between", "not multiplied in between"])
@pytest.mark.parametrize("first", [True, False], ids=["store first in the code", "product first in the code"])
@pytest.mark.parametrize("by", STORES)
def test_weights_that_were_stored_to_are_those_of_the_image_after_a_reset(by: str, first: bool, seen: bool) -> None:
    data = bytearray(X + 1)
    data[8 * WEIGHTS : 8 * WEIGHTS + 8], data[X] = b"\1" * 8, 1
    product, store = f"product:\n{dense(1, 8, [1]).line()} fresh=1\nend\n", f"store:\n{STORES[by]}\nend\n"
    tables = dict.fromkeys(range(4), [5] * 256)
    bench = Bench(Source(store + product if first else product + store, data=data, tables=tables))
    for _ in range(2):
        bench.run("product")
        assert bench.acc(1, 8) == [1] * 8
        bench.spu.begin_frame()
        bench.post([0x0505050505050505] if by == "message" else [], "store").spu.run()
        if seen:
            bench.run("product")
            assert bench.acc(1, 8) == [5] * 8
        bench.spu.reset()


@pytest.mark.parametrize(("offset", "decoded_again"), [(0, True), (7, True), (8, False), (120, False)])
def test_only_stores_to_weights_that_are_kept_decode_them_again(offset: int, decoded_again: bool) -> None:
    """One of 16 groups is kept; what lies where the others would be is something else."""
    weights = [[0] * 8 for _ in range(16)]
    weights[3] = [1] * 8
    case = Case(weights, [2] * 16, 8, 8, form=1)
    bench = case.bench(f"{case.line()}\nvpass [{8 * WEIGHTS + offset}]:i8, #5, #0\nend")
    bench.run()
    executor = bench.core().executors[0]
    assert isinstance(executor, MatrixExecutor)
    assert (executor.weights is None) == decoded_again


def test_activations_at_a_moving_address() -> None:
    case = dense(4, 8, [1, 2, 3, 4], x_bits=16)
    line = case.line().replace(f"[{X}]", f"[b2+{X - 6}]")
    bench = case.bench(f"setb register=2 value=6\n{line}\nend")
    assert bench.run() == START + 1 + 4 + 4 + END
    assert bench.acc(1, 8) == [10] * 8
    assert bench.banks(1) == bench_banks(case)


def bench_banks(case: Case) -> tuple[list[int], list[int]]:
    bench = case.bench()
    bench.run()
    return bench.banks()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("mac a1 acc=0", "mac: x must be in memory, not a1."),
        ("mac #1 acc=0", "mac: x must be in memory, not #1."),
        ("mac [0]:i8 acc=7 rows=9", "mac: the outputs must end inside the accumulator file."),
        ("mac [1]:i16 acc=0", "address 0x1: must be a multiple of 2 for 16-bit elements."),
        (
            "mac [0xfff]:i8 acc=0 columns=2",
            "address 0xfff: 2 elements of 8 bits must end at or before 0x1000, the end of",
        ),
        ("mac [0]:i8 acc=0 columns=2 weights=511", "address 0xff8: 2 words must end inside data memory."),
        ("mac [0]:i8 acc=0 columns=65 mask=511 form=1", "address 0xff8: 2 words must end inside data memory."),
    ],
)
def test_faults(line: str, sentence: str) -> None:
    with pytest.raises(MachineFault) as caught:
        Bench(f"{line}\nend").run()
    assert str(caught.value).startswith(f"core 0 pc 0: {sentence}")


REPEATED = "mac [0xc08]:i16 acc=1 columns=8 rows=8 weights=0x10 {}"


def repeated_bench(line: str, x: list[int]) -> Bench:
    """8 by 8 weights, the mask of which keeps all but the first four columns, and sums that are not zero."""
    bench = Bench(f"{line}\nend").write(0xC08, 16, x).set_acc(1, [k * k for k in range(40)])
    bench.write(8 * 0x10, 8, [(k * 7) % 31 - 15 for k in range(64)]).write(8 * 0x100, 8, [0xF0])
    return bench


@pytest.mark.parametrize("form", ["width=1", "width=1 form=1 mask=0x100", "width=0 fresh=1"])
def test_a_repeated_product_is_that_of_the_following_activations(form: str) -> None:
    x = [0 if k % 5 == 0 else k * 13 - 99 for k in range(24)]
    made = repeated_bench(REPEATED.format(f"{form} repeat=3"), x)
    made.run()
    for turn in range(3):
        alone = repeated_bench(REPEATED.format(form).replace("acc=1", f"acc={turn + 1}"), x[8 * turn : 8 * turn + 8])
        alone.run()
        assert made.acc(turn + 1, 8) == alone.acc(turn + 1, 8)
    assert made.acc(4, 8) == [k * k for k in range(24, 32)]


def test_repetitions_share_a_start() -> None:
    """8 live activations of one group each, in two words: the lanes are never out of work."""
    made = repeated_bench(REPEATED.format("width=1 repeat=3"), [1] * 24)
    made.run()
    assert made.events()["cycles"] == START + 4 + 24
    assert made.events()["matrix_executed"] == made.events()["matrix_dense"] == 3 * 64
    assert made.events()["activation"] == 24


def test_a_mask_is_read_once_for_each_repetition() -> None:
    """Its one word comes in the step in which a repetition begins; what it keeps is 4 groups."""
    made = repeated_bench(REPEATED.format("width=1 form=1 mask=0x100 repeat=3"), [1] * 24)
    made.run()
    # Activation 4 is in the second word: one step of waiting, then 4 groups for each repetition; the second begins
    # with activation 12, in the fourth word, and the third with activation 20, in the sixth: all of them in time.
    assert made.events()["cycles"] == START + 4 + 1 + 12
    assert made.events()["dm_read"] == 6 + 3 + 3 * 4
    assert made.events()["index_group"] == 12


def test_repeated_outputs_must_end_inside_the_accumulators() -> None:
    rows = SMALL.acc_rows
    repeated_bench(REPEATED.format(f"repeat={rows - 1}"), [0] * 8).run()
    with pytest.raises(MachineFault, match="the outputs must end inside"):
        repeated_bench(REPEATED.format(f"repeat={rows}"), [0] * 8).run()


@pytest.mark.parametrize(
    ("mask", "more"),
    [(0x100, 0), (0x182, 1), (0x183, 0)],  # another pair; the bank of the activations; the other bank of their pair
)
@pytest.mark.parametrize("form", [1, 2])
def test_first_words_of_activations_and_mask_that_share_a_bank_come_one_after_the_other(
    form: int, mask: int, more: int
) -> None:
    """Word 0x180 has the activations, bank 6."""
    line = f"mac [0xc00]:i8 acc=1 columns=8 rows=8 weights=16 form={form} mask={mask}"
    bench = Bench(f"{line}\nend").write(X, 8, [1] * 8)
    bench.write(8 * mask, 8, [-1] if form == 1 else [1, -1])
    # A nested mask is known one step later, and its reader of bytes has a word of its own.
    assert bench.run() == START + 4 + more + 8 + (form == 2) + END
