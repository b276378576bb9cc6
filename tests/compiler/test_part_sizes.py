"""Parts of every size: what fits runs and agrees with the reference, what does not is refused for the true reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import CapacityError
from femtodriver.fqir.graph import Network
from femtodriver.model.loopback import loopback
from femtodriver.part import Part, load_part
from tests.compiler.compiler_nets import ADD, Net, agree, dense, recurrent, table

SPU = load_part()
# What a refusal begins with, behind the layer that it names, and the entries that it speaks of.
ENTRIES: dict[str, dict[str, Any]] = {
    "data memory": {"dm_banks": 8, "dm_bank_words": 8192},
    "table memory": {"tm_bank_words": 2048},
    "instruction memory": {"im_words": 4096},
    "threads": {"threads": 64},
    "accumulators": {"acc_rows": 128},
    "router": {"router_words": 4096},
}


def products() -> Network:
    """Two products, the first of 100 outputs."""
    net = Net("products")
    net.output(dense(net, dense(net, net.input("x", 24), 100), 12, bits=4, kept=0.5))
    return net.network()


def wide_sums() -> Network:
    """Sums of products that need more than 32 bits, and a product that needs accumulators at the same time."""
    net = Net("wide")
    x = net.input("x", 40)
    constants: dict[str, Any] = {"shamts_vv": (-3,), "shamts_vi": (0,), "immediates_vi": (5,), "bits_out": (16, 20)}
    low, high = net.ops("gmac_v2", {"x_vv_0": x, "y_vv_0": x, "x_vi_0": x}, [40, 40], **constants)
    net.output(low, dense(net, high, 70))
    return net.network()


def curves() -> Network:
    """Two tables and a delay line."""
    net = Net("curves")
    x, line = net.input("x", 20), net.state("line", np.arange(20))
    for seed in (3, 5):
        curve = table(np.random.default_rng(seed).integers(-30000, 30000, 256))
        x = net.op("lut", {"x": x}, 20, shamt_address=-8, bw_address=8, table=curve, function="f")
    net.output(net.op("vvadd", {"x": x, "y": line}, 20, **ADD))
    net.assign(line, x)
    return net.network()


NETWORKS: dict[str, Callable[[], Network]] = {
    "loopback": loopback,
    "products": products,
    "recurrent": lambda: recurrent(24, 1),
    "wide sums": wide_sums,
    "curves": curves,
}


def resource(text: str) -> str:
    """What a refusal says there is too little of."""
    (found,) = (name for name in ENTRIES if f"{name} of core" in text or f"{name} must hold" in text)
    return found


def enlarged(network: Network, part: Part) -> Part:
    """The part with more of what the network lacks, if it lacks anything."""
    try:
        compile_network(network, part)
    except CapacityError as error:
        missing = ENTRIES[resource(str(error))]
        if all(getattr(part, entry) == most for entry, most in missing.items()):
            pytest.fail(f"the part has all of it that a part can have: {error}")
        return replace(part, **missing)
    return part


def sizes(most: int) -> st.SearchStrategy[int]:
    """From 1 on, small ones more often."""
    return st.one_of(st.integers(1, min(most, 8)), st.integers(1, most))


parts = st.builds(
    lambda **entries: replace(SPU, **entries),
    cores=st.integers(1, 16),
    dm_banks=st.sampled_from([2, 4, 6, 8]),
    dm_bank_words=st.one_of(sizes(8192), st.just(8192)),
    tm_bank_words=st.one_of(sizes(2048), st.just(2048)),
    im_words=st.one_of(sizes(4096), st.just(4096)),
    threads=sizes(64),
    acc_rows=sizes(128),
    router_words=sizes(256),
    message_latency=st.one_of(st.integers(1, 9), st.integers(1, 1 << 70)),
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(NETWORKS)), parts)
@example("wide sums", replace(SPU, acc_rows=1))
@example("products", replace(SPU, acc_rows=1, cores=16))
@example("curves", replace(SPU, cores=1, im_words=1))
def test_what_does_not_fit_says_what_is_too_small(name: str, part: Part) -> None:
    """Whoever enlarges what the message names gets a program in the end."""
    network = NETWORKS[name]()
    for _ in ENTRIES:
        part = enlarged(network, part)
    agree(network, part)


@pytest.mark.parametrize("name", ["loopback", "products", "recurrent", "curves"])
@pytest.mark.parametrize("rows", [1, 2, 3, 8, 31, 32, 63, 64, 127, 128])
def test_products_use_the_rows_that_are_there(name: str, rows: int) -> None:
    agree(NETWORKS[name](), replace(SPU, acc_rows=rows))


@pytest.mark.parametrize("rows", [4, 5, 16, 32, 100])
def test_wide_values_are_made_in_pieces_that_the_rows_can_hold(rows: int) -> None:
    agree(NETWORKS["wide sums"](), replace(SPU, acc_rows=rows))


def test_a_value_that_no_row_can_hold_names_the_entry() -> None:
    sentence = (
        r"\(whole rows needed: 1\), but spu001 has 0 rows for values \(acc_rows = 1\)\. Use a part with more rows, "
    )
    with pytest.raises(CapacityError, match=sentence):
        compile_network(wide_sums(), replace(SPU, acc_rows=1))
