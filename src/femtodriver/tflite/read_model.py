"""From the bytes of a TFLite file to records: every number checked, nothing executed.

What this reader refuses is listed in docs/tflite.md. Whether operators and tensors go together is for
``check_graphs`` to see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, prod

import numpy as np

from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.safe_text import quote
from femtodriver.tflite.flatbuffer import FlatTable, root_table
from femtodriver.tflite.operator_kinds import (
    NUMBERS,
    OPERATOR_KINDS,
    REAL,
    TEXT,
    OperatorKind,
    OptionField,
    operator_name,
)
from femtodriver.tflite.records import (
    ELEMENT_TYPES,
    TENSOR_KINDS,
    FileGraph,
    FileOperator,
    FileTensor,
    Float32Array,
    OptionValue,
    Quantization,
    Signature,
    TfliteModel,
)
from femtodriver.tflite.tflite_format import IDENTIFIER, MAX_FILE_BYTES

MAX_GRAPHS = 64
MAX_TENSORS = 1 << 13
MAX_OPERATORS = 1 << 13
MAX_INPUTS = 1 << 10
MAX_CODES = 1 << 10
MAX_RANK = 6
MAX_TENSOR_ELEMENTS = 6 << 20
MAX_CONSTANT_BYTES = 64 << 20
MAX_OPERATOR_VERSION = 31
_VERSION = 3
_CUSTOM = 32
_RANGES = {
    "INT4": (-8, 7),
    "INT8": (-128, 127),
    "UINT8": (0, 255),
    "INT16": (-32768, 32767),
    "INT32": (0, 0),
    "INT64": (0, 0),
}
_SMALLEST_SCALE = float(np.finfo(np.float32).tiny)
_Codes = Sequence[tuple[str, int]]


def read_model(data: bytes) -> TfliteModel:
    """The records of a file. ModelError for one that is cut off, damaged, hostile, or not of version 3."""
    if len(data) > MAX_FILE_BYTES:
        raise ModelError(f"model: the file must have at most {MAX_FILE_BYTES} bytes, not {len(data)}.")
    root = root_table(data, IDENTIFIER, "model")
    version = root.integer(0, "I")
    if version != _VERSION:
        raise ModelError(f"model: the version of the schema must be {_VERSION}, not {version}; convert it again.")
    codes = [_operator_code(one) for one in root.tables(1, "operator code", MAX_CODES)]
    buffers = [_buffer(one) for one in root.tables(4, "buffer", MAX_TENSORS)]
    graphs = tuple(_graph(one, codes, buffers) for one in root.tables(2, "graph", MAX_GRAPHS))
    if not graphs:
        raise ModelError("model: must have at least one graph, not none; the file is damaged.")
    _check_total(graphs)
    signatures = tuple(_signature(one, graphs) for one in root.tables(7, "signature", MAX_GRAPHS))
    return TfliteModel(root.text(3, "description"), graphs, signatures)


def _check_total(graphs: Sequence[FileGraph]) -> None:
    """Many tensors may share a buffer, which costs an attacker nothing and us a look at all its elements."""
    total = sum(len(tensor.data) for graph in graphs for tensor in graph.tensors if tensor.data is not None)
    if total > MAX_CONSTANT_BYTES:
        raise ModelError(f"model: constants must have at most {MAX_CONSTANT_BYTES} bytes in all, not {total}.")


def _operator_code(table: FlatTable) -> tuple[str, int]:
    """Name and version. The code is the larger of two fields: old files have only the first."""
    code = max(table.integer(0, "b"), table.integer(3, "i"))
    version = table.integer(2, "i", 1)
    if not 1 <= version <= MAX_OPERATOR_VERSION:
        raise ModelError(f"{table.where}: the version must be from 1 to {MAX_OPERATOR_VERSION}, not {version}.")
    if code == _CUSTOM:
        return f"custom operator {quote(table.text(1, 'name'))}", version
    return operator_name(code), version


def _buffer(table: FlatTable) -> memoryview | None:
    if table.integer(1, "Q") > 1 or table.integer(2, "Q") > 1:
        raise ModelError(f"{table.where}: data must lie inside the flatbuffer, not behind it; convert the model again.")
    return table.raw(0, "data") or None


def _graph(table: FlatTable, codes: _Codes, buffers: Sequence[memoryview | None]) -> FileGraph:
    tensors = tuple(_tensor(index, one, buffers) for index, one in enumerate(table.tables(0, "tensor", MAX_TENSORS)))
    names = len(tensors)
    operators = tuple(
        _operator(index, one, codes, names) for index, one in enumerate(table.tables(3, "operator", MAX_OPERATORS))
    )
    ends = [_indices(table, slot, what, names) for slot, what in ((1, "inputs"), (2, "outputs"))]
    return FileGraph(table.text(4, "name"), tensors, ends[0], ends[1], operators)


def _indices(
    table: FlatTable, slot: int, what: str, count: int, optional: frozenset[int] = frozenset()
) -> tuple[int, ...]:
    """Numbers of tensors. ModelError for one that no tensor has."""
    found = tuple(int(number) for number in table.numbers(slot, "<i4", what, MAX_INPUTS).tolist())
    for place, index in enumerate(found):
        if not 0 <= index < count and not (index == -1 and place in optional):
            raise ModelError(f"{table.where}: {what} must be numbers of the {count} tensors, not {index}.")
    return found


def _tensor(index: int, table: FlatTable, buffers: Sequence[memoryview | None]) -> FileTensor:
    kind_number, where = table.integer(1, "b"), table.where
    if kind_number not in TENSOR_KINDS:
        raise ModelError(f"{where}: the type must be one of {sorted(TENSOR_KINDS)}, not {kind_number}.")
    kind = TENSOR_KINDS[kind_number]
    shape = tuple(int(number) for number in table.numbers(0, "<i4", "shape", MAX_RANK).tolist())
    _check_shape(shape, where)
    _check_shape_signature(table, shape)
    if table.has(6):
        raise UnsupportedError(f"{where}: weights must not be stored sparsely; convert the model again.")
    if table.integer(5, "B"):
        raise UnsupportedError(f"{where}: state must be in resource variables, not in a variable tensor.")
    number = table.integer(2, "I")
    if number and number >= len(buffers):
        raise ModelError(f"{where}: buffer must be the number of one of {len(buffers)}, not {number}.")
    data = buffers[number] if number < len(buffers) else None
    _check_data(kind, shape, data, where)
    return FileTensor(index, table.text(3, "name"), kind, shape, data, _quantization(table, kind, shape))


def _check_shape(shape: tuple[int, ...], where: str) -> None:
    if min(shape, default=1) < 1 or prod(shape) > MAX_TENSOR_ELEMENTS:
        raise ModelError(
            f"{where}: the shape must have sizes from 1 with at most {MAX_TENSOR_ELEMENTS} elements in all, "
            f"not {list(shape)}."
        )


def _check_shape_signature(table: FlatTable, shape: tuple[int, ...]) -> None:
    """The shape with -1 for sizes that the caller chooses; only the batch may be one of them."""
    signature = table.numbers(7, "<i4", "shape signature", MAX_RANK).tolist()
    if -1 in signature[1:]:
        raise UnsupportedError(f"{table.where}: only the batch may have an unknown size, not {signature}.")
    fits = len(signature) == len(shape) and all(one in (-1, size) for one, size in zip(signature, shape, strict=True))
    if signature and not fits:
        raise ModelError(
            f"{table.where}: the shape signature must agree with the shape {list(shape)}, not {signature}."
        )


def _check_data(kind: str, shape: tuple[int, ...], data: memoryview | None, where: str) -> None:
    if data is None:
        return
    if kind not in ELEMENT_TYPES:
        raise UnsupportedError(f"{where}: constants must be of {', '.join(ELEMENT_TYPES)}, not {kind}.")
    wanted = prod(shape) * np.dtype(ELEMENT_TYPES[kind]).itemsize
    if len(data) != wanted:
        raise ModelError(f"{where}: {kind} of shape {list(shape)} must have {wanted} bytes, not {len(data)}.")
    if kind == "BOOL" and np.frombuffer(data, np.uint8).max() > 1:
        raise ModelError(f"{where}: truth values must be 0 or 1; the file is damaged.")


def _quantization(tensor: FlatTable, kind: str, shape: tuple[int, ...]) -> Quantization | None:
    table = tensor.table(4, "quantization")
    if table is None:
        return None
    where = table.where
    if table.integer(4, "B"):
        raise UnsupportedError(f"{where}: must be by scale and zero point, not by details of another kind.")
    scale = np.array(table.numbers(2, "<f4", "scale"), np.float32)
    zero = np.array(table.numbers(3, "<i8", "zero point"), np.int64)
    if not len(scale) and not len(zero):
        return None
    if kind not in _RANGES:
        raise ModelError(f"{where}: must be absent for {kind}; the file is damaged.")
    axis = table.integer(6, "i")
    _check_scales(scale, where)
    if len(zero) != len(scale):
        raise ModelError(f"{where}: there must be as many zero points as scales, {len(scale)}, not {len(zero)}.")
    if not 0 <= axis < max(len(shape), 1):
        raise ModelError(f"{where}: the quantized dimension must be one of the {len(shape)} of the shape, not {axis}.")
    if len(scale) > 1 and shape[axis : axis + 1] != (len(scale),):
        raise ModelError(
            f"{where}: {len(scale)} scales must be as many as the shape {list(shape)} has in dimension {axis}."
        )
    low, high = _RANGES[kind]
    if zero.min() < low or zero.max() > high:
        raise ModelError(f"{where}: zero points must be from {low} to {high}, not {zero.min()} to {zero.max()}.")
    scale.flags.writeable = zero.flags.writeable = False
    return Quantization(scale, zero, axis if len(scale) > 1 else 0)


def _check_scales(scale: Float32Array, where: str) -> None:
    for number in scale.tolist():
        if not isfinite(number) or number < _SMALLEST_SCALE:
            raise ModelError(f"{where}: scales must be positive numbers, not {number}.")


def _operator(index: int, table: FlatTable, codes: _Codes, tensors: int) -> FileOperator:
    code = table.integer(0, "I")
    if code >= len(codes):
        raise ModelError(f"{table.where}: opcode_index must be the number of one of {len(codes)}, not {code}.")
    name, version = codes[code]
    kind = OPERATOR_KINDS.get(name)
    absent = kind.optional if kind else frozenset(range(1 << 8))  # whatever another operator allows
    inputs = _indices(table, 1, "inputs", tensors, absent)
    outputs = _indices(table, 2, "outputs", tensors)
    if kind is None:
        return FileOperator(index, name, version, inputs, outputs)
    _check_counts(table.where, kind, inputs, outputs)
    mutated = table.numbers(7, "|u1", "mutated inputs", MAX_INPUTS).any()
    if table.numbers(8, "<i4", "intermediates").size or table.integer(11, "B") or mutated:
        raise UnsupportedError(f"{table.where}: {name} must have no intermediates, mutated inputs or second options.")
    return FileOperator(index, name, version, inputs, outputs, _options(table, kind))


def _check_counts(where: str, kind: OperatorKind, inputs: tuple[int, ...], outputs: tuple[int, ...]) -> None:
    for what, found, (least, most) in (("inputs", inputs, kind.inputs), ("outputs", outputs, kind.outputs)):
        if len(found) < least or (most is not None and len(found) > most):
            wanted = f"{least}" if least == most else f"from {least} to {'any number' if most is None else most}"
            raise ModelError(f"{where}: {kind.name} must have {wanted} {what}, not {len(found)}.")


def _options(operator: FlatTable, kind: OperatorKind) -> Mapping[str, OptionValue]:
    """The options by name, with defaults for those that are absent."""
    number = operator.integer(3, "B")
    if number not in (0, kind.options_type):
        raise ModelError(f"{operator.where}: options of {kind.name} must be of type {kind.options_type}, not {number}.")
    table = operator.table(4, "options")
    if (table is None) != (number == 0):
        raise ModelError(
            f"{operator.where}: options must be there exactly if their type is not 0; the file is damaged."
        )
    return {item.name: _option(table, item) for item in kind.options}


def _option(table: FlatTable | None, item: OptionField) -> OptionValue:
    if item.layout == TEXT:
        return table.text(item.slot, item.name) if table else ""
    if item.layout == NUMBERS:
        return tuple(table.numbers(item.slot, "<i4", item.name, MAX_RANK).tolist()) if table else ()
    if item.layout == REAL:
        return table.real(item.slot) if table else 0.0
    return table.integer(item.slot, item.layout, item.default) if table else item.default


def _signature(table: FlatTable, graphs: Sequence[FileGraph]) -> Signature:
    graph = table.integer(4, "I")
    if graph >= len(graphs):
        raise ModelError(f"{table.where}: must be of one of the {len(graphs)} graphs, not {graph}.")
    known = graphs[graph]
    inputs = _names(table, 0, "input", known.inputs)
    return Signature(table.text(2, "key"), graph, inputs, _names(table, 1, "output", known.outputs))


def _names(table: FlatTable, slot: int, what: str, known: Sequence[int]) -> Mapping[str, int]:
    found = {}
    for one in table.tables(slot, what, MAX_TENSORS):
        name, index = one.text(0, "name"), one.integer(1, "I")
        if index not in known:
            raise ModelError(f"{one.where}: must be an {what} of the graph, not tensor {index}.")
        if name in found:
            raise ModelError(f"{one.where}: names must differ, not two be {quote(name)}.")
        found[name] = index
    return found
