"""From a TFLite file to a network of ours, whose integers are those of the runtime's kernels."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np

from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.files.file_access import read_file, shown_path
from femtodriver.fqir.graph import Network
from femtodriver.tflite.check_graphs import check_graphs
from femtodriver.tflite.checked_operator import CheckBudget, CheckedOperator
from femtodriver.tflite.network_in_making import NetworkInMaking
from femtodriver.tflite.operator_imports import OPERATOR_IMPORTS
from femtodriver.tflite.read_model import read_model
from femtodriver.tflite.records import MAIN_GRAPH, FileTensor
from femtodriver.tflite.rescaling import TFLITE
from femtodriver.tflite.tflite_format import MAX_FILE_BYTES

MOST_OF_A_TENSOR, MOST_ELEMENTS = 1 << 20, 1 << 21
"""Of what all operators read and write: more than any part could compute in a frame."""


def load_tflite(path: Path, name: str | None = None, requantize: str = TFLITE) -> Network:
    """The network in a file. ``name`` defaults to the stem of the file's name.

    Raises ModelError or UnsupportedError, in one sentence that begins with the file, for one that cannot be read, is
    hostile, means nothing, or has an operator that cannot be compiled yet.
    """
    data = read_file(path, MAX_FILE_BYTES, ModelError)
    try:
        return import_network(data, path.stem if name is None else name, requantize)
    except UnsupportedError as error:
        raise UnsupportedError(f"{shown_path(path)}: {error}") from None
    except ModelError as error:
        raise ModelError(f"{shown_path(path)}: {error}") from None


def import_network(data: bytes, name: str, requantize: str = TFLITE) -> Network:
    """The network in a file's bytes; errors as for ``load_tflite``, without the file."""
    model = read_model(data)
    net = NetworkInMaking(model, check_graphs(model), requantize)
    net.begin()
    graph, budget, left = model.graphs[MAIN_GRAPH], CheckBudget(), MOST_ELEMENTS
    for operator in graph.operators:
        op = CheckedOperator(MAIN_GRAPH, operator, graph.tensors, budget)
        import_operator = OPERATOR_IMPORTS.get(operator.name)
        if import_operator is None:
            raise op.unsupported("the operator cannot be compiled yet; replace it, and convert again")
        sizes = [prod(tensor.shape) for tensor in _activations(op)]
        if max(sizes, default=0) >= MOST_OF_A_TENSOR:
            raise op.unsupported(f"activations must have fewer than {MOST_OF_A_TENSOR} elements, not {max(sizes)}")
        left -= sum(sizes)
        if left < 0:
            raise op.refuse(f"all activations together must have at most {MOST_ELEMENTS} elements")
        with np.errstate(over="ignore"):  # infinity is what extreme scales mean, or is refused
            import_operator(op, net)
    return net.finish(name)


def _activations(op: CheckedOperator) -> list[FileTensor]:
    indices = {index for index in (*op.operator.inputs, *op.operator.outputs) if index >= 0}
    return [tensor for index in indices if (tensor := op.tensors[index]).data is None and tensor.kind != "RESOURCE"]
