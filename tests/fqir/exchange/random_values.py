"""Strategies of hypothesis: networks of any names, values and sharing, legal or not."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from femtodriver.fqir.graph import Graph, Network, Node, Table, Tensor

ANY_NAME = st.text(st.characters(exclude_categories=()), max_size=12)
SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)
WORDS = st.integers(-(1 << 63), (1 << 63) - 1)
REALS = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def arrays(draw: st.DrawFn, shape: tuple[int, ...] | None = None) -> Any:
    """A read-only int64 array of few or many bits."""
    sizes = draw(SHAPES) if shape is None else shape
    count = int(np.prod(sizes))
    bits = draw(st.sampled_from((1, 8, 9, 16, 17, 32, 33, 64)))
    numbers = st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    values = np.array(draw(st.lists(numbers, min_size=count, max_size=count)), np.int64).reshape(sizes)
    values.setflags(write=False)
    return values


@st.composite
def tables(draw: st.DrawFn) -> Table:
    size = draw(st.integers(0, 3))
    return Table(draw(ANY_NAME), draw(arrays((size,))), draw(arrays((size,))))


@st.composite
def tensors(draw: st.DrawFn, name: str) -> Tensor:
    quanta = draw(st.none() | st.floats(-1000, 1000))
    value = draw(st.none() | arrays())
    dtype = draw(st.sampled_from(("", "int8", "fqint16", "float", "\n")))
    zero_point = draw(st.none() | st.integers(-(1 << 31), (1 << 31) - 1))
    others = tuple(draw(st.lists(ANY_NAME, max_size=2)))
    return Tensor(name, dtype, draw(SHAPES), value, quanta, draw(st.booleans()), zero_point, others)


PLAIN = st.none() | st.booleans() | st.integers(1 - (1 << 63), (1 << 63) - 1) | REALS | ANY_NAME
CONSTANTS = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)
CONSTANTS_OF_ANY_KIND = st.one_of(CONSTANTS.filter(lambda value: _levels(value) <= 4), arrays(), tables())


def _levels(value: object) -> int:
    return 1 + max(map(_levels, value), default=0) if isinstance(value, tuple) else 0


@st.composite
def nodes(draw: st.DrawFn, known: list[Tensor], bodies: list[Graph]) -> Node:
    some = st.lists(st.sampled_from(known), max_size=3)
    keys = draw(st.lists(ANY_NAME, max_size=3, unique=True))
    inputs = {key: draw(st.sampled_from(known)) for key in keys}
    constants = draw(st.dictionaries(ANY_NAME, CONSTANTS_OF_ANY_KIND, max_size=3))
    constants = {key: value for key, value in constants.items() if key not in inputs}
    op = draw(ANY_NAME | st.none()) if bodies else draw(ANY_NAME)
    names = ["body"] if op is None else draw(st.lists(ANY_NAME, max_size=2 if bodies else 0, unique=True))
    inner = {name: draw(st.sampled_from(bodies)) for name in names}
    line = draw(st.sampled_from(("", "net.py:1", "a+b.py:999999999")))
    return Node(draw(ANY_NAME), op, inputs, tuple(draw(some)), constants, inner, line)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A network whose graphs share tensors and bodies. Two tensors may have one name."""
    names = draw(st.lists(ANY_NAME, min_size=1, max_size=5))
    known = [draw(tensors(name)) for name in names]
    some = st.lists(st.sampled_from(known), max_size=3)
    graphs: list[Graph] = []
    for _ in range(draw(st.integers(1, 4))):
        found = draw(st.lists(nodes(known, graphs[:]), max_size=3))
        keys = draw(st.lists(ANY_NAME, max_size=2 if graphs else 0, unique=True))
        inner = {key: draw(st.sampled_from(graphs)) for key in keys}
        outputs, parameters = tuple(draw(some)), tuple(draw(some))
        unbind_dim = draw(st.none() | st.integers(0, 8))
        graphs.append(Graph(draw(ANY_NAME), (), outputs, parameters, tuple(found), inner, unbind_dim))
    main, frame = graphs[-1], draw(st.sampled_from(graphs))
    return Network(draw(ANY_NAME), main, frame, draw(st.none() | st.sampled_from(graphs)))
