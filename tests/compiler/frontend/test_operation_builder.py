"""The builder's verbs: what they compute, and what they do not build twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from femtodriver import fixed
from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.fmir.ir import Fmir, Look, Mac, Role, Vec, View
from femtodriver.compiler.fmir.network_interface import Port
from femtodriver.compiler.frontend import ropes
from femtodriver.compiler.frontend.operation_builder import OperationBuilder
from femtodriver.compiler.frontend.ropes import Rope
from femtodriver.errors import ModelError, UnsupportedError

X = np.array([-30000, -129, -1, 0, 1, 7, 128, 32767])
TABLE = np.arange(256) * 3 - 400


class Bench(OperationBuilder):
    """A builder with an input ``x`` of 8 elements, that can tell values."""

    def __init__(self) -> None:
        super().__init__(128)
        self.x: Rope = (self.new(8, 16, Role.INPUT, "x"),)

    def value(self, rope: Rope) -> list[int]:
        """The elements of a value when x is X."""
        port = Port("x", self.x[0].buffer, 8, 16)
        fmir = Fmir("bench", self.buffers, self.matrices, self.tables, tuple(self.ops), (port,), (), ())
        executor = FmirExecutor(fmir)
        executor.step({"x": X})
        parts = [
            executor.memory[v.buffer][v.offset : v.end].repeat(1 if v.step else v.length) for v in rope if v.length
        ]
        return [int(number) for part in parts for number in part]


@pytest.fixture
def bench() -> Bench:
    return Bench()


# ---- elementwise -----------------------------------------------------------------------------------------------------

NUMPY = {
    "vadd": np.add,
    "vsub": np.subtract,
    "vmul": np.multiply,
    "vmax": np.maximum,
    "vmin": np.minimum,
    "vgt": np.greater,
    "vge": np.greater_equal,
    "veq": np.equal,
    "vand": np.logical_and,
    "vor": np.logical_or,
    "vxor": np.logical_xor,
}


@pytest.mark.parametrize("op", NUMPY)
@pytest.mark.parametrize("constant", [True, False])
def test_vec_computes_as_numpy(bench: Bench, op: str, constant: bool) -> None:
    first = bench.constant(X) if constant else bench.x
    found = bench.vec(op, first, bench.constant(X[::-1]), shift_a=-2, shift=-1, rounded=True, saturate=12)
    exact = NUMPY[op](X >> 2, X[::-1]).astype(np.int64)
    assert bench.value(found) == fixed.saturate(fixed.round_shift(exact, -1, True), 12).tolist()


def test_one_element_goes_with_all(bench: Bench) -> None:
    second = bench.part(bench.x, 6, 7)
    found = bench.vec("vadd", bench.x, second, saturate=16)
    assert bench.value(found) == fixed.saturate(X + 128, 16).tolist()
    assert [op.b for op in bench.ops if isinstance(op, Vec)] == [View(bench.x[0].buffer, 6, 8, 0)]


def test_immediates_that_do_not_fit_become_constants(bench: Bench) -> None:
    found = bench.vec("vadd", bench.x, 1 << 24, saturate=32)
    assert bench.value(found) == (X + (1 << 24)).tolist()
    assert sum(buffer.role is Role.CONST for buffer in bench.buffers.values() if buffer.init is not None) >= 1


def test_unequal_lengths_are_refused(bench: Bench) -> None:
    with pytest.raises(ModelError, match="must have equal lengths or one element, not 3 and 8"):
        bench.vec("vadd", bench.x, bench.part(bench.x, 0, 3))


@pytest.mark.parametrize("shift", [64, 1000])
def test_large_left_shifts_leave_nothing(bench: Bench, shift: int) -> None:
    assert bench.value(bench.vec("vpass", bench.x, shift=shift, saturate=16)) == [0] * 8
    found = bench.vec("vsub", bench.x, bench.x, shift_b=shift, saturate=16)
    assert bench.value(found) == X.tolist()


@pytest.mark.parametrize("shift", [-64, -1000])
def test_large_right_shifts_leave_the_sign(bench: Bench, shift: int) -> None:
    assert bench.value(bench.vec("vadd", bench.x, 0, shift_a=shift, saturate=8)) == (X >> 63).tolist()


def test_a_scattered_value_takes_one_operation_for_each_piece(bench: Bench) -> None:
    scattered = bench.cat([bench.part(bench.x, 4, 8), bench.part(bench.x, 0, 4)])
    found = bench.vec("vadd", scattered, 1, saturate=16)
    assert bench.value(found) == fixed.saturate(np.roll(X, 4) + 1, 16).tolist()
    assert len(bench.ops) == 2


# ---- widths ----------------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(["vpass", "vmax", "vmin", "vadd", "vsub", "vmul", "vgt", "vand"]),
    st.integers(-20, 20),
    st.integers(-20, 20),
    st.integers(-20, 20),
    st.sampled_from([("saturate", 4), ("saturate", 17), ("low", 7), ("low", 20), ("none", 0)]),
)
def test_results_fit_the_elements_that_hold_them(
    op: str, shift_a: int, shift_b: int, shift: int, clip: tuple[str, int]
) -> None:
    bench = Bench()
    clips: dict[str, Any] = {} if clip[0] == "none" else {clip[0]: clip[1]}
    found = bench.vec(op, bench.x, bench.constant(X[::-1]), shift_a=shift_a, shift_b=shift_b, shift=shift, **clips)
    bits = bench.bits(found)
    low, high = fixed.limits(bits)
    assert bits == 64 or all(low <= value <= high for value in bench.value(found))


@pytest.mark.parametrize(
    ("value", "bits"), [(0, 8), (127, 8), (-128, 8), (128, 16), (-129, 16), (32767, 16), (1 << 20, 32)]
)
def test_constants_take_the_narrowest_elements(bench: Bench, value: int, bits: int) -> None:
    assert bench.bits(bench.constant(np.full(3, value))) == bench.bits(value) == bits


def test_a_constant_that_no_memory_holds_is_not_folded(bench: Bench) -> None:
    large = bench.constant(np.full(8, (1 << 30) + 1))
    product = bench.vec("vmul", large, large)
    assert bench.known(product) is None
    assert bench.value(bench.vec("vpass", product, shift=-50, saturate=32)) == [(((1 << 30) + 1) ** 2) >> 50] * 8
    roles = {buffer.role for buffer in bench.buffers.values() if buffer.bits == 64}
    assert roles == {Role.TEMP}


# ---- folding and reuse -----------------------------------------------------------------------------------------------


def test_operations_on_constants_are_done_at_once(bench: Bench) -> None:
    found = bench.vec("vmul", bench.constant(X), 3, shift=-2, saturate=16)
    known = bench.known(found)
    assert known is not None
    assert known.tolist() == fixed.saturate(X * 3 >> 2, 16).tolist()
    assert bench.ops == []


def test_known_is_what_is_the_same_in_every_frame(bench: Bench) -> None:
    mixed = bench.cat([bench.constant(X[:2]), bench.x])
    assert bench.known(mixed) is None
    spread = bench.cat([bench.spread(bench.constant(X[1:2]), 3), bench.constant(X[:1])])
    known = bench.known(spread)
    assert known is not None
    assert known.tolist() == [-129, -129, -129, -30000]
    assert bench.known(()) is not None


def test_constants_are_stored_once_for_each_content(bench: Bench) -> None:
    first, again, other = (bench.constant(values) for values in (X, X.copy(), X + 1))
    assert first == again != other
    assert bench.constant(np.zeros(0, np.int64)) == ()


def test_equal_operations_are_built_once(bench: Bench) -> None:
    first = bench.vec("vadd", bench.x, 1, saturate=16)
    assert bench.vec("vadd", bench.x, 1, saturate=16) == first
    assert bench.vec("vadd", bench.x, 1, saturate=15) != first
    assert bench.look(bench.x, TABLE) == bench.look(bench.x, TABLE.copy())
    assert len(bench.ops) == 3
    bench.forget()
    assert bench.vec("vadd", bench.x, 1, saturate=16) != first


def test_nothing_is_built_once_where_that_is_switched_off() -> None:
    bench = OperationBuilder(128, reuse=False)
    x = (bench.new(8, 16, Role.INPUT, "x"),)
    assert bench.vec("vadd", x, 1, saturate=16) != bench.vec("vadd", x, 1, saturate=16)
    assert bench.look(x, TABLE) != bench.look(x, TABLE)


def test_equal_tables_and_matrices_are_stored_once(bench: Bench) -> None:
    weights = np.arange(16).reshape(8, 2)
    bench.mac([(weights, bench.x)])
    bench.mac([(weights.copy(), bench.x)], bias=3)
    bench.look(bench.x, TABLE, bits=8)
    bench.look(bench.x, TABLE, shift_a=-1)
    assert len(bench.matrices) == len(bench.tables) == 1
    bench.mac([(weights.reshape(8, 2).T.reshape(8, 2), bench.x)])
    assert len(bench.matrices) == 2


def test_equal_bytes_of_another_shape_are_another_matrix(bench: Bench) -> None:
    bench.mac([(np.ones((8, 2), np.int64), bench.x)])
    bench.mac([(np.ones((4, 4), np.int64), bench.part(bench.x, 0, 4))])
    assert [(m.columns, m.rows) for m in bench.matrices.values()] == [(8, 2), (4, 4)]


# ---- tables and products ---------------------------------------------------------------------------------------------


def test_look_reads_the_table(bench: Bench) -> None:
    addresses = fixed.saturate(X >> 4, 8) + 128
    assert bench.value(bench.look(bench.x, TABLE, shift_a=-4)) == TABLE[addresses].tolist()
    assert bench.bits(bench.look(bench.x, TABLE)) == 16
    assert bench.bits(bench.look(bench.x, np.zeros(256, np.int64))) == 8


@given(st.integers(0, 8), st.integers(1, 20), st.sampled_from([4, 8, 16]), st.booleans(), st.integers(-9, 2))
def test_mac_computes_as_numpy(cut: int, rows: int, bits: int, scattered: bool, shift: int) -> None:
    bench, numbers = Bench(), np.random.default_rng(cut + rows)
    weights = numbers.integers(-1 << (bits - 1), 1 << (bits - 1), (8, rows))
    order = numbers.permutation(8) if scattered else np.roll(np.arange(8), cut)
    bias = numbers.integers(-100, 100, rows)
    x = bench.take(bench.x, order)
    found = bench.mac([(weights, x)], bench.constant(bias), bias_shift=3, shift=shift, rounded=True, saturate=24)
    exact = X[order] @ weights + bias * 8
    assert bench.value(found) == fixed.saturate(fixed.round_shift(exact, shift, True), 24).tolist()
    assert {matrix.bits for matrix in bench.matrices.values()} <= {4, 8, 16}


def test_long_products_are_cut_at_what_an_instruction_reaches(bench: Bench) -> None:
    x = (bench.new(9000, 8, Role.INPUT, "y"),)
    bench.mac([(np.ones((9000, 2), np.int64), x)])
    (mac,) = (op for op in bench.ops if isinstance(op, Mac))
    assert [view.length for _, view in mac.parts] == [4096, 4096, 808]


@pytest.mark.parametrize("bias", [5, None])
def test_a_product_of_nothing_is_its_bias(bench: Bench, bias: int | None) -> None:
    start = bench.part(bench.x, 0, 3) if bias is None else bias
    found = bench.mac([(np.zeros((0, 3), np.int64), ())], start, bias_shift=1, saturate=16)
    assert bench.value(found) == (fixed.saturate(X[:3] * 2, 16).tolist() if bias is None else [10] * 3)


def test_matrices_of_zeros_are_left_out(bench: Bench) -> None:
    ones, zeros = np.ones((8, 3), np.int64), np.zeros((8, 3), np.int64)
    both = bench.mac([(ones, bench.x), (zeros, bench.x)], bias=5)
    assert [len(op.parts) for op in bench.ops if isinstance(op, Mac)] == [1]
    assert bench.value(both) == [int(X.sum()) + 5] * 3
    nothing = bench.mac([(zeros, bench.x)], bias=5, shift=1)
    assert bench.value(nothing) == [10] * 3
    assert len(bench.ops) == 1


def test_equal_biases_become_an_immediate(bench: Bench) -> None:
    bench.mac([(np.ones((8, 3), np.int64), bench.x)], bench.constant(np.full(3, 77)))
    assert [op.bias for op in bench.ops if isinstance(op, Mac)] == [77]


# ---- moving and emptiness --------------------------------------------------------------------------------------------


def test_moving_costs_nothing(bench: Bench) -> None:
    halves = bench.cat(
        [bench.part(bench.x, 4, 8), bench.part(bench.x, 0, 4), bench.spread(bench.part(bench.x, 7, 8), 2)]
    )
    assert bench.value(halves) == [*X[4:], *X[:4], X[7], X[7]]
    assert bench.value(bench.take(bench.x, np.array([[3, 4], [5, 0]]))) == X[[3, 4, 5, 0]].tolist()
    assert bench.ops == []


def test_contiguous_copies_only_what_is_scattered(bench: Bench) -> None:
    assert bench.contiguous(bench.part(bench.x, 2, 6)) == View(bench.x[0].buffer, 2, 4)
    assert bench.ops == []
    scattered = bench.take(bench.x, np.array([5, 1]))
    view = bench.contiguous(scattered)
    assert bench.value((view,)) == [7, -129]
    assert bench.contiguous(scattered) == view, "gathered once"


def test_empty_values_build_nothing(bench: Bench) -> None:
    empty = bench.part(bench.x, 3, 3)
    assert bench.vec("vadd", empty, 1) == bench.vec("vadd", bench.x, empty) == ()
    assert bench.look(empty, TABLE) == ()
    assert bench.mac([(np.zeros((8, 0), np.int64), bench.x)]) == ()
    assert bench.spread(bench.x, 0) == bench.take(bench.x, np.zeros((0, 3), np.int64)) == ()
    assert bench.size(empty) == ropes.length(empty) == 0
    assert bench.ops == []


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_refusals_name_the_node(bench: Bench) -> None:
    bench.where = 'network "n", graph ARITH, node 3 ("y", operator lut)'
    with pytest.raises(UnsupportedError, match=r"operator lut\): values of the table must fit 16 bits, not 17\. "):
        bench.look(bench.x, np.full(256, 1 << 15))
    with pytest.raises(UnsupportedError, match=r"operator lut\): weights must fit 16 bits, not 17\. "):
        bench.mac([(np.full((8, 1), 1 << 15), bench.x)])


def test_operations_belong_to_the_layer_of_the_moment(bench: Bench) -> None:
    assert bench.layer == 0
    bench.look(bench.x, TABLE)
    assert [op.layer for op in bench.ops if isinstance(op, Look)] == [0]
