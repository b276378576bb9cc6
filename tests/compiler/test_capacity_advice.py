"""Who follows the advice of a refusal gets a program that fits."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from femtodriver.arrays import Int64Array
from femtodriver.compiler import capacity_advice
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import CapacityError
from femtodriver.fqir.graph import Network
from femtodriver.part import Part, load_part, part_names
from tests.compiler.compiler_nets import PRODUCT, Net

SPU, SPU4 = load_part(), load_part("spu001x4")
# 16 384 bytes per core.
SMALL = replace(SPU, dm_bank_words=256)
SIZES = [(128, 250, 8, 0.0), (192, 250, 8, 0.0), (100, 330, 8, 0.3), (256, 200, 16, 0.0), (512, 160, 4, 0.0)]


def weights_of(rows: int, columns: int, bits: int, zero: float, seed: int = 0) -> Int64Array:
    """Weights (columns, rows) of which this share of the fours of outputs is zero."""
    numbers = np.random.default_rng(seed)
    values = numbers.integers(1, 1 << (bits - 1), (columns, rows)) * numbers.choice([-1, 1], (columns, rows))
    fours = numbers.random((columns, -(-rows // 4))) < zero
    return np.where(np.repeat(fours, 4, axis=1)[:, :rows], 0, values)


def product(weights: Int64Array, bits: int) -> Network:
    net = Net()
    x = net.input("x", len(weights))
    net.output(net.op("matmul", {"x": x, "y": net.param(weights, bits)}, weights.shape[1], **PRODUCT))
    return net.network()


def refusal(network: Network, part: Part, cores: int | None = None) -> str:
    with pytest.raises(CapacityError) as caught:
        compile_network(network, part, options=Options(cores))
    return str(caught.value)


@pytest.mark.parametrize("choose", ["smallest", "any"])
@pytest.mark.parametrize(("rows", "columns", "bits", "zero"), SIZES)
def test_the_share_of_pruning_suffices(rows: int, columns: int, bits: int, zero: float, choose: str) -> None:
    weights = weights_of(rows, columns, bits, zero)
    text = refusal(product(weights, bits), SMALL)
    share = re.search(r"prune (\d+) % of the weights in whole groups", text, re.IGNORECASE)
    assert share, text
    units = np.pad(weights, ((0, 0), (0, -rows % 8))).reshape(-1, 8)
    count = len(units) * int(share[1]) // 100
    order = (
        np.argsort(np.abs(units).sum(axis=1))
        if choose == "smallest"
        else np.random.default_rng(1).permutation(len(units))
    )
    units[order[:count]] = 0
    pruned = units.reshape(columns, -1)[:, :rows]
    compile_network(product(pruned, bits), SMALL)


@pytest.mark.parametrize(("rows", "columns", "bits", "zero"), SIZES)
def test_the_bit_width_suffices(rows: int, columns: int, bits: int, zero: float) -> None:
    weights = weights_of(rows, columns, bits, zero)
    text = refusal(product(weights, bits), SMALL)
    narrower = re.search(r"quantize the weights to (\d+) bits", text, re.IGNORECASE)
    assert (narrower is None) == (bits == 4), text
    if narrower:
        width = int(narrower[1])
        compile_network(product(np.clip(weights, 1 - (1 << (width - 1)), (1 << (width - 1)) - 1), width), SMALL)


@pytest.mark.parametrize(("rows", "columns", "bits", "zero"), SIZES)
def test_the_part_suffices(rows: int, columns: int, bits: int, zero: float) -> None:
    network = product(weights_of(rows, columns, bits, zero), bits)
    text = refusal(network, SMALL)
    named = re.search(r"Use --hw-config (\w+), where the fullest core holds (\d+) of (\d+) bytes", text)
    assert named, text
    program = compile_network(network, load_part(named[1]))
    assert int(named[2]) == max(places.used_bytes for places in program.fasmir.maps.values())


@pytest.mark.slow
def test_a_part_of_the_users_own_suffices() -> None:
    largest = max(map(load_part, part_names()), key=lambda part: part.cores)
    network = product(weights_of(1024, 1024 * 3, 8, 0.0), 8)
    text = refusal(network, largest)
    cores = re.search(r"Use a part file of your own with cores = (\d+) \(--hw-config my.toml\)", text)
    assert cores, text
    compile_network(network, replace(largest, cores=int(cores[1])))


def test_the_cores_that_the_user_left_out_suffice() -> None:
    network = product(weights_of(200, 128, 8, 0.0), 8)
    text = refusal(network, SMALL, cores=1)
    assert "Let the compiler use all 2 cores (--compiler-option cores=auto)" in text
    compile_network(network, SMALL)


def test_no_figure_is_given_where_nothing_helps() -> None:
    net = Net()
    x = net.input("x", 3000)
    line = net.state("line", np.full(3000, 300))
    net.assign(line, net.op("relu", {"x": x}, 3000))
    net.output(net.op("relu", {"x": line}, 3000))
    text = refusal(net.network(), replace(SPU, dm_bank_words=32, cores=1))
    assert not re.search("prune|quantize|%", text)


def test_every_refusal_can_be_told_with_the_file_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever knows the file raises the error's type anew, with one text."""
    monkeypatch.setattr(capacity_advice, "_other_parts", lambda *_: iter(()))
    net = Net()
    net.output(net.op("relu", {"x": net.input("x", 3000)}, 3000))
    with pytest.raises(CapacityError) as caught:
        compile_network(net.network(), replace(SPU, dm_bank_words=32))
    assert str(type(caught.value)("net.tflite: what")) == "net.tflite: what"
