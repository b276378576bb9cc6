"""What does not fit or cannot be compiled: the sentences name layer, numbers that add up, and two ways out."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from femtodriver.compiler.backend.capacity_errors import EveryLayoutError, check_operations
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Fmir, Vec, View
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import CapacityError, FemtoError, ModelError, UnsupportedError
from femtodriver.fqir.graph import Network, Table, Tensor
from femtodriver.part import Part, load_part
from tests.compiler.compiler_nets import ADD, ADD_IMMEDIATE, PRODUCT, Net, agree, dense, recurrent, table

SPU, SPU4 = load_part(), load_part("spu001x4")


def refusal(network: Network, part: Part = SPU, kind: type[FemtoError] = CapacityError, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        compile_network(network, part, options=Options(**options))
    return str(caught.value)


def two_numbers(text: str) -> tuple[int, int]:
    """What is needed, and what is there."""
    found = re.search(r"\b(?:hold|needs?)\b\D*(\d+).*?\bhas (\d+)", text)
    assert found, text
    needed, there = int(found[1]), int(found[2])
    assert needed > there
    return needed, there


def products(rows: int, columns: int, bits: int = 8) -> Network:
    net = Net()
    net.output(dense(net, net.input("x", columns), rows, bits))
    return net.network()


# ---- data memory ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_data_memory_numbers_add_up() -> None:
    text = refusal(products(1024, 2048))
    assert text.startswith("layer '0 matmul net.v2': data memory of core ")
    needed, there = two_numbers(text)
    assert there == SPU.dm_bytes
    purposes = re.search(r"bytes \(([^)]*)\)", text)
    assert purposes
    parts = {name: int(size) for name, size in (item.split() for item in purposes[1].split(", "))}
    assert sum(parts.values()) == needed
    assert f"{needed - there} bytes too many" in text
    assert parts["weights"] >= 1024 * 2048 // 2


@pytest.mark.parametrize("what", ["input", "state"])
def test_what_is_no_layer_is_named_too(what: str) -> None:
    net = Net()
    x = net.input("x", 30000)
    if what == "state":
        big = net.state("s", np.full(30000, 300))
        net.assign(big, net.op("vvadd", {"x": big, "y": x}, 30000, **ADD))
    first, _ = net.ops("split", {"x": x}, [8, 29992], lengths=(8, 29992), dim=0)
    net.output(
        first, *([] if what == "input" else [net.ops("split", {"x": big}, [8, 29992], lengths=(8, 29992), dim=0)[0]])
    )
    text = refusal(net.network(), replace(SPU, dm_bank_words=512), cores=1)
    assert text.startswith((f"{what} '", "input 'x'")), text
    assert two_numbers(text)[1] == 8 * 8 * 512


# ---- the other memories --------------------------------------------------------------------------------------------


def chain(length: int) -> Network:
    net = Net()
    x = net.input("x", 8)
    for step in range(length):
        x = net.op("vvadd", {"x": x, "y": x}, **ADD) if step % 2 else net.op("viadd", {"x": x}, **ADD_IMMEDIATE)
    net.output(x)
    return net.network()


@pytest.mark.slow
def test_instruction_memory() -> None:
    text = refusal(chain(2100), cores=1)
    needed, there = two_numbers(text)
    assert there == 8 * 4096
    assert f"{needed - there} too many" in text
    assert text.startswith("layer '")
    assert "instruction memory of core 0" in text
    assert "Let the compiler use all 2 cores" in text
    agree(chain(1900))


def test_instruction_memory_names_the_layer_that_takes_most() -> None:
    net = Net()
    x = net.input("x", 64)
    order = np.arange(64)[::-1]
    halves = net.ops("chunk", {"x": x}, [1] * 64, chunks=64, dim=0)
    scattered = net.op("cat", {f"x{k}": halves[place] for k, place in enumerate(order)}, 64, dim=0)
    for _ in range(3):
        scattered = net.op("vvadd", {"x": scattered, "y": scattered}, 64, **ADD)
    net.output(scattered)
    text = refusal(net.network(), replace(SPU, im_words=40))
    assert text.startswith("layer '2 vvadd "), "the one that gathers the pieces"


def lut_net(address_bits: int, count: int = 1) -> Network:
    net = Net()
    x = net.input("x", 8)
    addresses = np.arange(-1 << (address_bits - 1), 1 << (address_bits - 1))
    for index in range(count):
        curve = Table("f", addresses, (addresses + index) // 9)
        x = net.op("lut", {"x": x}, shamt_address=0, bw_address=address_bits, table=curve, function="f")
    net.output(x)
    return net.network()


def test_a_table_longer_than_a_bank() -> None:
    text = refusal(lut_net(12))
    assert text.startswith("layer '0 lut net.v1': table memory must hold the table's 4096 words in one bank, ")
    assert two_numbers(text) == (4096, 2048)
    assert "Look up fewer address bits, or interpolate" in text


@pytest.mark.slow
def test_too_many_tables() -> None:
    text = refusal(lut_net(8, 40), cores=1)
    assert two_numbers(text) == (2 * 40 * 256, 2 * 8192)
    assert "40 different look-up tables" in text
    assert "Let the compiler use all 2 cores (--compiler-option cores=auto)" in text
    agree(lut_net(8, 32), options=Options(cores=1))
    agree(lut_net(8, 40))
    agree(lut_net(8, 64))
    assert "Use --hw-config spu001x4" in refusal(lut_net(8, 65))
    text = refusal(lut_net(8, 129), SPU4)
    assert "Use a part file of your own with cores = 8" in text
    agree(lut_net(8, 129), replace(SPU4, cores=8))
    alone = replace(SPU4, tm_bank_words=16)
    assert "Use fewer different nonlinearities, or quantize equal ones alike" in refusal(lut_net(4, 65), alone)


def test_accumulators() -> None:
    net = Net()
    x = net.input("x", 128)
    wide = net.ops(
        "gmac_v2",
        {"x_vv_0": x, "y_vv_0": x, "x_vi_0": x},
        [128, 128],
        shamts_vv=(-3,),
        shamts_vi=(0,),
        immediates_vi=(5,),
        bits_out=(16, 20),
    )
    net.output(*wide)
    agree(net.network())
    text = refusal(net.network(), replace(SPU, acc_rows=2))
    assert text.startswith("layer '0 gmac_v2 net.v1': accumulators of core 0 must hold 8 elements of more than 32 bits")
    assert "has 2 rows for values (acc_rows = 2), which others need at the same time." in text
    assert "Use a part with more rows, split the layer into narrower ones, or saturate its values to 32 bits." in text


def test_threads() -> None:
    text = refusal(recurrent(64, 3), replace(SPU, threads=1), cores=2)
    assert text.startswith("threads of core ")
    assert two_numbers(text)[1] == 1
    assert "--hw-config spu001x4" in text, "there it does fit"


def wide(side: str, size: int) -> Network:
    """A network with an input or output of so many 16-bit elements."""
    net = Net()
    if side == "input":
        net.output(net.ops("split", {"x": net.input("x", size)}, [8, size - 8], lengths=(8, size - 8), dim=0)[0])
    else:
        net.output(net.op("vvadd", {"x": net.input("x", 1), "y": net.param(np.zeros(size))}, size, **ADD))
    return net.network()


@pytest.mark.parametrize("side", ["input", "output"])
def test_the_largest_message(side: str) -> None:
    roomy = replace(SPU, input_buffer_words=8192, output_buffer_words=8192)
    data = compile_network(wide(side, 8191 * 4), roomy).data
    (record,) = data.metadata[f"{side}s"].values()
    assert record["len_64b_words"] == 8191


@pytest.mark.parametrize("side", ["input", "output"])
def test_messages(side: str) -> None:
    text = refusal(wide(side, 8191 * 4 + 1))
    assert text.startswith(f"{side} '")
    assert two_numbers(text) == (8192, 8191)
    assert "Split it into several with names of their own, or make the frame shorter." in text


# ---- unsupported ---------------------------------------------------------------------------------------------------


def wide_weights() -> Network:
    net = Net()
    net.output(net.op("matmul", {"x": net.input("x", 8), "y": net.param(np.full((8, 8), 1 << 16), 24)}, **PRODUCT))
    return net.network()


def wide_table() -> Network:
    net = Net()
    x = net.input("x", 8)
    curve = table(np.arange(256) * 9999)
    net.output(net.op("lut", {"x": x}, 8, 24, shamt_address=-8, bw_address=8, table=curve, function="f"))
    return net.network()


def computed_product() -> Network:
    net = Net()
    x, y = net.input("x", (20, 30)), net.input("y", (30, 40))
    net.output(net.op("matmul", {"x": x, "y": y}, (20, 40), **PRODUCT))
    return net.network()


def computed_kernel() -> Network:
    net = Net()
    constants: dict[str, Any] = {
        "kernel_size_t": 1,
        "kernel_size_band": 1,
        "d_band_in": 8,
        "n_band_in": 1,
        "dilation_t": 1,
        "dilation_band": 1,
        "stride_band": 1,
        "padding_band": 0,
        "groups": 8,
        "shamt_bwred": -8,
        "shamt_bias": None,
        "bw": 16,
    }
    inputs = {"input": net.input("x", 8), "weight": net.input("w", (8, 1, 1, 1))}
    net.output(net.op("temporal_conv2d", inputs, 8, **constants))
    return net.network()


UNSUPPORTED = {
    wide_weights: ("matmul", "weights must fit 16 bits, not 18"),
    wide_table: ("lut", "values of the table must fit 16 bits, not 23"),
    computed_product: ("matmul", "must have at most 4096 multiplications, not 24000"),
    computed_kernel: ("temporal_conv2d", "weight must be a constant, not a computed value"),
}


@pytest.mark.parametrize("make", UNSUPPORTED, ids=lambda make: make.__name__)
def test_unsupported_names_node_and_operator(make: Any) -> None:
    operator, sentence = UNSUPPORTED[make]
    text = refusal(make(), kind=UnsupportedError)
    assert re.match(rf'network "net", graph ARITH, node 0 \("net\.v\d", operator {operator}\): ', text), text
    assert sentence in text
    assert len(re.split(r"\. (?=[A-Z])", text)) == 2, "a sentence, then what to do"


def test_unknown_operators_suggest_known_ones() -> None:
    net = Net()
    net.output(net.op("vvad", {"x": net.input("x", 8)}))
    assert "operator vvad): " in (text := refusal(net.network(), kind=UnsupportedError))
    assert re.search("Did you mean .*vvadd", text)


def test_a_network_needs_an_input() -> None:
    net = Net()
    net.output(net.state("s", np.arange(8)))
    text = refusal(net.network(), kind=UnsupportedError)
    assert text.startswith("network 'net': must have at least one input to start a frame, not none. Add an input")


def test_a_loop_that_neither_registers_nor_memory_hold() -> None:
    net, body = Net(), Net("body")
    x = net.input("x", 16384)
    pieces = [body.input(f"s{k}", size) for k, size in enumerate((1, 2, 3, 4, 5, 6, 7))]
    body.output(body.op("cat", {f"x{k}": piece for k, piece in enumerate(pieces)}, 28, dim=0))
    constants: dict[str, Any] = {
        "n_iter": 2000,
        "n_recurse": 0,
        "n_sliced": 7,
        "n_scope": 0,
        "n_concat": 0,
        "n_final": 1,
        "block_size_sliced": (1, 2, 3, 4, 5, 6, 7),
        "reverse_sliced": (False,) * 7,
        "reverse_concat": (),
    }
    inputs: dict[str, Tensor] = {f"x_sliced_{k}": x for k in range(7)}
    net.output(net.op("loop", inputs, 28, bodies={"body": body.graph()}, **constants))
    text = refusal(net.network(), kind=UnsupportedError)
    assert text.startswith("layer '0 loop net.v1': the loop must have fewer than 524288 iterations, and with the loops")
    assert "Nest fewer loops, or slice fewer values of different widths." in text


def test_errors_of_the_model_stay_errors_of_the_model() -> None:
    net = Net()
    net.output(net.op("vvadd", {"x": net.input("x", 8), "y": net.input("y", 7)}, **ADD))
    assert "inputs must have equal shapes" in refusal(net.network(), kind=ModelError)


def test_a_network_of_far_too_many_operations_is_refused_before_any_layout() -> None:
    view = View("x", 0, 1)
    layers = (SourceLayer("0 take a", "take", "a", 1), SourceLayer("1 take b", "take", "b", 1))
    ops = (Vec("vpass", view, view, layer=0), *(Vec("vpass", view, view, layer=1) for _ in range(8))) * 1000
    fmir = Fmir("net", {}, {}, {}, ops, (), (), layers, {})
    check_operations(fmir, SPU, 2)
    with pytest.raises(
        EveryLayoutError, match=r"layer '1 take b': .* at most 8192 operations on .*, not 9000; this layer makes 8000"
    ):
        check_operations(fmir, SPU, 1)
