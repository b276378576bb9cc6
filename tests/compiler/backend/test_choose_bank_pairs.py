"""Pairs of banks for buffers: streams of one instruction lie apart where that saves cycles, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.choose_bank_pairs import choose_bank_pairs
from femtodriver.compiler.backend.memory_images import data_bank_sizes
from femtodriver.compiler.fmir.ir import Buffer, Cursor, Fmir, Loop, Mac, Matrix, Op, Vec, View
from femtodriver.part import load_part
from tests.compiler.allocation_check import faults
from tests.compiler.fmir_samples import add, copy, machine_outputs, network, outputs
from tests.compiler.fmir_samples import buffer as sample

SPU = load_part()
PAIR = 2 * 8 * SPU.dm_bank_words
SIZE = 128


def buffer(name: str, length: int = SIZE, bits: int = 16, init: Any = None) -> Buffer:
    """One that is long enough to be worth a pair."""
    return sample(name, length, bits, init=init)


def pairs(fmir: Fmir) -> dict[str, int]:
    """The pair of each buffer, none of them in accumulators."""
    return dict(choose_bank_pairs(fmir, SPU, 0, list(fmir.buffers)))


def test_the_three_streams_of_an_instruction_lie_in_three_pairs() -> None:
    fmir = network([buffer("in0"), buffer("in1"), buffer("out0")], [add("out0", "in0", "in1", SIZE)])
    assert sorted(pairs(fmir).values()) == [0, 1, 2]


def test_buffers_that_do_not_wait_for_each_other_stay_in_the_first_pair() -> None:
    short = network([buffer("in0", 1), buffer("out0", 1)], [copy("out0", "in0", 1)])
    assert pairs(short) == {"in0": 0, "out0": 0}
    # One 8-bit stream takes half of a pair, so that two of them fit into one.
    bytes_ = network([buffer("in0", bits=8), buffer("out0", bits=8)], [copy("out0", "in0", SIZE)])
    assert pairs(bytes_) == {"in0": 0, "out0": 0}


def test_a_few_cycles_are_not_worth_another_pair() -> None:
    few = network([buffer("in0", 32), buffer("out0", 32)], [copy("out0", "in0", 32)])
    assert pairs(few) == {"in0": 0, "out0": 0}


def test_repeated_elements_are_no_streams() -> None:
    op = Vec("vadd", View("out0", 0, SIZE), 1, View("in0", 0, SIZE, 0))
    assert pairs(network([buffer("in0"), buffer("out0")], [op])) == {"in0": 0, "out0": 0}


def test_a_multiplication_of_two_passes_leaves_its_banks_the_time() -> None:
    op = Vec("vmul", View("t0", 0, SIZE), View("in0", 0, SIZE), View("in1", 0, SIZE))
    fmir = network([buffer("in0"), buffer("in1"), buffer("t0", bits=64)], [op])
    assert choose_bank_pairs(fmir, SPU, 0, ["in0", "in1"]) == {"in0": 0, "in1": 0}


def test_bias_and_result_of_a_product_lie_apart() -> None:
    mac = Mac(View("out0", 0, SIZE), (("m0", View("in0", 0, SIZE)),), View("const0", 0, SIZE))
    buffers = [buffer("in0"), buffer("const0", init=np.ones(SIZE)), buffer("out0")]
    found = pairs(network(buffers, [mac], [Matrix("m0", np.eye(SIZE, dtype=np.int64), 4)]))
    assert found == {"in0": 0, "const0": 1, "out0": 0}


def test_what_a_loop_repeats_counts_more_than_what_runs_once() -> None:
    """With two pairs, one of the three sums must share a pair: not the one in the loop."""
    part = replace(SPU, dm_banks=4)
    loop = Loop(10, (copy("out0", "in1", SIZE),), (Cursor("c0", 0),))
    ops: list[Op] = [copy("out0", "in0", SIZE), copy("out1", "in0", SIZE), loop, copy("out1", "in1", SIZE)]
    fmir = network([buffer("in0"), buffer("in1"), buffer("out0"), buffer("out1")], ops)
    found = choose_bank_pairs(fmir, part, 0, list(fmir.buffers))
    assert found["out0"] != found["in1"]


@pytest.mark.parametrize("bank_pairs", [True, False])
def test_places_follow_the_pairs_unless_they_are_switched_off(bank_pairs: bool) -> None:
    fmir = network([buffer("in0"), buffer("in1"), buffer("out0")], [add("out0", "in0", "in1", SIZE)])
    maps = allocate(fmir, SPU, bank_pairs=bank_pairs)
    assert faults(fmir, maps, SPU) == []
    found = sorted(address // PAIR for address in maps[0].address.values())
    assert found == ([0, 1, 2] if bank_pairs else [0, 0, 0])
    used = [words for words in data_bank_sizes(maps[0], SPU).values() if words]
    assert used == ([16, 16] * 3 if bank_pairs else [48, 48])
    assert machine_outputs(fmir) == outputs(fmir)


def test_where_the_pairs_have_no_room_everything_stands_in_one_stretch() -> None:
    """Buffers that fill a part whole."""
    part = replace(SPU, dm_banks=4, dm_bank_words=64)
    half = 4 * part.dm_bank_words  # 16-bit elements of half a pair
    names = ["in0", "in1", "in2", "out0"]
    ops: list[Op] = [add("out0", "in0", "in1", half), add("out0", "out0", "in2", half)]
    fmir = network([buffer(name, half) for name in names], ops)
    places = allocate(fmir, part)[0]
    assert faults(fmir, {0: places}, part) == []
    assert places.used_bytes == part.dm_bytes
    assert machine_outputs(fmir, part=part) == outputs(fmir)


def test_weights_fill_the_room_behind_the_buffers() -> None:
    mac = Mac(View("out0", 0, SIZE), (("m0", View("in0", 0, SIZE)),), View("const0", 0, SIZE))
    buffers = [buffer("in0"), buffer("const0", init=np.ones(SIZE)), buffer("out0")]
    fmir = network(buffers, [mac], [Matrix("m0", np.eye(SIZE, dtype=np.int64), 8)])
    part = replace(SPU, dm_banks=4, dm_bank_words=1040)
    maps = allocate(fmir, part)
    assert faults(fmir, maps, part) == []
    assert maps[0].weights["m0"] == 2 * part.dm_bank_words + 32  # behind the bias: the first pair has no room for them
    assert machine_outputs(fmir, part=part) == outputs(fmir)
