"""Images bank by bank, and what memory use is told to be."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.compiler.backend.core_map import buffer_bytes
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.part import load_part
from tests.compiler.compiler_nets import Net, agree, dense, table
from tests.compiler.fmir_samples import buffer

SPU = load_part()


@pytest.mark.parametrize(("length", "bits", "wanted"), [(0, 16, 0), (1, 8, 8), (8, 8, 8), (9, 8, 16), (3, 32, 16)])
def test_buffers_take_whole_words(length: int, bits: int, wanted: int) -> None:
    assert buffer_bytes(buffer("t0", length, bits)) == wanted


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
    bank, pair = SPU.dm_bank_words, 2 * SPU.dm_bank_words
    numbers = range(address // 8, address // 8 + 3)
    found = [words[number // pair * pair + number % 2 * bank + number % pair // 2] for number in numbers]
    values = np.array(found, np.uint64).view(np.int8)
    assert values.tolist() == list(range(24))


def compile_network_of_constant(values: np.ndarray) -> Compilation:
    net = Net()
    x, constant = net.input("x", len(values)), net.param(values)
    net.output(net.op("vvmax", {"x": x, "y": constant}, len(values)))
    return compile_network(net.network(), SPU)
