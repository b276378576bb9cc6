"""Programs for devices: small networks made by hand, compiled for the default part."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from femtodriver.compiler.pipeline import compile_network
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part
from femtodriver.program.compiled_data import CompiledData

PART = load_part()


def vector(name: str, length: int = 16) -> Tensor:
    return Tensor(name, "fqint16", (length,))


def _node(op: str, inputs: dict[str, Tensor], outputs: Sequence[Tensor], **constants: Any) -> Node:
    return Node("", op, inputs, tuple(outputs), constants)


def _add(x: Tensor, y: Tensor, out: Tensor) -> Node:
    return _node("vvadd", {"x": x, "y": y}, [out], shamt_x=0, shamt_y=0, shamt_bwred=0, bw=16, rounded=False)


def _network(name: str, frame: Graph, init: Graph | None = None) -> Network:
    main = Graph("MAIN", frame.inputs, frame.outputs, (), (), {"ARITH": frame})
    return Network(name, main, frame, init)


def identity() -> Network:
    """What goes in comes out: 16 elements of 16 bits, as LOOPBACK."""
    x, y = vector("x"), vector("%x.4")
    return _network("identity", Graph("ARITH", (x,), (y,), (), (_node("copy", {"x": x}, [y]),)))


def odd_identity() -> Network:
    """As ``identity`` with 5 elements, so that both ends are padded."""
    x, y = vector("x", 5), vector("y", 5)
    return _network("odd", Graph("ARITH", (x,), (y,), (), (_node("copy", {"x": x}, [y]),)))


def accumulator() -> Network:
    """A state that adds up: sum = state + x, state = sum; outputs the sum."""
    x, state, total = vector("x"), vector("s"), vector("sum")
    init = Graph("INIT", (), (), (), (_node("zeros", {}, [state], shape=(16,)),))
    nodes = (_add(state, x, total), _node("assign", {"y": state, "x": total}, []))
    return _network("accumulator", Graph("ARITH", (x,), (total,), (), nodes), init)


def two_in_three_out() -> Network:
    """Inputs a (8) and b (8): their sum, their difference, and a copy of b."""
    a, b = vector("a", 8), vector("b", 8)
    total, less, copy = vector("sum", 8), vector("less", 8), vector("copy", 8)
    shifts = {"shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": 16, "rounded": False}
    nodes = (
        _add(a, b, total),
        _node("vvsub", {"x": a, "y": b}, [less], **shifts),
        _node("copy", {"x": b}, [copy]),
    )
    return _network("multi", Graph("ARITH", (a, b), (total, less, copy), (), nodes))


NETWORKS = {make.__name__: make for make in (identity, odd_identity, accumulator, two_in_three_out)}


@cache
def compiled(name: str) -> CompiledData:
    """The program of a network of this file, not encrypted. Shared: not to be changed."""
    return plain(compile_network(NETWORKS[name](), PART).data)


def plain(data: CompiledData) -> CompiledData:
    """The program, saying that it is not encrypted."""
    return CompiledData({**data.metadata, "encrypted": False}, data.mems_per_core, data.files)


def random_inputs(data: CompiledData, frames: int, seed: int = 0) -> dict[str, np.ndarray]:
    numbers = np.random.default_rng(seed)
    return {
        record.name: numbers.integers(
            -(1 << (record.bits - 1)), 1 << (record.bits - 1), (frames, record.usable), dtype=np.int64
        )
        for record in data.info().inputs
    }


def expected(data: CompiledData, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the machine makes of the inputs, from reset."""
    machine = Machine(data, PART)
    machine.reset()
    frames = [
        machine.step({name: values[at] for name, values in inputs.items()})
        for at in range(len(next(iter(inputs.values()))))
    ]
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}


def assert_equal(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
