"""Equal small operations become one, in an order that keeps every value right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from femtodriver.compiler.fmir.ir import (
    Buffer,
    Cursor,
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Matrix,
    Op,
    Post,
    Products,
    Role,
    Vec,
    View,
    walk,
)
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.passes import pack_operations as packing
from femtodriver.compiler.passes.pack_operations import pack_operations
from tests.compiler.fmir_samples import SATURATE, buffer, copy, machine_outputs, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare

STATE = buffer("state0", init=np.arange(16) * 100 - 700)
NUMBERS = np.random.default_rng(0)
TABLES = {name: NUMBERS.integers(-(1 << 15), 1 << 15, 256) for name in ("table0", "table1")}


@pytest.fixture(scope="module", autouse=True)
def packing_always_pays() -> Iterator[None]:
    """Small networks save little by packing; here they are packed all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "LEAST_SAVING", 0.0)
        yield


def eight(name: str, offset: int = 0, step: int = 1) -> View:
    """8 elements of a buffer."""
    return View(name, offset, 8, step)


def vec(op: str, dst: View, a: View, b: View | int = 0, shift: int = 0) -> Vec:
    return Vec(op, dst, a, b, post=Post(shift, False, "saturate", 16))


def temporaries(count: int, length: int = 8) -> list[Buffer]:
    return [buffer(f"t{k}", length) for k in range(count)]


def packed(buffers: Sequence[Buffer], ops: Sequence[Op], matrices: Sequence[Matrix] = ()) -> list[Op]:
    """The operations after packing; they must compute what they did before."""
    before = network(buffers, ops, matrices, TABLES).with_ops(tuple(ops))
    verify(before)
    after = pack_operations(before, SPU)
    verify(after)
    assert outputs(after) == outputs(before)
    assert machine_outputs(after) == outputs(before)
    return list(after.ops)


def lengths(ops: Sequence[Op], name: str) -> list[int]:
    """How long the vector operations of that name are, in order."""
    return [op.dst.length for op in ops if isinstance(op, Vec) and op.op == name]


# ---- what is packed --------------------------------------------------------------------------------------------------


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


def pairs(make: list[Op]) -> list[Op]:
    """Two operations that fill t0 and t1, and copies that lay these side by side."""
    return [*make, *(vec("vpass", eight("out0", 8 * k), eight(f"t{k}")) for k in range(2))]


def test_operands_of_every_kind_are_laid_side_by_side() -> None:
    constant = buffer("const0", init=np.arange(16) * 3)
    buffers = [IN, OUT, STATE, constant, *temporaries(2)]
    halves = [eight("in0"), eight("in0", 8)]
    pair: dict[str, list[Op]] = {
        "vectors": [vec("vadd", eight(f"t{k}"), half, half) for k, half in enumerate(halves)],
        "numbers": [vec("vadd", eight(f"t{k}"), half, -7) for k, half in enumerate(halves)],
        "constants in any order": [
            vec("vmul", eight(f"t{k}"), half, eight("const0", 8 - 8 * k), -4) for k, half in enumerate(halves)
        ],
        "one element with all": [
            vec("vadd", eight(f"t{k}"), half, eight("state0", 5, 0)) for k, half in enumerate(halves)
        ],
        "one constant with all": [
            vec("vadd", eight(f"t{k}"), half, eight("const0", 5, 0)) for k, half in enumerate(halves)
        ],
        "a number first": [Vec("vsub", eight(f"t{k}"), 9, half, post=SATURATE) for k, half in enumerate(halves)],
        "tables": [Look(eight(f"t{k}"), half, "table0", -8) for k, half in enumerate(halves)],
        "interpolations": [
            Interp(eight(f"t{k}"), half, "table0", "table1", post=SATURATE) for k, half in enumerate(halves)
        ],
    }
    for what, make in pair.items():
        after = packed(buffers, pairs(make))
        assert [op.dst.length for op in after if not isinstance(op, (Loop, If))] == [16, 16], what


DIFFERENT: dict[str, list[Op]] = {
    "instructions": [vec("vadd", eight("t0"), eight("in0"), 1), vec("vsub", eight("t1"), eight("in0", 8), 1)],
    "numbers": [vec("vadd", eight("t0"), eight("in0"), 1), vec("vadd", eight("t1"), eight("in0", 8), 2)],
    "clips": [
        vec("vadd", eight("t0"), eight("in0"), 1),
        replace(vec("vadd", eight("t1"), eight("in0", 8), 1), post=Post(-1)),
    ],
    "shifts of a": [
        vec("vadd", eight("t0"), eight("in0"), 1),
        replace(vec("vadd", eight("t1"), eight("in0", 8), 1), shift_a=-1),
    ],
    "shifts of b": [
        vec("vadd", eight("t0"), eight("in0"), eight("in0")),
        replace(vec("vadd", eight("t1"), eight("in0", 8), eight("in0", 8)), shift_b=-1),
    ],
    "repeated elements": [
        vec("vadd", eight("t0"), eight("in0"), eight("state0", 1, 0)),
        vec("vadd", eight("t1"), eight("in0", 8), eight("state0", 2, 0)),
    ],
    "repeated and whole": [
        vec("vadd", eight("t0"), eight("in0"), eight("in0")),
        vec("vadd", eight("t1"), eight("in0", 8), eight("in0", 8, 0)),
    ],
    "places": [vec("vadd", eight("t0"), eight("in0", 8), 1), vec("vadd", eight("t1"), eight("in0"), 1)],
    "buffers": [
        vec("vadd", eight("t0"), eight("state0"), 1),
        vec("vadd", eight("t1"), eight("in0", 8), 1),
    ],
    "constant and computed": [
        vec("vadd", eight("t0"), eight("in0"), eight("const0")),
        vec("vadd", eight("t1"), eight("in0", 8), eight("state0", 8)),
    ],
    "tables": [Look(eight("t0"), eight("in0"), "table0", -8), Look(eight("t1"), eight("in0", 8), "table1", -8)],
    "shifts of addresses": [
        Look(eight("t0"), eight("in0"), "table0", -8),
        Look(eight("t1"), eight("in0", 8), "table0", -7),
    ],
    "lines": [
        Interp(eight("t0"), eight("in0"), "table0", "table1", post=SATURATE),
        Interp(eight("t1"), eight("in0", 8), "table1", "table0", post=SATURATE),
    ],
    "slopes": [
        Interp(eight("t0"), eight("in0"), "table0", "table1", post=SATURATE),
        Interp(eight("t1"), eight("in0", 8), "table0", "table1", -2, post=SATURATE),
    ],
    "offsets": [
        Interp(eight("t0"), eight("in0"), "table0", "table1", post=SATURATE),
        Interp(eight("t1"), eight("in0", 8), "table0", "table1", 0, -2, post=SATURATE),
    ],
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_operations_that_differ_stay_apart(what: str) -> None:
    constant = buffer("const0", init=np.arange(16) * 3)
    buffers = [IN, OUT, STATE, constant, *temporaries(2)]
    after = packed(buffers, pairs(DIFFERENT[what]))
    assert len(after) == 3, "only the copies are one"


MADE: list[Op] = [vec("vmax", eight(f"t{k}"), eight("in0", k), 5 * k) for k in (2, 3, 4)]
WAYWARD: dict[str, list[Op]] = {
    "two behind one": [
        vec("vadd", eight("t0"), eight("t2"), eight("t2")),
        vec("vadd", eight("t1"), eight("t3"), eight("t4")),
    ],
    "two before one": [
        vec("vadd", eight("t0"), eight("t2"), eight("t4")),
        vec("vadd", eight("t1"), eight("t3"), eight("t3")),
    ],
    "in a circle": [
        vec("vadd", eight("t0"), eight("t2"), eight("t3")),
        vec("vadd", eight("t1"), eight("t3"), eight("t2")),
    ],
    "beside itself": [
        vec("vadd", eight("t0"), eight("in0"), eight("t2")),
        vec("vadd", eight("t1"), eight("in0", 8), eight("t2")),
    ],
    "behind an input": [
        vec("vadd", eight("t0"), eight("in0", 8), eight("t3")),
        vec("vadd", eight("t1"), eight("t2"), eight("t4")),
    ],
    "before an input": [
        vec("vadd", eight("t0"), eight("t2"), eight("t3")),
        vec("vadd", eight("t1"), eight("in0"), eight("t4")),
    ],
}


@pytest.mark.parametrize("what", WAYWARD)
def test_what_cannot_be_laid_side_by_side_stays_apart(what: str) -> None:
    ops = [*MADE, *WAYWARD[what], *(vec("vpass", eight("out0", 8 * k), eight(f"t{k}")) for k in range(2))]
    assert lengths(packed([IN, OUT, *temporaries(5)], ops), "vadd") == [8, 8]


def test_chains_grow_at_both_ends() -> None:
    """The maxima, which are looked at first, want t4 behind t3; then the minima want t2 before it."""
    ops = [
        *MADE,
        *(vec("vmin", eight(f"t{k}"), eight(f"t{k + 2}"), 1) for k in range(2)),
        *(vec("vmax", eight("out0", 8 * k), eight(f"t{k + 3}"), eight(f"t{k}")) for k in range(2)),
    ]
    after = packed([IN, OUT, *temporaries(5)], ops)
    assert lengths(after, "vmin") == [16]
    assert 16 in lengths(after, "vmax")


@pytest.mark.parametrize("offset", [0, 4])
def test_parts_of_values_are_not_laid_side_by_side(offset: int) -> None:
    """They begin or end inside of their buffers."""
    ops = [
        *MADE[:2],
        vec("vadd", View("out0", 0, 4), View("t2", offset, 4), 3),
        vec("vadd", View("out0", 4, 4), View("t3", offset, 4), 3),
        vec("vpass", eight("out0", 8), eight("t2")),
    ]
    assert lengths(packed([IN, OUT, *temporaries(4)], ops), "vadd") == [4, 4]


def test_pieces_that_meet_where_two_values_do_are_one() -> None:
    """The maxima want t3 behind t2; so the end of t2 and the beginning of t3 lie side by side."""
    ops = [
        *MADE[:2],
        *(vec("vmin", eight(f"t{k + 4}"), eight(f"t{k + 2}"), 1) for k in range(2)),
        vec("vadd", View("state0", 0, 4), View("t2", 4, 4), 3),
        vec("vadd", View("state0", 4, 4), View("t3", 0, 4), 3),
        *(vec("vmax", eight("out0", 8 * k), eight(f"t{k + 2}"), eight(f"t{k + 4}")) for k in range(2)),
    ]
    assert lengths(packed([IN, OUT, STATE, *temporaries(6)], ops), "vadd") == [8]


def test_packed_constants_are_stored_once() -> None:
    constant = buffer("const0", init=np.arange(16) * 3)
    ops = [vec("vmul", eight(f"t{k}"), eight("in0", 8 * k), eight("const0", 8 * k), -4) for k in range(2)]
    ops += [vec("vsub", eight(f"t{k + 2}"), eight("in0", 8 * k), eight("const0", 8 - 8 * k)) for k in range(2)]
    ops += [vec("vadd", eight(f"t{k + 4}"), eight("in0", 8 * k), eight("const0", 8 - 8 * k)) for k in range(2)]
    ops += [vec("vmax", eight("out0", 8 * k), eight(f"t{k}"), eight(f"t{k + 2}")) for k in range(2)]
    ops += [vec("vmin", eight("out1", 8 * k), eight(f"t{k}"), eight(f"t{k + 4}")) for k in range(2)]
    ops.append(vec("vmax", View("out2", 0, 16), View("in0", 0, 16), View("const0", 0, 16)))
    # Two states begin with the very values of the packed constants, but change.
    states = [replace(STATE, name=f"state{k}", init=constant.init) for k in range(1)]
    swapped = np.roll(np.arange(16) * 3, 8)
    states.append(replace(STATE, name="state1", init=swapped))
    ops += [vec("vadd", View(state.name, 0, 16), View("in0", 0, 16), k) for k, state in enumerate(states)]
    buffers = [*states, IN, OUT, buffer("out1"), buffer("out2"), constant, *temporaries(6)]
    before = network(buffers, ops)
    after = pack_operations(before, SPU)
    assert outputs(after) == outputs(before)
    assert len(after.ops) == 8
    known = [b.init.tolist() for b in after.buffers.values() if b.role is Role.CONST and b.init is not None]
    assert known == [constant.init.tolist() if constant.init is not None else [], swapped.tolist()]


def test_long_operations_are_left_alone() -> None:
    wide = [buffer("in0", 130), buffer("out0", 130), *temporaries(2, 65)]
    ops = [vec("vadd", View(f"t{k}", 0, 65), View("in0", 65 * k, 65), 1) for k in range(2)]
    ops += [vec("vpass", View("out0", 65 * k, 65), View(f"t{k}", 0, 65)) for k in range(2)]
    assert len(packed(wide, ops)) == 4
    just = [buffer("in0", 128), buffer("out0", 128), *temporaries(2, 64)]
    ops = [vec("vadd", View(f"t{k}", 0, 64), View("in0", 64 * k, 64), 1) for k in range(2)]
    ops += [vec("vpass", View("out0", 64 * k, 64), View(f"t{k}", 0, 64)) for k in range(2)]
    assert len(packed(just, ops)) == 2


def test_many_make_one() -> None:
    buffers = [buffer("in0", 64), buffer("out0", 64), *temporaries(16)]
    ops = [vec("vadd", eight(f"t{k}"), eight("in0", 8 * k), 3) for k in range(8)]
    ops += [vec("vmax", eight(f"t{k + 8}"), eight(f"t{k}"), 0) for k in range(8)]
    ops += [vec("vpass", eight("out0", 8 * k), eight(f"t{k + 8}")) for k in range(8)]
    assert [op.dst.length for op in packed(buffers, ops) if isinstance(op, Vec)] == [64, 64, 64]


def test_what_is_packed_belongs_to_the_layer_of_its_first_part() -> None:
    ops = pairs([replace(vec("vadd", eight(f"t{k}"), eight("in0", 8 * k), 1), layer=k) for k in range(2)])
    assert [(op.layer, lengths([op], "vadd")) for op in packed([IN, OUT, *temporaries(2)], ops)] == [(0, [16]), (0, [])]


def test_values_of_different_widths_do_not_share_a_buffer() -> None:
    buffers = [IN, buffer("out0", 16), buffer("t0", 8), buffer("t1", 8, 32)]
    ops = pairs([vec("vadd", eight(f"t{k}"), eight("in0", 8 * k), 1) for k in range(2)])
    assert len(packed(buffers, ops)) == 4


@pytest.mark.parametrize(("bits", "length"), [(8, 16), (32, 16), (64, 8)])
def test_what_memory_can_hold_is_laid_side_by_side(bits: int, length: int) -> None:
    """Values of 64 bits live in accumulators, where each begins a row of its own."""
    buffers = [buffer("in0", 16, 8), buffer("out0", 16, 32), *(buffer(f"t{k}", 8, bits) for k in range(2))]
    ops = pairs([vec("vmax", eight(f"t{k}"), eight("in0", 8 * k), 1) for k in range(2)])
    assert set(lengths(packed(buffers, ops), "vmax")) == {length}


def test_what_loops_and_branches_touch_keeps_its_place() -> None:
    body = (vec("vpass", View("out0", 0, 8, 1, "c0"), View("t0", 0, 8)), vec("vmax", eight("t1"), eight("t1"), 0))
    ops: list[Op] = [vec("vadd", eight(f"t{k}"), eight("in0", 8 * k), 1) for k in range(2)]
    ops += [Loop(2, body, (Cursor("c0", 8),)), If(View("t1", 0, 1), (vec("vpass", eight("out0"), eight("t1")),), ())]
    after = packed([IN, OUT, *temporaries(2)], ops)
    assert lengths(after, "vadd") == [8, 8]
    assert sum(isinstance(op, (Loop, If)) for op in after) == 2


def test_packing_that_saves_little_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    ops = pairs([vec("vadd", eight(f"t{k}"), eight("in0", 8 * k), 1) for k in range(2)])
    before = network([IN, OUT, *temporaries(2)], ops)
    for least, done in ((0.5, True), (0.51, False)):
        monkeypatch.setattr(packing, "LEAST_SAVING", least)
        assert (pack_operations(before, SPU) is not before) == done, "two of four operations vanish"


WEIGHTS = [Matrix(f"m{k}", (np.arange(64).reshape(8, 8) * (k + 1)) % 15 - 7, 4) for k in range(3)]
ROUND = Post(-4, True, "saturate", 16)


def mac(dst: View, *parts: tuple[str, View], bias: View | int = 0) -> Mac:
    return Mac(dst, parts, bias, 2, ROUND)


def products(buffers: Sequence[Buffer], make: Sequence[Op]) -> list[Mac]:
    """The products that two are packed into."""
    used = {name for op in make if isinstance(op, Mac) for name, _ in op.parts}
    after = packed(buffers, pairs(list(make)), [matrix for matrix in WEIGHTS if matrix.name in used])
    return [op for op in after if isinstance(op, Mac)]


def test_products_with_the_same_matrices_are_repeated() -> None:
    constant = buffer("const0", init=np.arange(16) * 30 - 200)
    buffers = [IN, OUT, STATE, constant, *temporaries(2)]
    make = [
        mac(
            eight(f"t{k}"), ("m0", eight("in0", 8 * k)), ("m1", eight("state0", 8 * k)), bias=eight("const0", 8 - 8 * k)
        )
        for k in range(2)
    ]
    (one,) = products(buffers, make)
    assert (one.repeat, one.rows, one.dst.length) == (2, 8, 16)
    assert [(name, x.length) for name, x in one.parts] == [("m0", 16), ("m1", 16)]
    assert isinstance(one.bias, View)
    assert one.bias.length == 16


UNLIKE: dict[str, list[Op]] = {
    "matrices": [mac(eight("t0"), ("m0", eight("in0"))), mac(eight("t1"), ("m1", eight("in0", 8)))],
    "numbers of matrices": [
        mac(eight("t0"), ("m0", eight("in0"))),
        mac(eight("t1"), ("m0", eight("in0", 8)), ("m1", eight("in0", 8))),
    ],
    "biases": [mac(eight("t0"), ("m0", eight("in0")), bias=1), mac(eight("t1"), ("m0", eight("in0", 8)), bias=2)],
    "shifts of biases": [
        mac(eight("t0"), ("m0", eight("in0")), bias=1),
        replace(mac(eight("t1"), ("m0", eight("in0", 8)), bias=1), bias_shift=3),
    ],
    "clips": [
        mac(eight("t0"), ("m0", eight("in0"))),
        replace(mac(eight("t1"), ("m0", eight("in0", 8))), post=SATURATE),
    ],
    "places": [mac(eight("t0"), ("m0", eight("in0", 8))), mac(eight("t1"), ("m0", eight("in0")))],
}


@pytest.mark.parametrize("what", UNLIKE)
def test_products_that_differ_stay_apart(what: str) -> None:
    assert [op.repeat for op in products([IN, OUT, *temporaries(2)], UNLIKE[what])] == [1, 1]


def test_products_that_do_not_fill_groups_stay_apart() -> None:
    """Their sums would not lie side by side."""
    matrix = Matrix("m0", np.arange(48).reshape(8, 6) % 15 - 7, 4)
    ops: list[Op] = [mac(View("out0", 6 * k, 6), ("m0", eight("in0", 8 * k))) for k in range(2)]
    ops.append(Vec("vpass", View("out0", 12, 4), View("in0", 0, 4)))
    assert len(packed([IN, OUT], ops, [matrix])) == 3


def test_no_more_products_are_repeated_than_one_matrix_could_hold() -> None:
    columns = 2048
    matrix = Matrix("m0", np.arange(8 * columns).reshape(columns, 8) % 3 - 1, 4)
    ops = [mac(eight("out0", 8 * k), ("m0", View("in0", columns * k, columns))) for k in range(3)]
    after = packed([buffer("in0", 3 * columns), buffer("out0", 24)], ops, [matrix])
    assert sorted(op.repeat for op in after if isinstance(op, Mac)) == [1, 2]


def test_sums_of_products_are_packed() -> None:
    constant = buffer("const0", init=np.arange(16) * 3)
    first, second = (
        Products(
            eight(f"t{k}"),
            ((eight("in0", 8 * k), eight("const0", 8 - 8 * k)), (eight("state0", 8 * k), 5)),
            eight("const0"),
            3,
            ROUND,
        )
        for k in range(2)
    )
    buffers = [IN, OUT, STATE, constant, *temporaries(2)]
    after = [op for op in packed(buffers, pairs([first, second])) if isinstance(op, Products)]
    assert [op.dst.length for op in after] == [16]
    factors = (second.factors[0], (eight("state0", 8), 6))
    for unlike in (
        replace(second, bias_shift=2),
        replace(second, post=SATURATE),
        replace(second, bias=4),
        replace(second, factors=factors),
    ):
        assert len([op for op in packed(buffers, pairs([first, unlike])) if isinstance(op, Products)]) == 2


# ---- the order of operations -----------------------------------------------------------------------------------------


def test_nothing_is_packed_with_what_it_needs() -> None:
    ops = [
        vec("vadd", eight("t0"), eight("in0"), 1),
        vec("vadd", eight("t1"), eight("t0"), 1),
        vec("vpass", eight("out0"), eight("t0")),
        vec("vpass", eight("out0", 8), eight("t1")),
    ]
    assert lengths(packed([IN, OUT, *temporaries(2)], ops), "vadd") == [8, 8]


def test_a_read_of_the_old_value_stays_before_the_write() -> None:
    ops = [
        vec("vadd", eight("t0"), eight("state0"), 1),
        vec("vsub", eight("t2"), eight("in0"), 1),
        vec("vmax", eight("t3"), eight("t2"), 1),
        vec("vadd", eight("t1"), eight("state0", 8), 1),
        vec("vmin", eight("state0", 8), eight("in0"), 5),
        vec("vpass", eight("out0"), eight("t0")),
        vec("vpass", eight("out0", 8), eight("t1")),
    ]
    after = packed([IN, OUT, STATE, *temporaries(4)], ops)
    assert lengths(after, "vadd") == [16]


def test_a_read_of_the_new_value_stays_behind_the_write() -> None:
    ops = [
        vec("vadd", eight("t0"), eight("state0"), 1),
        vec("vadd", eight("state0", 8), eight("in0"), 5),
        vec("vadd", eight("t1"), eight("state0", 8), 1),
        vec("vpass", eight("out0"), eight("t0")),
        vec("vpass", eight("out0", 8), eight("t1")),
    ]
    packed([IN, OUT, STATE, *temporaries(2)], ops)


def test_a_write_is_not_drawn_before_a_read_of_the_old_value() -> None:
    """The second half of the state could be written together with the first one, but is read in between."""
    ops = [
        vec("vsub", eight("state0"), eight("in0"), 7),
        vec("vmax", eight("out0"), eight("state0", 8), 0),
        vec("vsub", eight("state0", 8), eight("in0", 8), 7),
        vec("vmax", eight("out0", 8), eight("state0"), 1),
    ]
    packed([IN, OUT, STATE], ops)
    packed([IN, OUT, STATE], [ops[2], replace(ops[1], a=eight("state0")), ops[0], ops[3]])


@pytest.mark.parametrize("first", [True, False])
def test_a_loop_that_writes_where_a_cursor_stands_keeps_its_place(first: bool) -> None:
    """Its view is that of the first iteration; it overwrites, or is overwritten by, what is written elsewhere."""
    loop = Loop(2, (vec("vmax", View("out0", 0, 8, 1, "c0"), eight("in0"), 5),), (Cursor("c0", 8),))
    halves = [vec("vadd", eight("out0", 8 * k), eight("in0", 8 * k), 1) for k in range(2)]
    ops: list[Op] = [halves[0], loop, halves[1]] if first else [halves[1], loop, halves[0]]
    packed([IN, OUT], ops)


def test_a_loop_that_writes_where_a_cursor_stands_comes_behind_earlier_writes() -> None:
    """The first sum must not be drawn behind the loop by the second one, which comes later."""
    loop = Loop(2, (vec("vmin", View("out0", 0, 8, 1, "c0"), eight("in0"), 5),), (Cursor("c0", 8),))
    sums = [vec("vadd", eight("out0", 8 + 8 * k), eight(f"t{k}"), 1) for k in range(2)]
    made = [vec("vmax", eight(f"t{k}"), eight("in0", 8 * k), 0) for k in range(2)]
    packed([IN, buffer("out0", 24), *temporaries(2)], [made[0], sums[0], loop, made[1], sums[1]])


def test_writes_of_the_same_elements_keep_their_order() -> None:
    """The last write counts, even if an equal operation far in front could take it along."""
    ops = [
        vec("vadd", eight("out0"), eight("in0"), 1),
        vec("vmax", eight("out0", 4), eight("in0"), 3),
        vec("vadd", eight("out0", 8), eight("in0", 8), 1),
        vec("vmin", View("out0", 2, 4), View("in0", 0, 4), 9),
    ]
    packed([IN, OUT], ops)
    packed([IN, OUT], [ops[1], ops[0], ops[3], ops[2]])


def test_a_write_waits_for_every_read_of_the_old_value() -> None:
    """The first read comes late, because what it adds is made together with something that comes later still."""
    ops = [
        vec("vmax", eight("t0"), eight("in0"), 1),
        vec("vsub", eight("t2"), eight("t0"), 7),
        vec("vadd", eight("out0"), eight("t2"), eight("state0")),
        vec("vmul", eight("out1"), eight("state0", 8), 3, -2),
        vec("vmin", eight("state0"), eight("in0", 4), 5),
        vec("vmin", eight("t1"), eight("in0", 8), 9),
        vec("vsub", eight("t3"), eight("t1"), 7),
        vec("vpass", eight("out0", 8), eight("t3")),
    ]
    after = packed([IN, OUT, buffer("out1", 8), STATE, *temporaries(4)], ops)
    assert lengths(after, "vsub") == [16]


def test_writes_that_share_one_element_keep_their_order() -> None:
    """The sums could be one, but the maximum writes the first element of the second one before it."""
    ops = [
        vec("vadd", eight("out0"), eight("in0"), 1),
        vec("vmax", eight("out0", 1), eight("in0"), 3),
        vec("vadd", eight("out0", 8), eight("in0", 8), 1),
    ]
    packed([IN, OUT], ops)


def test_a_long_write_before_short_ones_is_not_forgotten() -> None:
    """The second sum overwrites the end of the maximum, which begins far in front of it."""
    ops = [
        vec("vadd", eight("out0", 12), eight("in0"), 1),
        vec("vmax", View("out0", 0, 24), View("in0", 0, 24), 3),
        vec("vmin", View("out0", 0, 4), View("in0", 0, 4), 9),
        vec("vadd", eight("out0", 20), eight("in0", 8), 1),
    ]
    packed([buffer("in0", 28), buffer("out0", 28)], ops)


def test_writes_of_different_elements_of_one_buffer_are_free() -> None:
    ops = [vec("vadd", eight("out0", 8 * k), eight("in0", 8 * k), 1) for k in range(2)]
    assert lengths(packed([IN, OUT], ops), "vadd") == [16]
    assert lengths(packed([IN, OUT], ops[::-1]), "vadd") == [16]


def test_what_waits_for_a_whole_run_comes_behind_its_last_operand() -> None:
    """The first operation of the run could go at once; the second needs a value that is made later."""
    ops = [
        vec("vadd", eight("t0"), eight("in0"), 1),
        vec("vmax", eight("t2"), eight("in0", 8), 0),
        vec("vmin", eight("t3"), eight("t2"), 9),
        vec("vmin", eight("t4"), eight("t0"), 9),
        vec("vpass", eight("out0"), eight("t4")),
        vec("vpass", eight("out0", 8), eight("t3")),
    ]
    after = packed([IN, OUT, *temporaries(5)], ops)
    assert lengths(after, "vmin") == [16]


def test_what_reads_a_later_part_of_a_run_waits_for_the_whole_run() -> None:
    """The run begins in front of the maximum, which reads its second part, but its third part must wait."""
    ops: list[Op] = [
        *(vec("vsub", eight(f"t{k}"), eight("in0", 4 * k), 7) for k in range(2)),
        *(vec("vadd", eight(f"t{k + 3}"), eight(f"t{k}"), 1) for k in range(2)),
        vec("vmax", eight("out1"), eight("t4"), 3),
        vec("vmin", eight("t2"), eight("in0", 8), 7),
        vec("vadd", eight("t5"), eight("t2"), 1),
        *(vec("vpass", eight("out0", 8 * k), eight(f"t{k + 3}")) for k in range(3)),
    ]
    after = packed([IN, buffer("out0", 24), buffer("out1", 8), *temporaries(6)], ops)
    assert lengths(after, "vadd") == [24]


def test_products_that_are_repeated_stay_as_they_are() -> None:
    """They have been packed before."""
    ops = [replace(mac(View("out0", 16 * k, 16), ("m0", View("in0", 16 * k, 16))), repeat=2) for k in range(2)]
    after = packed([buffer("in0", 32), buffer("out0", 32)], ops, WEIGHTS[:1])
    assert [op.repeat for op in after if isinstance(op, Mac)] == [2, 2]


def test_what_is_not_packed_keeps_its_order() -> None:
    names = ["vadd", "vsub", "vmax", "vmin", "vmul", "vxor"]
    ops = [vec(name, View(f"t{k}", 0, 8), eight("in0", k), 3, -8) for k, name in enumerate(names)]
    ops.append(vec("vadd", eight("out0"), eight("t0"), eight("t1")))
    ops.append(vec("vsub", eight("out0", 8), eight("t5"), eight("t4")))
    after = packed([IN, OUT, *temporaries(6)], ops)
    assert [op.op for op in after if isinstance(op, Vec)] == [*names, "vadd", "vsub"]


def test_products_wait_for_packed_values() -> None:
    matrix = Matrix("m0", NUMBERS.integers(-9, 9, (8, 8)), 8)
    ops: list[Op] = [vec("vadd", eight(f"t{k}"), eight("in0", 8 * k), 1) for k in range(2)]
    ops += [
        Mac(eight(f"t{k + 2}"), (("m0", eight(f"t{k}")),), post=Post(k - 4, clip="saturate", bits=16)) for k in range(2)
    ]
    ops += [vec("vpass", eight("out0", 8 * k), eight(f"t{k + 2}")) for k in range(2)]
    after = packed([IN, OUT, *temporaries(4)], ops, [matrix])
    assert sum(isinstance(op, Mac) for op in after) == 2


# ---- random networks -------------------------------------------------------------------------------------------------


@dataclass
class _Scene:
    """Random operations of few kinds on pieces of 8 and 4 elements, so that many are equal but for their vectors."""

    draw: st.DrawFn
    ops: list[Op] = field(default_factory=list)
    made: list[str] = field(default_factory=list)

    def number(self, most: int) -> int:
        return self.draw(st.integers(0, most))

    def source(self, length: int) -> View:
        """Something to read, more often what was made last."""
        fixed = ["in0", "state0", "state1", "const0"]
        recent = self.made[-6:]
        name = self.draw(st.sampled_from([*recent, *recent, *fixed]))
        if self.number(9) == 0:
            return View(name, self.number(7), length, 0)
        return View(name, self.number((8 if name in self.made else 16) - length), length)

    def target(self, length: int, *sources: View | int) -> View:
        """A new temporary, or part of what is already there and not read at the same time."""
        if length == 8 and self.number(4):
            self.made.append(f"t{len(self.made)}")
            return View(self.made[-1], 0, 8)
        read = {source.buffer for source in sources if isinstance(source, View)}
        names = [name for name in ("state0", "state1", "out0", *self.made[-3:]) if name not in read]
        name = self.draw(st.sampled_from(names))
        places = 8 if name in self.made else 16
        return View(name, self.draw(st.sampled_from(range(0, places - length + 1, 4))), length)

    def add(self) -> None:
        """One operation."""
        length = self.draw(st.sampled_from([8, 8, 8, 4]))
        kind = self.draw(st.sampled_from(["vadd", "vadd", "vsub", "vmax", "vpass", "look", "interp", "if"]))
        a = self.source(length)
        if kind in ("look", "interp"):
            a = replace(a, step=1, offset=min(a.offset, (8 if a.buffer in self.made else 16) - length))
        if kind == "look":
            self.ops.append(Look(self.target(length, a), a, "table0", -8))
        elif kind == "interp":
            self.ops.append(Interp(self.target(length, a), a, "table0", "table1", post=SATURATE))
        elif kind == "if":
            inner = vec("vadd", View("state1", 0, 4), View("state0", 2, 4), 1)
            self.ops.append(If(View("in0", self.number(15), 1), (inner,), ()))
        else:
            b = self.source(length) if kind != "vpass" and self.number(1) else 0 if kind == "vpass" else 3
            self.ops.append(vec(kind, self.target(length, a, b), a, b))


@st.composite
def small_operations(draw: st.DrawFn) -> Fmir:
    scene = _Scene(draw)
    for _ in range(draw(st.integers(2, 24))):
        scene.add()
    ops: list[Op] = [copy("out0", "in0"), *scene.ops]
    states = [replace(STATE, name=f"state{k}") for k in range(2)]
    constant = buffer("const0", init=np.arange(16) * 31 - 200)
    buffers = [IN, OUT, *states, constant, *(buffer(name, 8) for name in scene.made)]
    return network(buffers, ops, tables=TABLES).with_ops(tuple(ops))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(small_operations())
def test_packing_changes_no_number(before: Fmir) -> None:
    verify(before)
    after = pack_operations(before, SPU)
    verify(after)
    assert outputs(after, 3) == outputs(before, 3)
    elements = [
        sum(op.dst.length for op in walk(fmir.ops) if isinstance(op, (Vec, Look, Interp))) for fmir in (before, after)
    ]
    assert elements[0] == elements[1], "no work is lost or done twice"
