"""The judge: the kernels of the runtime for TFLite files, which say what every tensor of a model holds after a step."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
import pytest

from femtodriver.arrays import AnyArray
from femtodriver.tflite.read_model import read_model
from femtodriver.tflite.records import MAIN_GRAPH

Kernels = Literal["tflite", "xnnpack"]
"""What ``--requantize`` calls them: the reference kernels, and the accelerated ones."""

INSTALL = "pip install ai-edge-litert==2.3.0"
NO_JUDGE = f"ai-edge-litert is not installed; get it with: {INSTALL}"
needs_judge = pytest.mark.skipif(find_spec("ai_edge_litert") is None, reason=NO_JUDGE)
_RESOLVERS = {"tflite": "BUILTIN_REF", "xnnpack": "BUILTIN"}


class Judge:
    """An interpreter with the state of its own; ``step`` runs one frame.

    ``tensors``: numbers of the tensors to read after each step; None are all that are computed. Accelerated kernels
    keep no inner tensors: what is to be read of them must be an output of the model.
    """

    def __init__(self, data: bytes, kernels: Kernels = "tflite", tensors: Sequence[int] | None = None) -> None:
        pytest.importorskip("ai_edge_litert", reason=NO_JUDGE)
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        inner = kernels == "tflite"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._interpreter: Any = Interpreter(
                model_content=data,
                experimental_op_resolver_type=OpResolverType[_RESOLVERS[kernels]],
                experimental_preserve_all_tensors=inner,
                num_threads=1,
            )
            self._interpreter.allocate_tensors()
        self.inputs: Mapping[str, int] = {row["name"]: row["index"] for row in self._interpreter.get_input_details()}
        outputs = [row["index"] for row in self._interpreter.get_output_details()]
        self._tensors = tensors if tensors is not None else computed_tensors(data) if inner else outputs

    def step(self, inputs: Mapping[str, AnyArray]) -> dict[int, AnyArray]:
        """Run a frame: {input's name: array in the input's type and shape or flat}; {tensor number: its values}."""
        for name, values in inputs.items():
            index = self.inputs[name]
            shape = self._interpreter.tensor(index)().shape
            self._interpreter.set_tensor(index, np.ascontiguousarray(values).reshape(shape))
        self._interpreter.invoke()
        return {index: np.array(self._interpreter.get_tensor(index)) for index in self._tensors}


def computed_tensors(data: bytes) -> list[int]:
    """The tensors that operators of the main graph write. The runtime crashes when a handle is read."""
    graph = read_model(data).graphs[MAIN_GRAPH]
    written = {index for operator in graph.operators for index in operator.outputs}
    return sorted(index for index in written if graph.tensors[index].kind != "RESOURCE")
