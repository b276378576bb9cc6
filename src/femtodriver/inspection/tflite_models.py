"""Inspecting TFLite files."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from femtodriver.errors import FemtoError
from femtodriver.inspection.findings import Findings
from femtodriver.tflite.check_graphs import check_graphs
from femtodriver.tflite.read_model import read_model
from femtodriver.tflite.records import MAIN_GRAPH, FileGraph, FileOperator, FileTensor, OptionValue, TfliteModel
from femtodriver.tflite.state_variables import StateVariable

_UNSET: tuple[OptionValue, ...] = (0, "", ())
_OPTION_NAMES: dict[tuple[str, OptionValue], str] = {  # of the format's own enumerations
    ("padding", 1): "VALID",
    ("fused_activation", 1): "RELU",
    ("fused_activation", 2): "RELU_N1_TO_1",
    ("fused_activation", 3): "RELU6",
    ("fused_activation", 4): "TANH",
    ("fused_activation", 5): "SIGN_BIT",
}


def inspect_tflite(findings: Findings, content: bytes) -> None:
    """Graphs, operators, quantization, states and signatures; what makes the network illegal or cannot be compiled."""
    model = None
    with findings.collecting():
        model = read_model(content)
    if model is None:
        return
    states: tuple[StateVariable, ...] = ()
    try:
        states = check_graphs(model)
    except FemtoError as error:
        findings.error(str(error))
    _network(findings, model)
    findings.sections["states"] = [_state(one) for one in states]
    findings.sections["graphs"] = [_graph(number, one) for number, one in enumerate(model.graphs)]
    findings.sections["operators"] = [
        _operator(number, graph, one) for number, graph in enumerate(model.graphs) for one in graph.operators
    ]
    findings.sections["signatures"] = [
        {"key": one.key, "graph": one.graph, "inputs": list(one.inputs), "outputs": list(one.outputs)}
        for one in model.signatures
    ]


def _network(findings: Findings, model: TfliteModel) -> None:
    main = model.graphs[MAIN_GRAPH]
    constants = [tensor for tensor in main.tensors if tensor.data is not None]
    findings.sections["network"] = {
        "description": model.description,
        "graphs": len(model.graphs),
        "operators": len(main.operators),
        "tensors": len(main.tensors),
        "constants": sum(prod(tensor.shape) for tensor in constants),
    }
    signed = [one for one in model.signatures if one.graph == MAIN_GRAPH]
    for what, ends in (("inputs", main.inputs), ("outputs", main.outputs)):
        names = {index: name for one in signed for name, index in getattr(one, what).items()}
        findings.sections[what] = [
            {"name": main.tensors[index].name, "signature": names.get(index), **_value(main.tensors[index])}
            for index in ends
        ]


def _value(tensor: FileTensor) -> dict[str, Any]:
    """Type, shape and quantization; scale and zero point are null unless there is one of each.

    A scale has the few digits that give its float32 back.
    """
    found = tensor.quantization
    one = found is not None and len(found.scale) == 1
    return {
        "type": tensor.kind,
        "shape": list(tensor.shape),
        "scale": float(str(found.scale[0])) if found is not None and one else None,
        "zero_point": int(found.zero_point[0]) if found is not None and one else None,
    }


def _state(state: StateVariable) -> dict[str, Any]:
    start = state.start.constant()
    lowest, highest = (None, None) if start is None else (int(start.min()), int(start.max()))
    named = {"container": state.container, "name": state.name}
    return {**named, **_value(state.start), "lowest_start": lowest, "highest_start": highest}


def _graph(number: int, graph: FileGraph) -> dict[str, Any]:
    counts = {what: len(getattr(graph, what)) for what in ("inputs", "outputs", "tensors", "operators")}
    return {"graph": number, "name": graph.name, **counts}


def _operator(number: int, graph: FileGraph, operator: FileOperator) -> dict[str, Any]:
    inputs = [_shape(graph.tensors[index]) if index >= 0 else "absent" for index in operator.inputs]
    outputs = [graph.tensors[index] for index in operator.outputs]
    first = _value(outputs[0]) if outputs else {"scale": None, "zero_point": None}
    return {
        "graph": number,
        "index": operator.index,
        "operator": operator.name,
        "version": operator.version,
        "inputs": inputs,
        "outputs": [_shape(tensor) for tensor in outputs],
        "scale": first["scale"],
        "zero_point": first["zero_point"],
        "options": _options(operator.options),
    }


def _shape(tensor: FileTensor) -> str:
    """A type and a shape in one word, for example INT8[1,3,40]."""
    return f"{tensor.kind}[{','.join(map(str, tensor.shape))}]"


def _options(options: Mapping[str, OptionValue]) -> list[str]:
    """Those that are not 0 or empty; a text may be anything, so that the table quotes it."""
    return [
        f"{name}={_OPTION_NAMES.get((name, value), value)}" for name, value in options.items() if value not in _UNSET
    ]
