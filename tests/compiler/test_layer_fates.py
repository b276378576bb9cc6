from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.part import load_part
from femtodriver.program.description import DescribedLayer, LayerFate

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


def layers_of(path: Path) -> tuple[DescribedLayer, ...]:
    layers = compile_network(load_network(path), load_part()).description.layers
    return layers or ()


def test_each_layer_without_instructions_says_who_does_its_work() -> None:
    layers = layers_of(SPOTTER)
    told = {layer.source: layer.fate for layer in layers}
    place = {layer.source: number for number, layer in enumerate(layers)}
    assert told["%x.8"] is None
    # A part of the product's result needs no work; six operations of a table look-up are one instruction.
    assert told["%x.14"] == LayerFate("view", (place["%x.8"],))
    steps = ("addr", "rem", "coeff0", "coeff1", "partial_prod_0")
    assert {told[f"%x.20_{step}"] for step in steps} == {LayerFate("fused", (place["%x.21"],))}
    assert Counter(layer.fate.how if layer.fate else "works" for layer in layers) == {
        "works": 17,
        "fused": 15,
        "view": 3,
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stft_denoise_M_double_p80", "loop_bandgru", "multi_io_double", "fft64_int16"])
def test_a_layer_that_is_needed_has_heirs_that_work(name: str, corpus: Path) -> None:
    layers = layers_of(corpus / "zoo" / name / "graph.pt")
    for layer in layers:
        if layer.fate is not None:
            assert all(layers[place].fate is None for place in layer.fate.into)
            assert layer.fate.into or layer.fate.how != "fused", layer
            assert not layer.fate.into or layer.fate.how != "unused", layer
