"""Small models of torch and fmot layers, made with fmot's public interface only. Imported where fmot is installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fmot
import torch

FRAMES, FEATURES, HIDDEN = 10, 12, 10


class Recurrent(torch.nn.Module):
    """A recurrent layer, then a linear one."""

    def __init__(self, layer: torch.nn.Module, size: int = HIDDEN) -> None:
        super().__init__()
        self.layer = layer
        self.last = torch.nn.Linear(size, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, _ = self.layer(x)
        return self.last(y)


class Step(fmot.nn.Loop):
    """A loop over four slices of a frame, with a carried value and an invariant one, concatenated backwards."""

    def __init__(self) -> None:
        super().__init__(n_iter=4, n_recurse=1, slice_blocksizes=[3], concat_reversed=[True])
        self.mix = torch.nn.Linear(3, 3)

    @torch.jit.export
    def step(
        self, x_sliced: list[torch.Tensor], x_recursed: list[torch.Tensor], x_scope: list[torch.Tensor]
    ) -> tuple[list[torch.Tensor], list[torch.Tensor], list[torch.Tensor]]:
        state = torch.tanh(self.mix(x_sliced[0]) + x_recursed[0])
        return [state], [state], [state * x_scope[0]]


class Looping(torch.nn.Module):
    """The loop with its first value."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(FEATURES, 3)
        self.loop = Step()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        first = self.first(x)
        every, last = self.loop([x], [first], [first])
        return every, last


@dataclass(frozen=True)
class Recipe:
    """How to make a model, and which axis is time."""

    make: Callable[[], torch.nn.Module]
    time: int = 1


def _layers(*layers: torch.nn.Module) -> torch.nn.Module:
    return torch.nn.Sequential(*layers)


def _perceptron() -> torch.nn.Module:
    first, second = torch.nn.Linear(FEATURES, 20), torch.nn.Linear(20, 7)
    return _layers(first, torch.nn.ReLU(), second, torch.nn.Sigmoid())


def _conv2d() -> torch.nn.Module:
    return fmot.nn.TemporalConv2d(3, 4, 5, kernel_t=2, kernel_band=3, padding_band=1, dilation_t=2)


MODELS: dict[str, Recipe] = {
    "perceptron": Recipe(_perceptron),
    "gru": Recipe(lambda: Recurrent(torch.nn.GRU(FEATURES, HIDDEN, batch_first=True))),
    "lstm": Recipe(lambda: Recurrent(torch.nn.LSTM(FEATURES, HIDDEN, batch_first=True))),
    "rnn": Recipe(lambda: Recurrent(torch.nn.RNN(FEATURES, HIDDEN, batch_first=True))),
    "softmax": Recipe(lambda: _layers(torch.nn.Linear(FEATURES, 6), torch.nn.Softmax(dim=-1))),
    "layer_norm": Recipe(lambda: _layers(torch.nn.Linear(FEATURES, 9), torch.nn.LayerNorm(9), torch.nn.Tanh())),
    "conv1d": Recipe(lambda: _layers(fmot.nn.TemporalConv1d(FEATURES, 9, 3, dilation=2), torch.nn.ReLU()), time=2),
    "depthwise": Recipe(lambda: fmot.nn.TemporalConv1d(FEATURES, FEATURES, 4, groups=FEATURES), time=2),
    "conv2d": Recipe(_conv2d, time=2),
    "band_gru": Recipe(lambda: fmot.nn.BandGRU(3, 4, 5)),
    "sru": Recipe(lambda: Recurrent(fmot.nn.SRU(FEATURES), FEATURES)),
    "loop": Recipe(Looping),
}


def traced(name: str, precision: str, seed: int = 0) -> Any:
    """A freshly built, quantized and traced model: fmot's graph in memory."""
    torch.manual_seed(seed)
    recipe = MODELS[name]
    shape = (2, FRAMES, FEATURES) if recipe.time == 1 else (2, FEATURES, FRAMES)
    converted = fmot.ConvertedModel(recipe.make().eval(), precision=precision, batch_dim=0, seq_dim=recipe.time)
    converted.quantize([torch.randn(shape) for _ in range(3)])
    return converted.trace()
