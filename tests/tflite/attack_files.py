"""Hostile and meaningless files, by the numbers that they have in docs/tflite.md, with what the refusal says."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tests.tflite.sample_models import bias, one_operator, samples, streaming, weights
from tests.tflite.tflite_writer import KINDS, Net, Scalar, Table, ints, write

Attack = tuple[str, Callable[[], bytes]]
"""A pattern for the message, and what makes the file."""


def changed(name: str, change: Callable[[Table], object]) -> Callable[[], bytes]:
    """A sample with a change of its tables."""

    def make() -> bytes:
        root = samples()[name]
        change(root)
        return write(root)

    return make


def graph(change: Callable[[Table], object], name: str = "ADD", number: int = 0) -> Callable[[], bytes]:
    return changed(name, lambda root: change(root[2][number]))


def unsigned(change: Table) -> Callable[[], bytes]:
    """A change of the graph, without the signature that names its inputs and outputs."""

    def alter(root: Table) -> None:
        root[2][0].update(change)
        root[7] = []

    return changed("ADD", alter)


def tensor(index: int, change: Table, name: str = "ADD") -> Callable[[], bytes]:
    return graph(lambda one: one[0][index].update(change), name)


def quantized(index: int, change: Table, name: str = "ADD") -> Callable[[], bytes]:
    return graph(lambda one: one[0][index][4].update(change), name)


def operator(change: Table, name: str = "ADD", place: int = 0, number: int = 0) -> Callable[[], bytes]:
    return graph(lambda one: one[3][place].update(change), name, number)


def option(slot: int, layout: str, value: float, name: str, place: int = 0) -> Callable[[], bytes]:
    return graph(lambda one: one[3][place][4].update({slot: Scalar(layout, value)}), name)


def constant(buffer: int, values: Any, name: str, dtype: type = np.int32) -> Callable[[], bytes]:
    return changed(name, lambda root: root[4][buffer].update({0: np.array(values, dtype).tobytes()}))


def patched(place: Callable[[bytes], int], value: bytes) -> Callable[[], bytes]:
    """The bytes of a good file, with some of them replaced."""

    def make() -> bytes:
        data = write(samples()["ADD"])
        at = place(data)
        return data[:at] + value + data[at + len(value) :]

    return make


def root_at(data: bytes) -> int:
    return int(struct.unpack_from("<I", data)[0])


def vtable_at(data: bytes) -> int:
    return root_at(data) - int(struct.unpack_from("<i", data, root_at(data))[0])


def field_at(slot: int) -> Callable[[bytes], int]:
    """Where the root's field is."""
    return lambda data: root_at(data) + int(struct.unpack_from("<H", data, vtable_at(data) + 4 + 2 * slot)[0])


def vector_at(slot: int) -> Callable[[bytes], int]:
    """Where the count of the vector in the root's field is."""

    def place(data: bytes) -> int:
        at = field_at(slot)(data)
        return at + int(struct.unpack_from("<I", data, at)[0])

    return place


def repeated(slot: int, count: int, data: bytes | None = None) -> bytes:
    """A file whose vector in the root's field refers ``count`` times to its first table."""
    data = data or write(samples()["ADD"])
    at = vector_at(slot)(data)
    first = at + 4 + int(struct.unpack_from("<I", data, at + 4)[0])
    end = len(data) + -len(data) % 4
    # Offsets are unsigned: the table has to be behind the vector, so a copy of the whole file follows it.
    shift = end + 4 + 4 * count
    offsets = np.arange(count, dtype=np.int64) * -4 + (shift + first - (end + 4))
    vector = struct.pack("<I", count) + offsets.astype("<u4").tobytes()
    whole = data.ljust(end, b"\0") + vector + data
    field = field_at(slot)(data)
    return whole[:field] + struct.pack("<I", end - field) + whole[field + 4 :]


def shared_constants() -> bytes:
    """A thousand tensors on one buffer of a megabyte."""
    root = samples()["ADD"]
    root[4].append({0: bytes(1 << 20)})
    one = {0: ints(1 << 20), 1: Scalar("b", KINDS["INT8"]), 2: Scalar("I", len(root[4]) - 1)}
    root[2][0][0] += [one] * 1000
    return write(root)


def shared_weights() -> bytes:
    """Hundreds of operators that multiply by the same quarter of a million weights."""
    net = Net()
    given = net.tensor([1, 512])
    matrix = weights(net, [512, 512], 0, 512)
    net.operator("FULLY_CONNECTED", [given, matrix, -1], [net.tensor([1, 512], scale=1.0)])
    for _ in range(300):
        net.operators.append({**net.operators[0], 2: ints(net.tensor([1, 512], scale=1.0))})
    return write(net.model([given], [2]))


def wide_sum() -> bytes:
    """255 x 127 x 70,000 does not fit 32 bits."""
    net = Net()
    given, result = net.tensor([1, 70_000], zero=-128), net.tensor([1, 1], scale=1.0)
    matrix = net.tensor([1, 70_000], scale=0.25, data=np.full(70_000, 127, np.int8))
    net.operator("FULLY_CONNECTED", [given, matrix, -1], [result])
    return write(net.model([given], [result]))


def unknown_operator(custom: bool) -> bytes:
    net = Net()
    given, result = net.tensor([1, 4]), net.tensor([1, 4])
    net.operator("CUSTOM" if custom else "ELU", [given], [result])
    net.codes[0][1] = "Evil\x1b[2J"
    return write(net.model([given], [result]))


def call(target: int) -> bytes:
    """A CALL_ONCE of a graph that calls."""
    root = streaming()
    root[2][1][3].insert(0, {**root[2][0][3][0], 4: {0: Scalar("i", target)}})
    return write(root)


def variable(change: Table) -> bytes:
    """The start of the state is another kind of value."""
    root = streaming()
    root[2][1][0][1].update(change)
    return write(root)


def computed_weights() -> bytes:
    net = Net()
    given, matrix, result = net.tensor([1, 4]), net.tensor([3, 4]), net.tensor([1, 3], scale=1.0)
    net.operator("FULLY_CONNECTED", [given, matrix, bias(net, 3)], [result])
    return write(net.model([given, matrix], [result]))


def bias_scale(scale: float) -> bytes:
    net = Net()
    given, result = net.tensor([1, 4]), net.tensor([1, 3], scale=1.0)
    matrix, added = weights(net, [3, 4], 0, 3), bias(net, 3)
    net.tensors[added][4][2] = np.array([0.125, scale, 0.125], np.float32)
    net.operator("FULLY_CONNECTED", [given, matrix, added], [result])
    return write(net.model([given], [result]))


def float_model() -> bytes:
    net = Net()
    first, second, result = (net.tensor([1, 4], "FLOAT32", None) for _ in range(3))
    net.operator("ADD", [first, second], [result])
    return write(net.model([first, second], [result]))


def many_names() -> bytes:
    root = samples()["ADD"]
    root[2][0][0] += [{0: ints(1), 3: "n" * 2000}] * 600
    return write(root)


def many_tensors(count: int) -> bytes:
    """A graph that other offsets can repeat, with tensors that are nothing but a type."""
    root = samples()["ADD"]
    root[2][0][0] += [{} for _ in range(count)]
    return write(root)


def many_inputs(operators: int = 300) -> bytes:
    """Operators that all have the same thousand inputs."""
    net = Net()
    given = net.tensor([1, 1])
    net.operator("CONCATENATION", [given] * 1000, [net.tensor([1, 1000])], axis=1)
    for _ in range(operators):
        net.operators.append({**net.operators[0], 2: ints(net.tensor([1, 1000]))})
    return write(net.model([given], [1]))


def constant_of(kind: str, size: int) -> bytes:
    root = samples()["ADD"]
    root[4].append({0: b"\2" * size})
    root[2][0][0].append({0: ints(size), 1: Scalar("b", KINDS[kind]), 2: Scalar("I", len(root[4]) - 1)})
    return write(root)


def weights_along_wrong_axis() -> bytes:
    net = Net()
    given, result = net.tensor([1, 4]), net.tensor([1, 4], scale=1.0)
    net.operator("FULLY_CONNECTED", [given, weights(net, [4, 4], 1, 4), -1], [result])
    return write(net.model([given], [result]))


def assigned_value() -> bytes:
    """The graph that CALL_ONCE runs assigns the handle."""
    root = streaming()
    root[2][1][3][1][1] = ints(0, 0)
    return write(root)


def late_call() -> bytes:
    """The state is assigned and read before CALL_ONCE gives it its start."""
    net = Net()
    given, handle, result = net.tensor([1, 3]), net.tensor([], "RESOURCE", None), net.tensor([1, 3])
    net.operator("VAR_HANDLE", [], [handle], shared_name="rows")
    net.operator("ASSIGN_VARIABLE", [handle, given], [])
    net.operator("READ_VARIABLE", [handle], [result])
    net.operator("CALL_ONCE", [], [], init_subgraph_index=1)
    return write(net.model([given], [result], net.beside().graph([], [])))


def long_chain() -> bytes:
    """As many operators and tensors as there may be."""
    net = Net()
    net.operator("RELU", [net.tensor([1, 1])], [net.tensor([1, 1])])
    for last in range(1, 8001):
        net.operators.append({**net.operators[0], 1: ints(last), 2: ints(net.tensor([1, 1]))})
    return write(net.model([0], [8001]))


def many_weights() -> bytes:
    """Thirty megabytes of weights."""
    net = Net()
    given = net.tensor([1, 5000])
    for _ in range(5):
        matrix = net.tensor([1200, 5000], scale=0.25, data=np.ones((1200, 5000), np.int8))
        net.operator("FULLY_CONNECTED", [given, matrix, -1], [net.tensor([1, 1200], scale=1e3)])
    return write(net.model([given], [2]))


LARGEST: Mapping[str, Callable[[], bytes]] = {
    "chain.tflite": long_chain,
    "weights.tflite": many_weights,
    "inputs.tflite": lambda: many_inputs(255),
}
"""Legal files at the limits."""
ATTACKS: Mapping[str, Attack] = {
    "1.1": ("bytes 4 to 7: must be b'TFL3'", lambda: b""),
    "1.2": ("bytes 4 to 7: must be b'TFL3'", lambda: write(samples()["ADD"], b"TFL2")),
    "1.3": ("must lie inside", lambda: write(samples()["ADD"])[:-40]),
    "1.4": ("model: must lie inside", patched(lambda _: 0, b"\xff\xff\xff\xff")),
    "1.5": ("field list", patched(root_at, struct.pack("<i", 1 << 30))),
    "1.6": ("sizes of the table and its field list", patched(vtable_at, struct.pack("<H", 7))),
    "1.7": ("must lie inside", patched(vtable_at, struct.pack("<H", 65534))),
    "1.8": ("sizes of the table and its field list", patched(lambda data: vtable_at(data) + 2, struct.pack("<H", 2))),
    "1.9": ("must lie inside", patched(lambda data: vtable_at(data) + 2, struct.pack("<H", 65535))),
    "1.10": ("field 0 must lie in bytes", patched(lambda data: vtable_at(data) + 4, struct.pack("<H", 60_000))),
    "1.11": ("field 0 must lie in bytes", patched(lambda data: vtable_at(data) + 4, struct.pack("<H", 2))),
    "1.12": ("must lie inside", patched(field_at(2), b"\xf0\xff\xff\xff")),
    "1.13": ("must lie inside", patched(vector_at(2), b"\xff\xff\xff\xff")),
    "1.14": ("version of the schema must be 3", changed("ADD", lambda root: root.update({0: Scalar("I", 4)}))),
    "1.15": ("description must be text in UTF-8", patched(lambda data: data.index(b"test"), b"\xff")),
    "1.16": ("at least one graph", changed("ADD", lambda root: root.update({2: []}))),
    "2.1": ("at most 64 graphs", lambda: repeated(2, 1 << 20)),
    "2.2": ("at most 8192 buffers", lambda: repeated(4, 1 << 20)),
    "2.3": ("at most 32768 tables", lambda: repeated(2, 64, many_tensors(600))),
    "2.4": ("constants must have at most 67108864 bytes", shared_constants),
    "2.5": ("at most 33554432 weights and channels", shared_weights),
    "2.6": ("at most 1048576 bytes of names", many_names),
    "2.7": ("at most 262144 numbers in vectors", many_inputs),
    "2.8": ("inputs must be at most 1024 numbers", operator({1: np.zeros(2000, np.int32)})),
    "2.9": ("file must have at most 33554432 bytes", lambda: write(samples()["ADD"]) + bytes(32 << 20)),
    "3.1": ("the type must be one of", tensor(0, {1: Scalar("b", 77)})),
    "3.2": ("the shape must have sizes from 1", tensor(0, {0: ints(1, 0)})),
    "3.3": ("the shape must have sizes from 1", tensor(0, {0: ints(1, -4)})),
    "3.4": ("with at most 6291456 elements", tensor(0, {0: ints(1 << 16, 1 << 16)})),
    "3.5": ("shape must be at most 6 numbers", tensor(0, {0: ints(*[1] * 7)})),
    "3.6": ("only the batch may have an unknown size", tensor(0, {7: ints(1, -1)})),
    "3.7": ("shape signature must agree", tensor(0, {7: ints(1, 5)})),
    "3.8": ("buffer must be the number of one of 1", tensor(0, {2: Scalar("I", 99)})),
    "3.9": ("must have 12 bytes, not 11", changed("FULLY_CONNECTED", lambda root: root[4][1].update({0: bytes(11)}))),
    "3.10": ("must not be stored sparsely", tensor(0, {6: {}})),
    "3.11": ("not in a variable tensor", tensor(0, {5: Scalar("?", True)})),
    "3.12": (
        "data must lie inside the flatbuffer",
        changed("ADD", lambda root: root[4][0].update({1: Scalar("Q", 64)})),
    ),
    "3.13": ("constants must be of", lambda: constant_of("STRING", 4)),
    "3.14": ("truth values must be 0 or 1", lambda: constant_of("BOOL", 4)),
    "4.1": ("scales must be positive numbers", quantized(0, {2: np.array([np.nan], np.float32)})),
    "4.2": ("scales must be positive numbers", quantized(0, {2: np.array([0], np.float32)})),
    "4.3": ("scales must be positive numbers", quantized(0, {2: np.array([1e-40], np.float32)})),
    "4.4": ("as many zero points as scales", quantized(0, {3: np.zeros(2, np.int64)})),
    "4.5": ("2 scales must be as many", quantized(0, {2: np.ones(2, np.float32), 3: np.zeros(2, np.int64)})),
    "4.6": ("quantized dimension must be one of", quantized(0, {6: Scalar("i", 9)})),
    "4.7": ("zero points must be from -128 to 127", quantized(0, {3: np.array([128], np.int64)})),
    "4.8": ("not by details of another kind", quantized(0, {4: Scalar("B", 1)})),
    "4.9": ("must have one scale", graph(lambda one: one[0][0].pop(4))),
    "4.10": ("must be absent for FLOAT32", tensor(0, {1: Scalar("b", 0)})),
    "4.11": ("zero points of the weights must be 0", quantized(2, {3: np.ones(3, np.int64)}, "FULLY_CONNECTED")),
    "4.12": ("scales of the weights must be along dimension 0", weights_along_wrong_axis),
    "4.13": ("zero points must be from 0 to 0", quantized(3, {3: np.ones(3, np.int64)}, "FULLY_CONNECTED")),
    "4.14": ("scales of the bias must be those of input x weights", lambda: bias_scale(0.25)),
    "4.15": ("below 2147483648, not reach", wide_sum),
    "4.16": ("must be below 2\\^30", quantized(1, {2: np.array([1e-30], np.float32)}, "FULLY_CONNECTED")),
    "4.17": ("output's scale must be", quantized(1, {2: np.array([0.5], np.float32)}, "LOGISTIC")),
    "4.18": ("scale and zero point of tensor 1 must equal", quantized(1, {2: np.array([0.25], np.float32)}, "RESHAPE")),
    "5.1": ("opcode_index must be", operator({0: Scalar("I", 1)})),
    "5.2": ("inputs must be numbers of the 3 tensors, not 3", operator({1: ints(0, 3)})),
    "5.3": ("inputs must be numbers of the 3 tensors, not -1", operator({1: ints(0, -1)})),
    "5.4": ("outputs must be numbers of the 3 tensors, not -2", operator({2: ints(-2)})),
    "5.5": ("ADD must have 2 inputs, not 1", operator({1: ints(0)})),
    "5.6": ("written before it is read", operator({1: ints(0, 2)})),
    "5.7": ("must be written once", graph(lambda one: one[3].append(one[3][0]))),
    "5.8": ("must be written once", operator({2: ints(0)})),
    "5.9": ("output tensor 0 must be written by an operator", unsigned({2: ints(0)})),
    "5.10": ("input tensor 0 must be there once", unsigned({1: ints(0, 0, 1)})),
    "5.11": ("at least one output", unsigned({2: ints()})),
    "5.12": ("must be of one of the 1 graphs", changed("ADD", lambda root: root[7][0].update({4: Scalar("I", 1)}))),
    "5.13": (
        "must be an input of the graph",
        changed("ADD", lambda root: root[7][0][0][0].update({1: Scalar("I", 2)})),
    ),
    "5.14": ("names must differ", changed("ADD", lambda root: root[7][0][0][0].update({0: "in1"}))),
    "6.1": ('operator 0 \\(ELU version 1\\), tensor 1 \\("t1"\\)', lambda: unknown_operator(False)),
    "6.2": ("custom operator .*u001b", lambda: unknown_operator(True)),
    "6.3": ("version must be from 1 to 31", changed("ADD", lambda root: root[1][0].update({2: Scalar("i", 0)}))),
    "6.4": ("PLACEHOLDER", changed("ADD", lambda root: root[1][0].update({0: Scalar("b", 127)}))),
    "6.5": ("options of ADD must be of type 11, not 21", operator({3: Scalar("B", 21)})),
    "6.6": ("options must be there exactly if", operator({3: Scalar("B", 0)})),
    "6.7": ("no intermediates", operator({8: ints(0)})),
    "6.8": ("type must be INT8, not FLOAT32", float_model),
    "6.9": ("fused_activation must be from 0 to 5, not 9", option(0, "b", 9, "ADD")),
    "6.10": ("fused_activation must be from 0 to 3, not 4", option(0, "b", 4, "ADD")),
    "6.11": ("output 0 must be of shape", tensor(2, {0: ints(1, 5)})),
    "6.12": ("shapes of the inputs must fit", tensor(1, {0: ints(1, 3)})),
    "6.13": ("padding must be 0", option(0, "b", 2, "CONV_2D")),
    "6.14": ("stride_w must be at least 1", option(1, "i", 0, "CONV_2D")),
    "6.15": ("dilation_h must be at least 1", option(5, "i", -1, "CONV_2D")),
    "6.16": ("filter must fit into", option(5, "i", 1 << 30, "CONV_2D")),
    "6.17": ("depth_multiplier must be at least 1", option(3, "i", 0, "DEPTHWISE_CONV_2D")),
    "6.18": ("filters must be of shape", option(3, "i", 3, "DEPTHWISE_CONV_2D")),
    "6.19": ("filter_height must be at least 1", option(4, "i", 0, "MAX_POOL_2D")),
    "6.20": ("filters must have the 3 channels", tensor(0, {0: ints(1, 5, 4, 3)}, "CONV_2D")),
    "6.21": ("bias must be of shape", tensor(3, {0: ints(3, 1)}, "FULLY_CONNECTED")),
    "6.22": ("weights must be a constant", computed_weights),
    "6.23": ("weights_format must be 0", option(1, "b", 1, "FULLY_CONNECTED")),
    "6.24": ("must fit the input's shape", tensor(0, {0: ints(1, 5)}, "FULLY_CONNECTED")),
    "6.25": (
        "new shape must have 4 elements",
        lambda: write(one_operator("RESHAPE", [[1, 4]], [4], new_shape=(-1, -1))),
    ),
    "6.26": ("new shape must be given", lambda: write(one_operator("RESHAPE", [[1, 4]], [4]))),
    "6.27": ("padding must be from 0", constant(1, [0, 0, -1, 2], "PAD")),
    "6.28": ("the axis must be from -3 to 2, not 3", constant(1, [3], "MEAN")),
    "6.29": ("axes must differ", lambda: write(one_operator("MEAN", [[1, 3, 4]], [1, 4], constants=[[1, -2]]))),
    "6.30": ("num_splits must be the number of outputs, 2", option(0, "i", 1 << 30, "SPLIT")),
    "6.31": ("sizes must be from 1 and have the sum 6", constant(2, [2, 5], "SPLIT_V")),
    "6.32": ("strides must not be 0", constant(3, [1, 0, 1], "streaming")),
    "6.33": ("ellipsis_mask must be 0", option(2, "i", 1, "streaming", 4)),
    "6.34": ("begin_mask and end_mask must be below 8", option(0, "i", -1, "streaming", 4)),
    "6.35": ("beta must be 1", option(0, "f", 0.5, "SOFTMAX")),
    "6.36": ("axis must be from -3 to 2, not 3", option(0, "i", 3, "streaming", 3)),
    "7.1": ("graph must be another one of 2, not 0", option(0, "i", 0, "streaming")),
    "7.2": ("graph must be another one of 2, not 2", option(0, "i", 2, "streaming")),
    "7.3": ("must have VAR_HANDLE and ASSIGN_VARIABLE only", lambda: call(1)),
    "7.4": ("must assign constants only", assigned_value),
    "7.5": ("assigned before it is read", graph(lambda one: one[3].pop(0), "streaming")),
    "7.6": ("must come from a VAR_HANDLE", operator({1: ints(0)}, "streaming", 2)),
    "7.7": ("must have the shape \\[1, 2, 3\\]", tensor(2, {0: ints(1, 3, 3)}, "streaming")),
    "7.8": (
        "scale and zero point that the variable",
        lambda: variable({4: {2: np.ones(1, np.float32), 3: np.zeros(1, np.int64)}}),
    ),
    "7.9": ("must come before variables", late_call),
    "7.10": ("graph 1 must be called once", graph(lambda one: one[3].insert(0, one[3][0]), "streaming")),
    "7.11": ("must have no inputs and outputs", graph(lambda one: one.update({1: ints(0)}), "streaming", 1)),
    "7.12": ("output must be RESOURCE", tensor(1, {1: Scalar("b", KINDS["INT32"])}, "streaming")),
}
