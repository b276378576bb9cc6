"""Weights as the machine reads them back, tables side by side, banks, and what memory use is told to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.core_map import buffer_bytes
from femtodriver.compiler.backend.encode_weights import encode_weights, to_words
from femtodriver.compiler.fmir.ir import Fmir, Look, Mac, Matrix, Post, View
from femtodriver.compiler.fmir.weight_groups import kept_groups
from femtodriver.compiler.passes.pack_weights import pack_weights
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.errors import CapacityError
from femtodriver.isa import Form
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part
from tests.compiler.compiler_nets import Net, agree, dense, table
from tests.compiler.fmir_samples import buffer, finished, network

SPU = load_part()


def product(matrix: Matrix) -> Fmir:
    """One product whose sums come out whole."""
    mac = Mac(View("out0", 0, matrix.rows), (("m0", View("in0", 0, matrix.columns)),), post=Post(clip="saturate"))
    return network([buffer("in0", matrix.columns), buffer("out0", matrix.rows, 32)], [mac], [matrix])


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
    assert len(mask) == {Form.DENSE: 0, Form.MASKED: groups.size // 64}.get(form, len(mask))
    assert len(mask) <= groups.size // 64 + 1


def test_pruned_groups_cost_little() -> None:
    numbers = np.random.default_rng(0)
    for kept in (0.05, 0.2, 0.5, 1.0):
        groups = numbers.random((256, 32)) < kept
        weights = (numbers.integers(1, 100, (256, 256)) * np.repeat(groups, 8, axis=1)).astype(np.int64)
        fmir = pack_weights(product(Matrix("m0", weights, 8)), SPU)
        stored, mask = encode_weights(fmir.matrices["m0"])
        kept_bytes = 8 * int(kept_groups(fmir.matrices["m0"]).sum())
        assert 8 * (len(stored) + len(mask)) <= 1.15 * kept_bytes + 16 or kept == 0.05


def test_words_are_filled_with_zeros() -> None:
    assert to_words(np.arange(1, 10, dtype=np.uint8)).tolist() == [0x0807060504030201, 9]


@pytest.mark.parametrize(("length", "bits", "wanted"), [(0, 16, 0), (1, 8, 8), (8, 8, 8), (9, 8, 16), (3, 32, 16)])
def test_buffers_take_whole_words(length: int, bits: int, wanted: int) -> None:
    assert buffer_bytes(buffer("t0", length, bits)) == wanted


# ---- tables ----------------------------------------------------------------------------------------------------------


def looks(*lengths: int) -> Fmir:
    """One look-up in a table of each length."""
    numbers = np.random.default_rng(0)
    tables = {f"table{k}": numbers.integers(-999, 999, size) for k, size in enumerate(lengths)}
    ops = [
        Look(View(f"out{k}", 0, 16), View("in0", 0, 16), name, bits=len(values).bit_length() - 1)
        for k, (name, values) in enumerate(tables.items())
    ]
    outputs = [buffer(f"out{k}") for k in range(len(lengths))]
    return network([buffer("in0"), *outputs], ops, tables=tables)


def tables_of(*lengths: int) -> list[tuple[int, range, int]]:
    """Copies, banks and row of each table."""
    found = allocate(looks(*lengths), SPU)[0].tables
    places = [found[f"table{k}"] for k in range(len(lengths))]
    return [(1 << place.ways, range(place.bank, place.bank + (1 << place.ways)), place.row) for place in places]


def test_tables_get_as_many_copies_as_fit() -> None:
    assert tables_of(256) == [(4, range(4), 0)]
    assert {copies for copies, _, _ in tables_of(*[256] * 8)} == {4}
    assert {copies for copies, _, _ in tables_of(*[256] * 9)} == {2}
    assert {copies for copies, _, _ in tables_of(*[256] * 32)} == {1}


def test_short_tables_leave_room_for_long_ones() -> None:
    assert {copies for copies, _, _ in tables_of(1024, 1024, 1024, 1024, 2048, 2048)} == {1}


@pytest.mark.parametrize("lengths", [(256,), (256,) * 9, (256,) * 32, (16, 2048, 4, 512, 2048, 2048, 1024)])
def test_every_table_is_read_where_it_is(lengths: tuple[int, ...]) -> None:
    fmir = looks(*lengths)
    machine = Machine(finished(fmir), SPU)
    x = np.arange(-8, 8)
    found = machine.step({"in0": x})
    for k, size in enumerate(lengths):
        middle = size // 2
        wanted = fmir.tables[f"table{k}"][np.clip(x, -middle, middle - 1) + middle]
        assert found[f"out{k}"].tolist() == wanted.tolist()


def test_too_many_tables() -> None:
    with pytest.raises(
        CapacityError, match=r"33 different look-up tables need 8448 words in 4 banks, but spu001 has 8192"
    ):
        tables_of(*[256] * 33)


# ---- memory use ------------------------------------------------------------------------------------------------------


def test_memory_use_adds_up() -> None:
    net = Net()
    x, state = net.input("x", 40), net.state("s", np.arange(40))
    y = net.op("lut", {"x": x}, 40, shamt_address=-8, bw_address=8, table=table(np.arange(256)), function="f")
    product = dense(net, y, 64, kept=0.3)
    total = net.op("vvadd", {"x": state, "y": x}, 40, shamt_x=0, shamt_y=0, shamt_bwred=0, bw=16)
    net.assign(state, total)
    net.output(product)
    compiled = agree(net.network())
    places = compiled.fasmir.maps[0]
    told = compiled.data.metadata["femtodriver"]["memory"][0]
    purposes = ("weights", "indices", "constants", "activations", "state")
    assert sum(told[name] for name in purposes) == places.used_bytes == 8 * sum(told["dm_used_words_per_bank"])
    assert told["state"] == 80
    assert told["tables"] == 2 * 256 * 4
    assert told["instructions"] == 8 * told["im_used_words"] == 8 * len(compiled.data.mems_per_core[0]["IM"][0])


def test_data_memory_lies_bank_by_bank() -> None:
    compiled = compile_network_of_constant(np.arange(24))
    words = compiled.data.mems_per_core[0]["DM"][0]
    address = next(a for name, a in compiled.fasmir.maps[0].address.items() if name.startswith("const"))
    sizes = compiled.data.metadata["data_bank_sizes"][0]
    bank_words = SPU.dm_bank_words
    by_address = [words[word % 2 * bank_words + word // 2] for word in range(sum(sizes.values()))]
    values = np.array(by_address, np.uint64).view(np.int8)[address : address + 24]
    assert values.tolist() == list(range(24))


def compile_network_of_constant(values: np.ndarray) -> Compilation:
    net = Net()
    x, constant = net.input("x", len(values)), net.param(values)
    net.output(net.op("vvmax", {"x": x, "y": constant}, len(values)))
    return compile_network(net.network(), SPU)


def test_a_part_with_few_accumulators() -> None:
    net = Net()
    x = net.input("x", 64)
    net.output(dense(net, x, 600))
    for rows in (127, 64, 3, 1):
        agree(net.network(), replace(SPU, acc_rows=rows))
