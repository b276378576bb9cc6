"""An imported network beside the kernels of the runtime: every tensor of every frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.tflite.import_network import import_network
from femtodriver.tflite.read_model import read_model
from femtodriver.tflite.records import MAIN_GRAPH, FileTensor
from tests.tflite.litert_judge import Judge, Kernels


class JudgedNetwork:
    """``compare(frame)`` says which tensors differ; ``compared`` counts their values."""

    def __init__(self, data: bytes, kernels: Kernels = "tflite") -> None:
        self.graph = read_model(data).graphs[MAIN_GRAPH]
        self.network: Network = import_network(data, "net", kernels)
        self.reference = Reference(self.network)
        looked_at = [tensor for tensor in self.graph.tensors if self._is_computed(tensor)]
        if kernels == "xnnpack":
            looked_at = [tensor for tensor in looked_at if tensor.index in self.graph.outputs]
        self._tensors = {tensor.index: tensor for tensor in looked_at}
        self._judge = Judge(data, kernels, list(self._tensors))
        self._outputs = {tensor.name for tensor in self.network.outputs}
        self.compared = 0
        self.outputs: list[Int64Array] = []

    def compare(self, frame: AnyArray) -> list[str]:
        """One frame of the only input: what is unequal, tensor by tensor."""
        (given,) = self.network.inputs
        made = self.reference.step({given.name: frame.reshape(given.shape)})
        self.outputs.append(next(iter(made.values())).reshape(-1))
        wanted = self._judge.step({self.graph.tensors[self.graph.inputs[0]].name: frame})
        unequal = []
        for index, values in wanted.items():
            tensor = self._tensors[index]
            found = self._found(tensor)
            self.compared += found.size
            wrong = np.flatnonzero(found != values.reshape(-1).astype(np.int64))
            if wrong.size:
                place = wrong[0]
                unequal.append(f"{tensor.name}[{place}]: {found[place]} for {values.reshape(-1)[place]}")
        return unequal

    def compare_all(self, frames: Sequence[AnyArray] | AnyArray) -> list[str]:
        """All frames, up to the first one that differs."""
        for number, frame in enumerate(frames):
            unequal = self.compare(frame)
            if unequal:
                return [f"frame {number}", *unequal]
        return []

    def _is_computed(self, tensor: FileTensor) -> bool:
        kinds = tensor.kind in ("INT8", "UINT8") and tensor.quantization is not None
        return kinds and tensor.data is None and tensor.index not in self.graph.inputs

    def _found(self, tensor: FileTensor) -> Int64Array:
        """The file's own numbers: outputs have them, inner values are centred."""
        if tensor.name in self._outputs:
            return self.reference.values[tensor.name].reshape(-1)
        assert tensor.quantization is not None
        return self.reference.values[tensor.name].reshape(-1) + int(tensor.quantization.zero_point[0])
