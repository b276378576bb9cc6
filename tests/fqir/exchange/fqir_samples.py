"""Files of the exchange format, made and changed as plain JSON: nothing of the writer of ours is used."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

Json = dict[str, Any]
WEIGHTS = np.array([[50, -3, 0], [2, 7, -50]], "<i1").tobytes()
TABLE = np.arange(-2, 2).astype("<i1").tobytes() + np.array([-900, -400, 100, 600], "<i2").tobytes()
DATA = WEIGHTS + TABLE


def sealed(text: bytes, data: bytes = b"", version: int = 1) -> bytes:
    """The file of these parts, with the line that belongs to them."""
    digest = hashlib.sha256(text + data).hexdigest()
    return f"fqir {version} {len(text)} {len(data)} {digest}\n".encode("ascii") + text + data


def written(value: object, data: bytes = DATA) -> bytes:
    """The file of a value."""
    return sealed(json.dumps(value).encode("ascii"), data)


def sample() -> Json:
    """A network with a state, a table, a body and all members that there are."""
    tensors = [
        {"id": "x", "dtype": "fqint16", "shape": [2], "quanta": -7, "zero_point": -3, "other_names": ["sound"]},
        {"id": "w", "dtype": "fqint8", "shape": [2, 3], "quanta": -4.5, "value": 0},
        {"id": "m", "dtype": "fqint16", "shape": [3]},
        {"id": "h", "dtype": "", "shape": [3], "is_bool": False},
        {"id": "t", "dtype": "fqint16", "shape": [3]},
        {"id": "y", "dtype": "fqint16", "shape": [3], "quanta": None},
        {"id": "a", "dtype": "fqint16", "shape": [3]},
        {"id": "b", "dtype": "fqint16", "shape": [3]},
        {"id": "x of MAIN", "name": "x", "dtype": "float", "shape": [2]},
    ]
    product = {
        "op": "matmul",
        "name": "net.fc",
        "inputs": [["x", "x"], ["y", "w"]],
        "outputs": ["m"],
        "constants": {"shamt_bwred": -2, "bw_out": 16, "rounded": True},
        "line": "net.py:12",
    }
    table = {"table": {"name": "tanh", "addresses": 1, "values": 2}}
    look = {
        "op": "lut",
        "inputs": [["x", "m"]],
        "outputs": ["t"],
        "constants": {"shamt_address": -8, "bw_address": 2, "table": table, "function": None},
    }
    keep = {"op": "assign", "inputs": [["y", "h"], ["x", "t"]], "outputs": []}
    call = {"name": "net.act", "inputs": [["given", "t"]], "outputs": ["y"], "subgraphs": [["body", "act"]]}
    relu = {"op": "relu", "inputs": [["x", "a"]], "outputs": ["b"]}
    zeros = {"op": "zeros", "inputs": [], "outputs": ["h"], "constants": {"shape": [3]}}
    graphs = [
        {"id": "INIT", "outputs": [], "nodes": [zeros]},
        {"id": "act", "inputs": ["a"], "outputs": ["b"], "nodes": [relu], "parameters": None},
        {"id": "ARITH", "inputs": ["x"], "outputs": ["y"], "parameters": ["w"], "nodes": [product, look, keep, call]},
        {
            "id": "MAIN",
            "name": "",
            "inputs": ["x of MAIN"],
            "outputs": ["y"],
            "subgraphs": [["ARITH", "ARITH"], ["INIT", "INIT"]],
            "nodes": [],
            "unbind_dim": 0,
        },
    ]
    arrays = [
        {"dtype": "int8", "shape": [2, 3]},
        {"dtype": "int8", "shape": [4]},
        {"dtype": "int16", "shape": [4]},
    ]
    roles = {"frame": "ARITH", "init": "INIT", "main": "MAIN"}
    return {"name": "sample", "arrays": arrays, "tensors": tensors, "graphs": graphs, **roles}


def changed(change: Callable[[Json], object]) -> Json:
    """The sample after a change in place."""
    value = copy.deepcopy(sample())
    change(value)
    return value
