"""The cycle rule of a matrix holds for stages with a few buffers, if each stream has a pair of banks of its own."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.isa import cycles
from tests.machine.machine_bench import END, SMALL, START, Bench
from tests.machine.matrix_stages import Product, Stages

PART = replace(SMALL, dm_bank_words=1024)
PAIR = 2 * PART.dm_bank_words
WIDTHS = {4: 0, 8: 1, 16: 2}


@st.composite
def products(draw: st.DrawFn, pair: int) -> Product:
    """A product whose activations, weights and mask are so many words apart."""
    weight_bits, activation_bits = draw(st.sampled_from((4, 8, 16))), draw(st.sampled_from((8, 16)))
    columns, groups = draw(st.integers(1, 60)), draw(st.integers(1, 5))
    dice = random.Random(draw(st.integers(0, 2**16)))
    live_share, kept_share = draw(st.sampled_from((0.0, 0.2, 0.6, 1.0))), draw(st.sampled_from((0.1, 0.5, 1.0)))
    first_live = draw(st.integers(0, columns))
    kept = [[dice.random() < kept_share for _ in range(groups)] for _ in range(columns)]
    live = [column < first_live or dice.random() < live_share for column in range(columns)]
    mask = None if kept_share == 1 else 2 * pair + 900 + dice.randrange(9)
    lane_passes = cycles.passes(max(weight_bits, 8), activation_bits)
    return Product(
        dice.randrange(9),
        activation_bits,
        live,
        pair + 100 + dice.randrange(9),
        weight_bits,
        kept,
        mask,
        lane_passes,
        PART.dm_bank_words,
    )


def by_the_rule(product: Product) -> int:
    """Cycles that the machine counts."""
    columns = len(product.live)
    text = (
        f"mac [{8 * product.activations}]:i{product.activation_bits} acc=0 columns={columns} rows={8 * product.groups}"
    )
    text += f" weights={product.weights} width={WIDTHS[product.weight_bits]}"
    text += f" form=1 mask={product.mask}" if product.mask is not None else ""
    bench = Bench(f"{text}\nend", part=PART)
    bench.write(8 * product.activations, product.activation_bits, map(int, product.live))
    if product.mask is not None:
        flags = [flag for column in product.kept for flag in column]
        data = [sum(flag << bit for bit, flag in enumerate(flags[at : at + 8])) for at in range(0, len(flags), 8)]
        bench.write(8 * product.mask, 8, [byte - 256 if byte > 127 else byte for byte in data])
    return bench.run() - START - END


@given(products(PAIR))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_streams_in_pairs_of_their_own(product: Product) -> None:
    assert Stages(product).run() <= by_the_rule(product)


@given(products(0))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_streams_in_one_pair_may_take_a_few_cycles_more(product: Product) -> None:
    """Never more than the words that are in the way of weights; docs/isa.md says how rare that is."""
    stages = Stages(product)
    assert stages.run() <= by_the_rule(product) + (stages.scan_words + stages.mask_words + 1) // 2
