"""What people call a layer: its module with the step, the source line or the value, as far as the network has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from femtodriver.program.description import DescribedLayer


def layer_labels(layers: Sequence[DescribedLayer]) -> list[str]:
    """A label for each layer: ``gru.layers.0.linear_ih``, ``gru.layers.0 sigmoid``, ``gru.layers.0 rnn.py:433``.

    The module alone says enough if no other layer with instructions is in it. A layer of which the network says nothing
    has the name of its value, and one that computes none its own name.
    """
    working = Counter(layer.module for layer in layers if layer.fate is None)
    fused = _fused_steps(layers)
    return [_label(layer, fused.get(place, []), alone=working[layer.module] == 1) for place, layer in enumerate(layers)]


def _label(layer: DescribedLayer, fused: Sequence[str], *, alone: bool) -> str:
    own = layer.source or layer.name
    if not layer.module:
        return f"{own} {layer.line}" if layer.line else own
    if layer.step:
        return f"{layer.module} {_common([layer.step, *fused])}"
    if layer.line:
        return f"{layer.module} {layer.line}"
    return layer.module if alone and layer.fate is None else f"{layer.module} {own}"


def _fused_steps(layers: Sequence[DescribedLayer]) -> dict[int, list[str]]:
    """The steps of the layers whose work each layer does too."""
    found: dict[int, list[str]] = {}
    for layer in layers:
        for heir in layer.fate.into if layer.fate and layer.step else ():
            found.setdefault(heir, []).append(layer.step or "")
    return found


def _common(steps: Sequence[str]) -> str:
    """What the names of steps begin with, ``sigmoid`` of ``sigmoid_lut`` and ``sigmoid_sum``; the first if nothing."""
    columns = zip(*(step.split("_") for step in steps), strict=False)
    return "_".join(words[0] for words in takewhile(lambda words: len(set(words)) == 1, columns)) or steps[0]
