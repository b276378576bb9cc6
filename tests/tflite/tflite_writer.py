"""Writes TFLite files with the package ``flatbuffers``: tables are dicts of slots; a test can damage any field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from femtodriver.tflite.builtin_names import BUILTIN_NAMES
from femtodriver.tflite.operator_kinds import NUMBERS, OPERATOR_KINDS, REAL, TEXT
from femtodriver.tflite.records import TENSOR_KINDS

flatbuffers = pytest.importorskip("flatbuffers", reason="flatbuffers is not installed; install it with '.[test]'")

Table = dict[int, Any]
"""{slot: field}; a field is a Scalar, text, bytes, an array, a Table or a list of Tables."""

KINDS = {name: number for number, name in TENSOR_KINDS.items()}
_WRITERS = {"b": "Int8", "B": "Uint8", "?": "Bool", "i": "Int32", "I": "Uint32", "Q": "Uint64", "f": "Float32"}


@dataclass(frozen=True)
class Scalar:
    """A number, with the letter of ``struct`` for its type."""

    layout: str
    value: float


def ints(*values: int) -> npt.NDArray[np.int32]:
    return np.array(values, np.int32)


def write(root: Table, identifier: bytes = b"TFL3") -> bytes:
    """The file."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(_table(builder, root), file_identifier=identifier)
    return bytes(builder.Output())


def _table(builder: Any, table: Table) -> int:
    below = {slot: _below(builder, value) for slot, value in table.items() if not isinstance(value, Scalar)}
    builder.StartObject(max(table, default=-1) + 1)
    for slot, value in table.items():
        if isinstance(value, Scalar):
            getattr(builder, f"Prepend{_WRITERS[value.layout]}")(value.value)
        else:
            builder.PrependUOffsetTRelative(below[slot])
        builder.Slot(slot)
    return int(builder.EndObject())


def _below(builder: Any, value: Any) -> int:
    if isinstance(value, dict):
        return _table(builder, value)
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, bytes):
        return int(builder.CreateByteVector(value))
    if isinstance(value, np.ndarray):
        return int(builder.CreateNumpyVector(value)) if value.size else int(builder.CreateByteVector(b""))
    offsets = [_table(builder, one) for one in value]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


@dataclass
class Net:
    """A file in the making: tensors and operators of one graph, added in order."""

    tensors: list[Table] = field(default_factory=list)
    operators: list[Table] = field(default_factory=list)
    codes: list[Table] = field(default_factory=list)
    buffers: list[Table] = field(default_factory=lambda: [{}])

    def tensor(
        self,
        shape: Sequence[int],
        kind: str = "INT8",
        scale: float | Sequence[float] | None = 0.5,
        zero: int = 0,
        data: npt.NDArray[Any] | None = None,
        axis: int = 0,
    ) -> int:
        """A tensor's number; ``data`` makes it a constant, ``scale`` None leaves the quantization out."""
        table: Table = {0: ints(*shape), 1: Scalar("b", KINDS[kind]), 3: f"t{len(self.tensors)}"}
        if data is not None:
            table[2] = Scalar("I", len(self.buffers))
            self.buffers.append({0: data.tobytes()})
        if scale is not None:
            scales = np.atleast_1d(np.array(scale, np.float32))
            table[4] = {2: scales, 3: np.full(len(scales), zero, np.int64), 6: Scalar("i", axis)}
        self.tensors.append(table)
        return len(self.tensors) - 1

    def constant(self, values: Any, kind: str = "INT32") -> int:
        """A constant without quantization, for example axes."""
        data = np.array(values, np.int64 if kind == "INT64" else np.int32)
        return self.tensor(data.shape, kind, None, data=data)

    def operator(self, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> Table:
        """An operator, with a code of its own."""
        code = BUILTIN_NAMES.index(name)
        self.codes.append({0: Scalar("b", min(code, 127)), 2: Scalar("i", 1), 3: Scalar("i", code)})
        table: Table = {0: Scalar("I", len(self.codes) - 1), 1: ints(*inputs), 2: ints(*outputs)}
        kind = OPERATOR_KINDS.get(name)
        if kind is not None and kind.options_type:
            table[3] = Scalar("B", kind.options_type)
            table[4] = {
                item.slot: _option(item.layout, options.pop(item.name)) for item in kind.options if item.name in options
            }
        assert not options
        self.operators.append(table)
        return table

    def graph(self, inputs: Sequence[int], outputs: Sequence[int]) -> Table:
        return {0: self.tensors, 1: ints(*inputs), 2: ints(*outputs), 3: self.operators, 4: "main"}

    def model(self, inputs: Sequence[int], outputs: Sequence[int], *others: Table) -> Table:
        """The root; ``others`` are further graphs, made by Nets that share codes and buffers with this one."""
        named = [
            [{0: f"{what}{place}", 1: Scalar("I", index)} for place, index in enumerate(ends)]
            for what, ends in (("in", inputs), ("out", outputs))
        ]
        signature = {0: named[0], 1: named[1], 2: "serving", 4: Scalar("I", 0)}
        return {
            0: Scalar("I", 3),
            1: self.codes,
            2: [self.graph(inputs, outputs), *others],
            3: "test",
            4: self.buffers,
            7: [signature],
        }

    def beside(self) -> Net:
        """An empty graph of the same file."""
        return Net(codes=self.codes, buffers=self.buffers)


def _option(layout: str, value: Any) -> Any:
    if layout == NUMBERS:
        return ints(*value)
    return value if layout == TEXT else Scalar(REAL if layout == REAL else layout, value)
