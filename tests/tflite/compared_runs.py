"""A TFLite file in our executors and at the judge: every tensor of every frame, by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.part import load_part
from femtodriver.tflite.import_network import import_network
from femtodriver.tflite.read_model import read_model
from femtodriver.tflite.records import MAIN_GRAPH, FileGraph, FileTensor
from tests.agree.agreement import Outcome, Target, checked
from tests.tflite.litert_judge import Judge, Kernels

PART = load_part("spu001")


@dataclass(frozen=True)
class Comparison:
    """How many values of how many tensors were compared; where they differ."""

    tensors: int
    values: int
    wrong: tuple[str, ...]


def compared(data: bytes, frames: Sequence[AnyArray], kernels: Kernels = "tflite") -> Comparison:
    """The reference executor beside the judge; ``frames`` are those of the only input, in the file's numbers.

    Of accelerated kernels only outputs can be seen.
    """
    graph = read_model(data).graphs[MAIN_GRAPH]
    network = import_network(data, "compared", kernels)
    reference, judge = Reference(network), Judge(data, kernels)
    given = graph.tensors[graph.inputs[0]]
    wrong, values, seen = [], 0, set()
    for number, frame in enumerate(frames):
        outputs = reference.step({network.inputs[0].name: _shaped(network, frame)})
        for index, wanted in judge.step({given.name: frame}).items():
            found = _value(graph, graph.tensors[index], reference, outputs)
            if found is None:
                continue
            seen.add(index)
            values += wanted.size
            off = np.abs(found.reshape(-1) - wanted.reshape(-1).astype(np.int64))
            if off.any():
                name = graph.tensors[index].name
                wrong.append(f"frame {number}, tensor {index} {name}: {np.count_nonzero(off)}, by up to {off.max()}")
    return Comparison(len(seen), values, tuple(wrong))


def agreed(data: bytes, frames: Sequence[AnyArray], kernels: Kernels = "tflite") -> Outcome:
    """Whether all executors agree: fqir, fmir and both machines."""
    network = import_network(data, "compared", kernels)
    return checked(network, [{network.inputs[0].name: _shaped(network, frame)} for frame in frames], Target(PART))


def _shaped(network: Network, frame: AnyArray) -> Int64Array:
    return frame.astype(np.int64).reshape(network.inputs[0].shape)


def _value(
    graph: FileGraph, tensor: FileTensor, reference: Reference, outputs: dict[str, Int64Array]
) -> Int64Array | None:
    """What our network says of a tensor, in the file's numbers; None where it has no such value."""
    if tensor.data is not None or tensor.kind not in ("INT8", "UINT8") or tensor.quantization is None:
        return None
    if tensor.name in outputs:
        return outputs[tensor.name]
    centred = reference.values.get(tensor.name)
    if centred is None or tensor.index in graph.inputs:
        return None
    return np.asarray(centred + tensor.quantization.zero_point[0])
