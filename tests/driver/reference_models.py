"""For tests about the reference: a graph as fmot makes it, with two inputs and outputs, and calls of a driver."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from femtodriver import Femtodriver

LOOPBACK_FEMTO = "model_datas/LOOPBACK/io_records/LOOPBACK.femto"
WIDTH = 5
"""Elements of each variable: no multiple of a word, so that both ends are padded."""


def two_ways() -> Any:
    """``less`` = a - b and ``copy`` = b: binding inputs by position would show."""
    a, b, less, copy = (_tensor(name) for name in ("a", "b", "less", "copy"))
    shifts = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "rounded": False}
    nodes = [_node("vvsub", {"x": a, "y": b}, less, shifts), _node("copy", {"x": b}, copy, {})]
    ends = {"inputs": [a, b], "outputs": [less, copy], "parameters": [], "unbind_dim": None}
    arith = SimpleNamespace(name="ARITH", nodes=nodes, subgraphs={}, **ends)
    return SimpleNamespace(name="MAIN", nodes=[], subgraphs={"ARITH": arith}, **ends)


def outputs_of(driver: Femtodriver, inputs: Any) -> dict[str, Any]:
    found: dict[str, Any] = driver.simulate(inputs, 0.016)[0]["outputs"]["fasmir"]
    return found


def as_zip(driver: Femtodriver, path: str) -> str:
    assert driver.compiled_data is not None
    driver.compiled_data.to_zip_file(path)
    return path


def _tensor(name: str) -> Any:
    return SimpleNamespace(name=name, dtype="fqint16", shape=[WIDTH], value=None, quanta=-7, is_bool=False)


def _node(operator: str, inputs: dict[str, Any], output: Any, constants: dict[str, Any]) -> Any:
    optype = SimpleNamespace(name=operator)
    node = SimpleNamespace(name=operator, optype=optype, opname=operator, inputs=inputs, outputs=[output])
    node.constants, node.subgraphs, node.subgraph = constants, {}, None
    return node
