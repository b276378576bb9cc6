"""Modules of PyTorch as users write them: small classes in a file, from rows of their lines."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

FEATURES = 12
SEQUENCE, CHANNELS, SAMPLES = (4, 6, FEATURES), (4, FEATURES, 6), (16, FEATURES)
"""Shapes of calibrations: (clips, frames, features), (clips, features, frames), (samples, features)."""


@dataclass(frozen=True)
class Written:
    """A class: lines of ``__init__`` and ``forward``, what stands before and after them, the calibration."""

    forward: str
    init: str = "self.a = nn.Linear(12, 12)"
    before: str = ""
    arguments: str = "self, x"
    shape: tuple[int, ...] = SEQUENCE
    base: str = "nn.Module"
    method: str = ""

    def source(self, name: str) -> str:
        """Its text."""
        first = self.arguments.split(",")[0]
        init = "\n        ".join(self.init.replace("self", first).split("\n"))
        body = "\n        ".join(self.forward.replace("self", first).split("\n"))
        return (
            f"{self.before}\n\nclass {name}({self.base}):\n    def __init__({first}):\n        super().__init__()\n"
            f"        {init}\n\n    def forward({self.arguments}):\n        {body}\n{self.method}"
        )


HEAD = (
    "import math\n\nimport fmot\nimport numpy as np\nimport torch\nimport torch.nn.functional as F\n"
    "from torch import nn\n"
)


def write(path: Path, rows: dict[str, Written]) -> ModuleType:
    """Write the classes into a file, and import it."""
    path.write_text(HEAD + "\n".join(row.source(name) for name, row in rows.items()))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def layer(text: str, shape: tuple[int, ...] = SEQUENCE) -> Written:
    """A module with one layer."""
    return Written("return self.layer(x)", f"self.layer = {text}", shape=shape)


def function(text: str, **rest: Any) -> Written:
    """A module that returns an expression of ``y``, the output of a linear layer."""
    return Written(f"y = self.a(x)\nreturn {text}", **rest)


def line_of(path: Path, text: str, after: str = "") -> int:
    """The number of the first line that has this text, behind the first that has ``after``."""
    lines = path.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if after in line)
    return next(number for number, line in enumerate(lines[start:], start + 1) if text in line)


RECURRENT = "self.g = nn.GRU(12, 8, batch_first=True)\nself.b = nn.Linear(8, 5)"

BLOCKED: dict[str, tuple[Written, str, str]] = {
    "NotSelf": (
        Written("y = torch.relu(self.a(x))\nreturn self.m(y) + x",
                "self.a = nn.Linear(12, 12)\nself.m = nn.Linear(12, 12)", arguments="this, x"),
        "the first argument of forward is 'this'", "call it self",
    ),
    "Starred": (Written("return self.a(x[0])", arguments="self, *x"), "starred", "plain ones"),
    "KeywordOnly": (
        Written("return self.a(x) * gain", arguments="self, x, *, gain: float = 1.0"), "keyword-only", "plain ones",
    ),
    "Default": (
        Written("return self.a(x) * gain", arguments="self, x, gain: float = 1.0"), "with a default",
        "attribute of self",
    ),
    "OwnMethod": (
        Written("return self.act(self.a(x))", method="\n    def act(self, x):\n        return torch.relu(x)\n"),
        "self.act", "put its lines into forward",
    ),
    "Lambda": (
        Written("return self.f(self.a(x))", "self.a = nn.Linear(12, 12)\nself.f = lambda v: v * 2"), "self.f",
        "put its lines into forward",
    ),
    "Helper": (
        Written("return helper(self.a(x))", before="def helper(x):\n    return torch.relu(x)\n"), "the function helper",
        "put its lines into forward",
    ),
    "Super": (
        Written("return torch.relu(super().forward(x))", before=Written("return self.a(x)").source("Base"),
                base="Base"),
        "super().forward", "put its lines into forward",
    ),
    "Number": (Written("return self.a(x) * SCALE", before="SCALE = 0.5\n"), "SCALE, a number", "self.scale = SCALE"),
    "Numpy": (Written("return self.a(x) * np.float32(2)"), "NumPy", "functions of torch"),
    "Import": (Written("import numpy\nreturn self.a(x)"), "imports something", "top of the file"),
    "StateGiven": (
        Written("y, h = self.g(x, h)\nreturn self.b(y), h", RECURRENT, arguments="self, x, h"),
        "a state that is given to nn.GRU", "keeps its state",
    ),
    "FirstState": (
        Written("h = self.h\ny, _ = self.g(x, h)\nreturn self.b(y)",
                RECURRENT + "\nself.h = nn.Parameter(torch.zeros(1, 4, 8))"),
        "a state that is given to nn.GRU", "self.g(x)",
    ),
    "Buffer": (
        Written("return self.a(x - self.mean)",
                "self.a = nn.Linear(12, 12)\nself.register_buffer('mean', torch.ones(12))"),
        "self.mean, a tensor that is no parameter", "nn.Parameter(value, requires_grad=False)",
    ),
    "PlainTensor": (
        Written("return self.a(x - self.mean)", "self.a = nn.Linear(12, 12)\nself.mean = torch.ones(12)"),
        "self.mean, a tensor that is no parameter", "nn.Parameter(value, requires_grad=False)",
    ),
    "LastFrame": (
        Written("y, _ = self.g(x)\nreturn self.b(y[:, -1])", RECURRENT), "the slice y[:, -1]", "--label-rule last",
    ),
    "LastFrameWhole": (
        Written("y, _ = self.g(x)\nreturn self.b(y[:, -1, :])", RECURRENT), "the slice y[:, -1, :]",
        "--label-rule last",
    ),
    "SomeFeatures": (Written("return self.a(x)[:, :, :6]"), "the slice self.a(x)[:, :, :6]", "torch.split"),
    "SomeFeaturesDots": (Written("return self.a(x)[..., :6]"), "the slice self.a(x)[..., :6]", "torch.split"),
    "MeanOverTime": (Written("return self.a(x.mean(dim=1))"), "the mean over time", "--label-rule mean"),
    "MeanOverTimeKept": (
        Written("return x - torch.mean(x, dim=1, keepdim=True)"), "the mean over time", "--label-rule mean",
    ),
    "DepthwiseMean": (
        Written("return self.b(self.c(x).mean(dim=-1))",
                "self.c = fmot.nn.TemporalConv1d(12, 12, 3, groups=12)\nself.b = nn.Linear(12, 5)", shape=CHANNELS),
        "the mean over time", "--label-rule mean",
    ),
    "Bidirectional": (
        Written("y, _ = self.g(x)\nreturn self.b(y)",
                "self.g = nn.GRU(12, 8, batch_first=True, bidirectional=True)\nself.b = nn.Linear(16, 5)"),
        "a bidirectional nn.GRU", "in one direction",
    ),
    "BidirectionalLstm": (
        Written("y, _ = self.g(x)\nreturn self.b(y)",
                "self.g = nn.LSTM(12, 8, batch_first=True, bidirectional=True)\nself.b = nn.Linear(16, 5)"),
        "a bidirectional nn.LSTM", "in one direction",
    ),
    "BatchSecond": (
        Written("y, _ = self.g(x)\nreturn self.b(y)", "self.g = nn.GRU(12, 8)\nself.b = nn.Linear(8, 5)"),
        "an nn.GRU with the batch on axis 1", "batch_first=True",
    ),
    "WeightNorm": (
        layer("torch.nn.utils.parametrizations.weight_norm(nn.Linear(12, 5))"), "a parametrization",
        "remove_parametrizations(layer, 'weight')",
    ),
}  # fmt: skip
"""What is told before fmot sees it: the class, what is there, and the way out."""

EXPLAINED: dict[str, tuple[Written, str, str]] = {
    "If": (Written("if x.sum() > 0:\n    x = x * 2\nreturn self.a(x)"), "the if in forward", "same way"),
    "IfFlag": (
        Written("if self.flag:\n    x = x * 2\nreturn self.a(x)", "self.a = nn.Linear(12, 12)\nself.flag = True"),
        "the if in forward", "same way",
    ),
    "Assert": (Written("assert x.shape[-1] == 12\nreturn self.a(x)"), "the assert in forward", "same way"),
    "Comparison": (Written("return self.a(x) * (x > 0)"), "the comparison x > 0", "torch.relu"),
    "Dict": (Written("y = self.a(x)\nreturn {'p': y, 'q': torch.sigmoid(y)}"), "a dict of several", "return a tuple"),
    "SumAlone": (Written("return torch.sum(self.a(x), dim=-1)"), "the sum without keepdim", "keepdim=True"),
}  # fmt: skip
"""What is told when fmot has failed."""

CONVERTED: dict[str, Written] = {
    "Perceptron": Written(
        "return self.c(torch.relu(self.n(self.a(x))))",
        "self.a = nn.Linear(12, 20)\nself.n = nn.BatchNorm1d(20)\nself.c = nn.Linear(20, 7)",
        shape=SAMPLES,
    ),
    "Gru": Written("y, _ = self.g(x)\nreturn self.b(y)", RECURRENT),
    "StateOut": Written("y, h = self.g(x)\nreturn self.b(y), h", RECURRENT),
    "LastState": Written("_, h = self.g(x)\nreturn self.b(h[-1])", RECURRENT),
    "Lstm": Written(
        "y, (h, c) = self.g(x)\nreturn self.b(y)",
        "self.g = nn.LSTM(12, 8, batch_first=True)\nself.b = nn.Linear(8, 5)",
    ),
    "Conv": Written("return torch.relu(self.c(x))", "self.c = fmot.nn.TemporalConv1d(12, 8, 3)", shape=CHANNELS),
    "Depthwise": layer("fmot.nn.TemporalConv1d(12, 12, 3, groups=12)", CHANNELS),
    "ConvInside": Written(
        "y = torch.relu(self.c(x.transpose(1, 2))).transpose(1, 2)\nreturn self.b(y)",
        "self.c = fmot.nn.TemporalConv1d(12, 8, 3)\nself.b = nn.Linear(8, 5)",
    ),
    "Attention": layer("fmot.nn.SlidingWindowAttention(12, 2, 8)"),
    "Average": layer("fmot.nn.EMA(12, 0.9, dim=1)"),
    "Transposed": layer("fmot.nn.TemporalConvTranspose1d(12, 5, 4)", CHANNELS),
    "Conv2d": layer("fmot.nn.TemporalConv2d(3, 4, 5, kernel_t=2, kernel_band=3, padding_band=1)", CHANNELS),
    "NormOfFrames": Written(
        "return self.n(self.a(x).transpose(1, 2)).transpose(1, 2)",
        "self.a = nn.Linear(12, 8)\nself.n = nn.BatchNorm1d(8)",
    ),
    "LayerNorm": layer("nn.LayerNorm(12)"),
    "Constant": Written(
        "return self.a(x) + self.b",
        "self.a = nn.Linear(12, 12)\nself.b = nn.Parameter(torch.ones(12), requires_grad=False)",
    ),
    "Factor": Written(
        "return self.a(x) * self.scale", "self.a = nn.Linear(12, 12)\nself.scale = SCALE", "SCALE = 0.5\n"
    ),
    "Halves": Written("u, v = torch.chunk(self.a(x), 2, -1)\nreturn torch.cat([v, u], -1)"),
    "Parts": Written("u, v = torch.split(self.a(x), [4, 8], dim=-1)\nreturn v"),
    "Layers": Written(
        "for one in self.layers:\n    x = torch.relu(one(x))\nreturn x",
        "self.layers = nn.ModuleList([nn.Linear(12, 12) for _ in range(2)])",
    ),
    "Constants": Written("return self.a(x) / math.sqrt(12)"),
    "NoState": Written("return self.a(x)", arguments="self, x, h=None"),
    "WhileTraining": Written("if self.training:\n    x = x * 2\nreturn self.a(x)"),
    "Unused": Written("return self.a(x)", "self.a = nn.Linear(12, 12)\nself.register_buffer('seen', torch.ones(12))"),
    "Silu": function("y * torch.sigmoid(y)"),
    "Elu": function("torch.relu(y) + torch.exp(-torch.relu(-y)) - 1"),
    "Softplus": function("torch.log1p(torch.exp(y))"),
    "LogSoftmax": function("torch.log(torch.softmax(y, -1))"),
    "Minimum": function("-torch.maximum(-x, -y)"),
    "Norm": function("torch.sqrt(torch.sum(y * y, dim=-1, keepdim=True))"),
    "Product": function("y @ self.w", init="self.a = nn.Linear(12, 12)\nself.w = nn.Parameter(torch.ones(12, 5))"),
    "Slope": layer("nn.LeakyReLU(0.25)"),
    "Curves": function("torch.tanh(F.gelu(y)) + F.hardswish(y)"),
}
"""The ways out, and what else must not be held up."""

FUNCTION_USES: dict[str, str] = {
    "flatten": "torch.flatten(y, 1)",
    "view": "y.view(4, 6, 12)",
    "reshape": "y.reshape(4, 6, 12)",
    "unsqueeze": "y.unsqueeze(1)",
    "unflatten": "y.unflatten(-1, (3, 4))",
    "contiguous": "y.contiguous()",
    "detach": "y.detach()",
    "float": "y.float()",
    "repeat": "y.repeat(1, 1, 2)",
    "expand": "y.expand(-1, -1, -1)",
    "permute": "y.permute(0, 2, 1).permute(0, 2, 1)",
    "where": "torch.where(y > 0, y, -y)",
    "max": "torch.max(y, dim=-1)[0]",
    "amax": "torch.amax(y, dim=-1, keepdim=True)",
    "minimum": "torch.minimum(x, y)",
    "min": "torch.min(y, dim=-1)[0]",
    "amin": "torch.amin(y, dim=-1, keepdim=True)",
    "argmax": "torch.argmax(y, dim=-1)",
    "einsum": "torch.einsum('btf,btf->btf', x, y)",
    "cumsum": "torch.cumsum(y, 1)",
    "norm": "torch.norm(y, dim=-1, keepdim=True)",
    "round": "torch.round(y)",
    "sign": "torch.sign(y)",
    "silu": "F.silu(y)",
    "elu": "F.elu(y)",
    "softplus": "F.softplus(y)",
    "log_softmax": "F.log_softmax(y, dim=-1)",
    "mish": "F.mish(y)",
    "selu": "F.selu(y)",
    "celu": "F.celu(y)",
    "softsign": "F.softsign(y)",
    "group_norm": "F.group_norm(y, 2)",
    "rms_norm": "F.rms_norm(y, [12])",
    "pad": "F.pad(y, (0, 1))",
    "interpolate": "F.interpolate(y, scale_factor=2.0)",
    "zeros": "y + torch.zeros(12)",
    "ones": "y + torch.ones(12)",
    "zeros_like": "y + torch.zeros_like(y)",
}
"""An expression for each function that has advice."""

LAYER_USES: dict[str, Written] = {
    "Conv1d": layer("nn.Conv1d(12, 8, 3)", CHANNELS),
    "Conv2d": layer("nn.Conv2d(4, 4, 1)", CHANNELS),
    "ConvTranspose1d": layer("nn.ConvTranspose1d(12, 4, 3)", CHANNELS),
    "MultiheadAttention": Written(
        "return self.layer(x, x, x)[0]", "self.layer = nn.MultiheadAttention(12, 2, batch_first=True)"
    ),
    "TransformerEncoderLayer": layer("nn.TransformerEncoderLayer(12, 2, 24, batch_first=True)"),
    "TransformerEncoder": layer("nn.TransformerEncoder(nn.TransformerEncoderLayer(12, 2, 24, batch_first=True), 1)"),
    "GRUCell": layer("nn.GRUCell(12, 8)", SAMPLES),
    "LSTMCell": Written("return self.layer(x)[0]", "self.layer = nn.LSTMCell(12, 8)", shape=SAMPLES),
    "RNNCell": layer("nn.RNNCell(12, 8)", SAMPLES),
    "Embedding": Written("return self.layer(x.long())", "self.layer = nn.Embedding(10, 12)", shape=SAMPLES),
    "Bilinear": Written("return self.layer(x, x)", "self.layer = nn.Bilinear(12, 12, 5)"),
    "PReLU": layer("nn.PReLU()"),
    "Threshold": layer("nn.Threshold(0.0, 0.0)"),
    "LogSoftmax": layer("nn.LogSoftmax(-1)"),
    "Softmin": layer("nn.Softmin(-1)"),
    "GroupNorm": layer("nn.GroupNorm(2, 12)", CHANNELS),
    "InstanceNorm1d": layer("nn.InstanceNorm1d(12)", CHANNELS),
    "RMSNorm": layer("nn.RMSNorm(12)"),
    "LocalResponseNorm": layer("nn.LocalResponseNorm(2)"),
    "AvgPool1d": layer("nn.AvgPool1d(2)", CHANNELS),
    "MaxPool1d": layer("nn.MaxPool1d(2)", CHANNELS),
    "AdaptiveAvgPool1d": layer("nn.AdaptiveAvgPool1d(1)", CHANNELS),
    "Unflatten": layer("nn.Unflatten(-1, (3, 4))"),
    "Upsample": layer("nn.Upsample(scale_factor=2)", CHANNELS),
    "ConstantPad1d": layer("nn.ConstantPad1d((2, 0), 0.0)", CHANNELS),
}
"""How layers that have advice are made and used, where that is not ``nn.NAME()`` on sequences."""


def layer_uses(names: Iterable[str]) -> dict[str, Written]:
    """A class for each of these layers, called ``Uses`` and the name."""
    return {f"Uses{name}": LAYER_USES.get(name, layer(f"nn.{name}()")) for name in names}


def function_uses() -> dict[str, Written]:
    """A class for each function, called ``Calls_`` and the name."""
    return {f"Calls_{name}": function(text) for name, text in FUNCTION_USES.items()}
