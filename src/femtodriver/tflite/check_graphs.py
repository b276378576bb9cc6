"""Whether the graphs of a file mean something: who writes what, and the rules of each operator.

Operators are in their order of execution, so one pass is enough. Nothing is executed.
"""

from __future__ import annotations

from collections.abc import Iterator

from femtodriver.errors import ModelError, UnsupportedError
from femtodriver.tflite.checked_operator import CheckBudget, CheckedOperator
from femtodriver.tflite.operator_kinds import OPERATOR_KINDS
from femtodriver.tflite.operator_shapes import check_shapes
from femtodriver.tflite.records import MAIN_GRAPH, FileGraph, TfliteModel
from femtodriver.tflite.state_variables import StateVariable, VariableRules

_KINDS_OF_ENDS = ("INT8", "UINT8", "FLOAT32")


def check_graphs(model: TfliteModel) -> tuple[StateVariable, ...]:
    """The state of the network, in the order in which it is given its first values.

    Only the first graph and those that its CALL_ONCE operators run are looked at. Raises UnsupportedError for an
    operator, type or option that this version does not know, ModelError for what has no meaning.
    """
    budget, variables, called = CheckBudget(), VariableRules(), set()
    _check_ends(model.graphs[MAIN_GRAPH])
    for op in _in_order(model, MAIN_GRAPH, budget):
        kind = OPERATOR_KINDS.get(op.operator.name)
        if kind is None:
            raise op.unsupported("the operator must be one that docs/tflite.md lists; replace it, and convert again")
        check_shapes(op, kind.shapes)
        kind.values(op)
        variables.apply(op)
        if op.operator.name == "CALL_ONCE":
            variables.check_call(op)
            number = _called_graph(op, model)
            if number in called:
                raise op.refuse(f"graph {number} must be called once")
            called.add(number)
            for inner in _in_order(model, number, budget):
                variables.start(inner)
    return tuple(variables.starts.values())


def _check_ends(graph: FileGraph) -> None:
    """Inputs and outputs of the network."""
    for what, ends in (("input", graph.inputs), ("output", graph.outputs)):
        if not ends:
            raise ModelError(f"graph {MAIN_GRAPH}: must have at least one {what}, not none.")
        for index in ends:
            kind = graph.tensors[index].kind
            if kind not in _KINDS_OF_ENDS:
                raise UnsupportedError(
                    f"graph {MAIN_GRAPH}: {what} tensor {index} must be {', '.join(_KINDS_OF_ENDS)}, not {kind}."
                )


def _called_graph(op: CheckedOperator, model: TfliteModel) -> int:
    number = op.number("init_subgraph_index")
    if not 0 <= number < len(model.graphs) or number == op.graph:
        raise op.refuse(f"the graph must be another one of {len(model.graphs)}, not {number}")
    if model.graphs[number].inputs or model.graphs[number].outputs:
        raise op.refuse(f"graph {number} must have no inputs and outputs")
    return number


def _in_order(model: TfliteModel, number: int, budget: CheckBudget) -> Iterator[CheckedOperator]:
    """The operators of a graph, each after a check that what it reads is there and what it writes is not."""
    graph = model.graphs[number]
    known = {tensor.index for tensor in graph.tensors if tensor.data is not None}
    for index in graph.inputs:
        if index in known:
            raise ModelError(f"graph {number}: input tensor {index} must be there once, and be no constant.")
        known.add(index)
    given = set(known)
    for operator in graph.operators:
        op = CheckedOperator(number, operator, graph.tensors, budget)
        for index in operator.inputs:
            if index >= 0 and index not in known:
                raise op.refuse(f"tensor {index} must be a constant, an input or written before it is read")
        for index in operator.outputs:
            if index in known:
                raise op.refuse(f"tensor {index} must be written once, and be no constant or input")
            known.add(index)
        yield op
    written = known - given
    for index in graph.outputs:
        if index not in written:
            raise ModelError(f"graph {number}: output tensor {index} must be written by an operator.")
