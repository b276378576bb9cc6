"""What a TFLite file says, as frozen records: graphs of operators and tensors, in the file's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, Int64Array

Float32Array = npt.NDArray[np.float32]
OptionValue = int | float | str | tuple[int, ...]

MAIN_GRAPH = 0
"""The graph that runs; others are called by it."""


@dataclass(frozen=True, eq=False)
class Quantization:
    """How the integers of a tensor stand for reals: real = scale * (integer - zero point).

    ``scale``: float32, one for the tensor or one for each index of ``axis``. ``zero_point``: int64, as many.
    """

    scale: Float32Array
    zero_point: Int64Array
    axis: int = 0


@dataclass(frozen=True, eq=False)
class FileTensor:
    """A tensor: ``kind`` is the file's name of its type (INT8, INT32, RESOURCE ...), ``data`` a constant's bytes."""

    index: int
    name: str
    kind: str
    shape: tuple[int, ...]
    data: memoryview | None = None
    quantization: Quantization | None = None

    def constant(self) -> AnyArray | None:
        """The elements of a constant, read-only, in the tensor's shape; None for a tensor that is computed."""
        if self.data is None:
            return None
        return np.frombuffer(self.data, ELEMENT_TYPES[self.kind]).reshape(self.shape)


@dataclass(frozen=True, eq=False)
class FileOperator:
    """An operator: ``inputs`` and ``outputs`` are tensor numbers, -1 is an optional input that is absent."""

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, OptionValue] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FileGraph:
    """Operators in their order of execution, and the tensors that they read and write."""

    name: str
    tensors: tuple[FileTensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[FileOperator, ...]


@dataclass(frozen=True)
class Signature:
    """Names for the inputs and outputs of a graph: {name: tensor number}."""

    key: str
    graph: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class TfliteModel:
    """A whole file; ``MAIN_GRAPH`` is the one of its graphs that runs."""

    description: str
    graphs: tuple[FileGraph, ...]
    signatures: tuple[Signature, ...]


TENSOR_KINDS: Mapping[int, str] = {
    0: "FLOAT32",
    1: "FLOAT16",
    2: "INT32",
    3: "UINT8",
    4: "INT64",
    5: "STRING",
    6: "BOOL",
    7: "INT16",
    9: "INT8",
    13: "RESOURCE",
    15: "UINT32",
    17: "INT4",
}
ELEMENT_TYPES: Mapping[str, str] = {
    "FLOAT32": "<f4",
    "INT32": "<i4",
    "UINT8": "|u1",
    "INT64": "<i8",
    "BOOL": "|b1",
    "INT16": "<i2",
    "INT8": "|i1",
    "UINT32": "<u4",
}
