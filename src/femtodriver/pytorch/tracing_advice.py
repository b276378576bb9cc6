"""What fmot does not trace, and what to use instead. Each row was tried with fmot 3.21.7; tests try it again.

A row counts only where the installed fmot does not list the layer or function as supported.
"""

from __future__ import annotations

from collections.abc import Mapping

_FRAMES = "give every frame, and combine the outputs afterwards (the processor puts out one for each frame)"
_CONV = "use fmot.nn.TemporalConv1d, which looks back only; load_state_dict takes the same weights"
_ATTENTION = "use fmot.nn.SlidingWindowAttention, in which a frame sees itself and those before it"
_GRU = "use nn.GRU(..., batch_first=True), which keeps its state from one frame to the next"
_CURVE = "use one of ReLU, LeakyReLU, GELU, Hardswish, Tanh and Sigmoid, and train with it"
_NORM = "use nn.LayerNorm over the features, or nn.BatchNorm1d"
_ONE_AXIS = "leave it out: a frame has one axis, the last one of (clips, frames, features)"
_LOG_SOFTMAX = "leave it out, which changes no decision, or write torch.log(torch.softmax(y, -1))"
SLICED_FEATURES = "use torch.split or torch.chunk over the last axis"
CONSTANT = "keep it as nn.Parameter(value, requires_grad=False)"
_SILU = "y * torch.sigmoid(y)"
_ELU = "torch.relu(y) + torch.exp(-torch.relu(-y)) - 1"
_SOFTPLUS = "torch.log1p(torch.exp(y))"
_OWN = "use a module of your own whose forward returns"
_OUTSIDE = "leave it out of the module, and do it with the outputs"

LAYERS: Mapping[str, str] = {
    "Conv1d": _CONV,
    "Conv2d": "use fmot.nn.TemporalConv2d, which looks back only in time",
    "ConvTranspose1d": "use fmot.nn.TemporalConvTranspose1d (stride 1)",
    "MultiheadAttention": _ATTENTION,
    "TransformerEncoderLayer": _ATTENTION,
    "TransformerEncoder": _ATTENTION,
    "GRUCell": _GRU,
    "LSTMCell": _GRU.replace("GRU", "LSTM"),
    "RNNCell": _GRU.replace("GRU", "RNN"),
    "Embedding": "look the vectors up outside, and give them as the input",
    "Bilinear": "use nn.Linear and products",
    "SiLU": f"{_OWN} {_SILU}",
    "ELU": f"{_OWN} {_ELU}",
    "Softplus": f"{_OWN} {_SOFTPLUS}",
    "LogSoftmax": _LOG_SOFTMAX,
    "PReLU": "use nn.LeakyReLU with the slope that was learned",
    **dict.fromkeys(("Mish", "SELU", "CELU", "Softsign", "Softmin", "Threshold", "Tanhshrink", "LogSigmoid"), _CURVE),
    **dict.fromkeys(("GroupNorm", "InstanceNorm1d", "RMSNorm", "LocalResponseNorm"), _NORM),
    **dict.fromkeys(("AvgPool1d", "MaxPool1d", "AdaptiveAvgPool1d"), _FRAMES),
    **dict.fromkeys(("Flatten", "Unflatten"), _ONE_AXIS),
    "Upsample": _FRAMES,
    "ConstantPad1d": "leave it out: fmot.nn.TemporalConv1d puts zeros before the first frame itself",
    **dict.fromkeys(("Dropout1d", "AlphaDropout"), "use nn.Dropout"),
}
"""By the name of a class of torch.nn."""

FUNCTIONS: Mapping[str, str] = {
    **dict.fromkeys(("flatten", "view", "reshape", "unsqueeze", "unflatten"), _ONE_AXIS),
    **dict.fromkeys(("contiguous", "detach", "float"), "leave it out"),
    **dict.fromkeys(("repeat", "expand"), "use torch.cat over the last axis"),
    "permute": "use x.transpose(1, 2)",
    "where": "use torch.relu, torch.maximum or torch.abs",
    **dict.fromkeys(("max", "amax"), "use torch.maximum of two tensors"),
    **dict.fromkeys(("minimum", "min", "amin"), "write -torch.maximum(-x, -y)"),
    "argmax": _OUTSIDE,
    "einsum": "use torch.matmul or @",
    "cumsum": "use fmot.nn.EMA, or nn.GRU",
    "norm": "write torch.sqrt(torch.sum(y * y, dim=-1, keepdim=True))",
    **dict.fromkeys(("round", "sign"), _OUTSIDE),
    "silu": f"write {_SILU}",
    "elu": f"write {_ELU}",
    "softplus": f"write {_SOFTPLUS}",
    "log_softmax": _LOG_SOFTMAX,
    **dict.fromkeys(("mish", "selu", "celu", "softsign"), _CURVE),
    **dict.fromkeys(("group_norm", "rms_norm"), _NORM),
    "pad": "leave it out: fmot.nn.TemporalConv1d puts zeros before the first frame itself",
    "interpolate": _FRAMES,
    **dict.fromkeys(("zeros", "ones", "zeros_like"), CONSTANT),
}
"""By the name of a function of torch, or of a method of tensors, that ``forward`` calls."""

ONE_FRAME = f"{_FRAMES}; `femtodrive evaluate --label-rule last` takes the last one"
OVER_TIME = f"use fmot.nn.EMA, or {_FRAMES}; `femtodrive evaluate --label-rule mean` takes the mean"
