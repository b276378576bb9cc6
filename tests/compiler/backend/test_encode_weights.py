"""Weights as the machine reads them back, and how much room they take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.compiler.backend.encode_weights import encode_weights, to_words
from femtodriver.compiler.fmir.ir import Fmir, Mac, Matrix, Post, View
from femtodriver.compiler.fmir.weight_groups import kept_groups
from femtodriver.compiler.passes.pack_weights import pack_weights
from femtodriver.isa import Form
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part
from tests.compiler.fmir_samples import buffer, finished, network

SPU = load_part()


def product(matrix: Matrix) -> Fmir:
    """One product whose sums come out whole."""
    mac = Mac(View("out0", 0, matrix.rows), (("m0", View("in0", 0, matrix.columns)),), post=Post(clip="saturate"))
    return network([buffer("in0", matrix.columns), buffer("out0", matrix.rows, 32)], [mac], [matrix])


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(Form)),
    st.sampled_from([4, 8, 16]),
    st.integers(1, 30),
    st.integers(1, 40),
    st.sampled_from([0.0, 0.05, 0.4, 1.0]),
    st.integers(0, 100),
)
def test_the_machine_reads_the_weights_back(
    form: Form, bits: int, columns: int, rows: int, kept: float, seed: int
) -> None:
    numbers = np.random.default_rng(seed)
    weights = numbers.integers(-1 << (bits - 1), 1 << (bits - 1), (columns, rows)) * (
        numbers.random((columns, 1)) < kept
    )
    weights[:, 8:16] = 0
    weights[::2, :4] = 0
    machine = Machine(finished(product(Matrix("m0", weights, bits, form))), SPU)
    columns_read = [machine.step({"in0": unit})["out0"] for unit in np.eye(columns, dtype=np.int64)]
    assert np.array_equal(columns_read, weights)


@pytest.mark.parametrize("bits", [4, 8, 16])
@pytest.mark.parametrize("form", list(Form))
def test_only_kept_groups_are_stored(form: Form, bits: int) -> None:
    numbers = np.random.default_rng(0)
    groups = numbers.random((64, 8)) < 0.2
    weights = (numbers.integers(1, 8, (64, 64)) * np.repeat(groups, 8, axis=1)).astype(np.int64)
    fmir = product(Matrix("m0", weights, bits, form))
    stored, mask = encode_weights(fmir.matrices["m0"])
    kept = groups.size if form is Form.DENSE else int(groups.sum())
    assert len(stored) == -(-kept * 8 * bits // 64)
    codes = -(-kept // 32)
    flags = groups.size // 64
    assert len(mask) <= {Form.DENSE: 0, Form.MASKED: flags, Form.NESTED: flags + 1, Form.HALVES: flags + codes}[form]


def test_pruned_groups_cost_little() -> None:
    numbers = np.random.default_rng(0)
    for kept in (0.05, 0.2, 0.5, 1.0):
        groups = numbers.random((256, 32)) < kept
        weights = (numbers.integers(1, 100, (256, 256)) * np.repeat(groups, 8, axis=1)).astype(np.int64)
        fmir = pack_weights(product(Matrix("m0", weights, 8)), SPU)
        stored, mask = encode_weights(fmir.matrices["m0"])
        kept_bytes = 8 * int(kept_groups(fmir.matrices["m0"]).sum())
        assert 8 * (len(stored) + len(mask)) <= 1.15 * kept_bytes + 16 or kept == 0.05


@pytest.mark.parametrize(("bits", "kept", "most"), [(8, 0.2, 1.2), (16, 0.2, 1.1), (16, 0.1, 1.2), (4, 0.2, 1.3)])
def test_weights_pruned_by_fours_take_little_more_than_what_is_kept(bits: int, kept: float, most: float) -> None:
    numbers = np.random.default_rng(0)
    halves = numbers.random((256, 64)) < kept
    weights = (numbers.integers(1, 8, (256, 256)) * np.repeat(halves, 4, axis=1)).astype(np.int64)
    fmir = pack_weights(product(Matrix("m0", weights, bits)), SPU)
    stored, mask = encode_weights(fmir.matrices["m0"])
    assert fmir.matrices["m0"].form is Form.HALVES
    assert 8 * (len(stored) + len(mask)) <= most * int(halves.sum()) * 4 * bits / 8


def test_words_are_filled_with_zeros() -> None:
    assert to_words(np.arange(1, 10, dtype=np.uint8)).tolist() == [0x0807060504030201, 9]
