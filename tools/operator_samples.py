"""Fixed networks of one operator each, in stated sizes: what docs/operators.md lowers and measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.fqir.graph import Graph, Network, Node, Table, Tensor

Shape = tuple[int, ...]

SIZES = (16, 64, 256)
ADDRESSES = np.arange(-128, 128)
ADD = {"shamt_x": 0, "shamt_y": -1, "shamt_bwred": -1, "bw": 16, "rounded": False}
MULTIPLY = {"shamt_bwred": -8, "bw": 16, "rounded": False}
PRODUCT = {"shamt_bwred": -7, "bw_out": 16, "rounded": True}
TESTS = ("gt", "ge", "lt", "le", "eq", "and", "or", "xor")


@dataclass(frozen=True)
class Sample:
    """One size of an operator: what it is called in the table of costs, and a network with this one node."""

    label: str
    network: Network


@dataclass(frozen=True)
class Form:
    """A node to be: shapes of its inputs, which of them are states, values of those that are parameters."""

    shapes: Mapping[str, Shape]
    constants: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Shape, ...] = ()
    states: tuple[str, ...] = ()
    values: Mapping[str, Int64Array] = field(default_factory=dict)
    bodies: Mapping[str, Graph] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    output_type: str = "fqint16"

    def network(self, op: str | None) -> Network:
        """The network whose frame is this node. What is neither state nor parameter is an input."""
        tensors = {name: self._tensor(name, shape) for name, shape in self.shapes.items()}
        names = ["out"] if len(self.outputs) == 1 else [f"out{k}" for k in range(len(self.outputs))]
        results = tuple(Tensor(name, self.output_type, shape) for name, shape in zip(names, self.outputs, strict=True))
        node = Node("", op, tensors, results, dict(self.constants), self.bodies)
        given = tuple(t for name, t in tensors.items() if name not in self.states and t.value is None)
        parameters = tuple(t for t in tensors.values() if t.value is not None)
        kept = tuple(tensors[name] for name in self.states)
        clock = () if given else (Tensor("clock", "fqint16", (1,)),)  # a frame starts with an input
        nodes: tuple[Node, ...] = (node,)
        shown = results
        if not results:  # what the states held before the node, so that somebody reads them
            shown = tuple(Tensor(f"old {t.name}", t.dtype, t.shape) for t in kept)
            old = (Node("", "copy", {"x": t}, (out,)) for t, out in zip(kept, shown, strict=True))
            nodes = (*old, node)
        frame = Graph("ARITH", (*given, *clock), shown, parameters, nodes)
        initial = [Tensor(t.name, t.dtype, t.shape, np.zeros(t.shape, np.int64)) for t in kept]
        init = Graph("INIT", (), (), tuple(initial), ()) if initial else None
        return Network(op or "call", frame, frame, init)

    def _tensor(self, name: str, shape: Shape) -> Tensor:
        value: Int64Array | None = self.values.get(name)
        return Tensor(name, self.types.get(name, "fqint16"), shape, value)


def weights(shape: Shape, bits: int) -> Int64Array:
    """Random weights of so many bits, none of them zero."""
    numbers = np.random.default_rng(0)
    return np.asarray(numbers.integers(1, 1 << (bits - 1), shape) * numbers.choice([-1, 1], shape), np.int64)


def samples(op: str | None) -> list[Sample]:
    """The sizes of an operator, the one to be shown first. KeyError for an operator without samples."""
    return [Sample(label, form.network(op)) for label, form in FORMS[op]()]


Forms = Callable[[], list[tuple[str, Form]]]


def _vectors(*inputs: str, constants: Mapping[str, Any] | None = None, types: Mapping[str, str] | None = None) -> Forms:
    """Inputs of equal size, one output like them."""

    def forms() -> list[tuple[str, Form]]:
        return [
            (
                f"{size} elements",
                Form(dict.fromkeys(inputs, (size,)), constants or {}, ((size,),), types=types or {}),
            )
            for size in SIZES
        ]

    return forms


def _matmul(bias: bool) -> Forms:
    def form(columns: int, rows: int, bits: int) -> tuple[str, Form]:
        given = {"x": (columns,), "y": (columns, rows)}
        values = {"y": weights((columns, rows), bits)}
        constants: dict[str, Any] = dict(PRODUCT)
        if bias:
            given = {"bias": (rows,), **given}
            values["bias"] = weights((rows,), 8)
            constants["shamt_bias"] = 4
        return f"{columns} x {rows}, {bits}-bit weights", Form(given, constants, ((rows,),), values=values)

    def forms() -> list[tuple[str, Form]]:
        square = [form(size, size, 8) for size in (64, 128, 256)]
        return [*square, form(128, 128, 4), form(128, 128, 16)]

    return forms


def _sum() -> list[tuple[str, Form]]:
    constants = {"dim": (0,), "keepdim": True, "shamt_bwred": -4, "bw": 16}
    return [(f"{size} elements", Form({"x": (size,)}, constants, ((1,),))) for size in SIZES]


def _gmac() -> list[tuple[str, Form]]:
    constants = {"shamts_vv": (-8,), "shamts_vi": (-2,), "immediates_vi": (5,), "bits_out": (13, 12)}
    return [
        (
            f"{size} elements, a product, a scaled value, two parts",
            Form(dict.fromkeys(("x_vv_0", "y_vv_0", "x_vi_0"), (size,)), constants, ((size,), (size,))),
        )
        for size in SIZES
    ]


def _convolution() -> list[tuple[str, Form]]:
    def form(bands: int, channels: int, outputs: int, groups: int) -> tuple[str, Form]:
        frame, taps = bands * channels, 3
        constants = {
            "kernel_size_t": taps,
            "kernel_size_band": 3,
            "d_band_in": channels,
            "n_band_in": bands,
            "dilation_t": 1,
            "dilation_band": 1,
            "stride_band": 1,
            "padding_band": 1,
            "groups": groups,
            "shamt_bwred": -7,
            "shamt_bias": 4,
            "bw": 16,
        }
        weight = (outputs, channels // groups, 3, taps)
        shapes: dict[str, Shape] = {"input": (frame,), "weight": weight, "bias": (outputs,), "buffer": (2 * frame,)}
        values = {"weight": weights(weight, 8), "bias": weights((outputs,), 8)}
        kind = "depthwise" if groups > 1 else f"to {outputs} channels"
        label = f"{bands} bands of {channels} channels, 3 x 3 kernel, {kind}"
        return label, Form(shapes, constants, ((bands * outputs,),), ("buffer",), values)

    return [form(4, 8, 8, 1), form(16, 16, 16, 1), form(16, 16, 16, 16)]


def _unfold() -> list[tuple[str, Form]]:
    def form(size: int, kernel: int) -> tuple[str, Form]:
        buffer = (kernel - 1) * size
        constants = {"kernel_size": kernel, "dilation": 1, "buffer_length": kernel - 1}
        shapes: dict[str, Shape] = {"x": (size,), "buffer": (buffer,)}
        return f"{kernel} frames of {size}", Form(shapes, constants, ((kernel * size,),), ("buffer",))

    return [form(16, 3), form(64, 3), form(64, 9)]


def _movement(shapes: Mapping[str, Shape], outputs: tuple[Shape, ...], **constants: Any) -> Forms:
    label = ", ".join(" x ".join(map(str, shape)) for shape in shapes.values()) or "64"
    return lambda: [(f"{label} elements", Form(shapes, constants, outputs))]


def _assign() -> list[tuple[str, Form]]:
    return [(f"{size} elements", Form({"y": (size,), "x": (size,)}, states=("y",))) for size in SIZES]


def _body(name: str, op: str, inputs: int, outputs: int, size: int, **constants: Any) -> Graph:
    """A body that computes ``op`` of its first input and gives it as each result."""
    given = [Tensor(f"{name}{index}", "fqint16", (size,)) for index in range(inputs)]
    results = tuple(Tensor(f"{name}_out", "fqint16", (size,)) for _ in range(outputs))
    node = Node("", op, {"x": given[0]}, results[:1], constants)
    return Graph(name, tuple(given), results, (), (node,))


def _loop() -> list[tuple[str, Form]]:
    def form(count: int, block: int) -> tuple[str, Form]:
        constants = {
            "n_iter": count,
            "n_recurse": 0,
            "n_sliced": 1,
            "n_scope": 0,
            "n_concat": 1,
            "n_final": 0,
            "block_size_sliced": (block,),
            "reverse_sliced": (False,),
            "reverse_concat": (False,),
        }
        size = (count * block,)
        body = {"body": _body("slice", "relu", 1, 1, block)}
        return f"{count} iterations on {block} elements", Form({"x_sliced_0": size}, constants, (size,), bodies=body)

    return [form(4, 16), form(16, 16), form(64, 16)]


def _conditional() -> list[tuple[str, Form]]:
    bodies = {"true": _body("taken", "relu", 1, 1, 64), "false": _body("other", "vneg", 1, 1, 64, bw=16)}
    shapes: dict[str, Shape] = {"condition": (1,), "input_0": (64,)}
    return [("64 elements", Form(shapes, {"num_inputs": 1, "num_outputs": 1}, ((64,),), bodies=bodies))]


def _strided() -> list[tuple[str, Form]]:
    shapes: dict[str, Shape] = {"counter": (1,), "input_0": (64,), "default_output_0": (64,)}
    constants = {"n": 4, "k": 0, "num_inputs": 1, "num_outputs": 1}
    bodies = {"body": _body("body", "relu", 1, 1, 64)}
    label = "64 elements, a frame in which it runs"
    return [(label, Form(shapes, constants, ((64,),), ("counter",), bodies=bodies))]


def _call() -> list[tuple[str, Form]]:
    return [("64 elements", Form({"x": (64,)}, {}, ((64,),), bodies={"body": _body("body", "relu", 1, 1, 64)}))]


_TABLE = Table("f", ADDRESSES, (1 << 14) * ADDRESSES // 128)
FORMS: dict[str | None, Forms] = {
    "vvadd": _vectors("x", "y", constants=ADD),
    "vvsub": _vectors("x", "y", constants=ADD),
    "viadd": _vectors("x", constants={**ADD, "shamt_y": 0, "y": 5}),
    "vvmul": _vectors("x", "y", constants=MULTIPLY),
    "vimul": _vectors("x", constants={**MULTIPLY, "y": 181}),
    "vneg": _vectors("x", constants={"bw": 16}),
    "relu": _vectors("x"),
    "shift": _vectors("x", constants={"shamt": -3, "bw": 8, "rounded": True}),
    "temp_i24_bool_mul": _vectors(
        "x", "y_bool", constants={"shamt": 0, "rounded": False}, types={"x": "fqint24", "y_bool": "fqint8"}
    ),
    "sum": _sum,
    "matmul": _matmul(bias=False),
    "addmm": _matmul(bias=True),
    "gmac_v2": _gmac,
    "lut": _vectors("x", constants={"shamt_address": -8, "bw_address": 8, "table": _TABLE, "function": "f"}),
    "temporal_conv2d": _convolution,
    "copy": _vectors("x"),
    "cat": _movement({"x0": (48,), "x1": (16,)}, ((64,),), dim=0),
    "split": _movement({"x": (64,)}, ((48,), (16,)), lengths=(48, 16), dim=0),
    "chunk": _movement({"x": (64,)}, ((32,), (32,)), chunks=2, dim=0),
    "stack": _movement({"x0": (32,), "x1": (32,)}, ((2, 32),), dim=0),
    "reshape": _movement({"x": (64,)}, ((8, 8),), shape=(8, -1)),
    "transpose": _movement({"x": (8, 8)}, ((8, 8),), dim0=0, dim1=1),
    "constant_like": _movement({"x": (64,)}, ((64,),), imm=7),
    "zeros": _movement({}, ((64,),), shape=(64,)),
    "constant": _movement({}, ((64,),), shape=(64,), value=7),
    "assign": _assign,
    "temporal_unfold": _unfold,
    "gt0": _vectors("x", constants={"bw": 8}),
    **{f"vv{test}": _vectors("x", "y") for test in ("max", "min", *TESTS)},
    **{f"vi{test}": _vectors("x", constants={"imm": 3}) for test in TESTS},
    "loop": _loop,
    "conditional": _conditional,
    "strided_subgraph": _strided,
    None: _call,
}


def live_frame(network: Network) -> dict[str, Int64Array]:
    """Inputs without a zero, so that every activation costs its work. Booleans are 1."""
    numbers = np.random.default_rng(1)
    frame = {}
    for tensor in network.inputs:
        high = 1 << ((tensor.bits or 16) - 2)
        frame[tensor.name] = numbers.integers(1, high, prod(tensor.shape)).reshape(tensor.shape)
    return frame
