"""Random nodes with bodies: loop, conditional, strided_subgraph, call. What bodies do to names is the hard part.

Other operators with bodies are drawn from their examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from femtodriver.fqir.graph import Graph, Node, Tensor
from tests.agree.graph_draw import Draw, Sampler, Wanted

CARRIED_BITS = (8, 16, 16, 24, 32)


def _wanted(tensor: Tensor) -> Wanted:
    return tensor.shape, tensor.bits or 32


def _free(draw: Draw) -> Wanted:
    """A result of any shape with an axis, and width."""
    return draw.shape(), draw.pick(CARRIED_BITS)


def loop(draw: Draw) -> None:
    """A loop with carried, sliced and invariant inputs, concatenated and final results."""
    times = draw.pick([1, 2, 2, 3, 3, 4, 7, 40])
    sliced, blocks = _slices(draw, times)
    carried = [draw.value() for _ in range(draw.integer(0, 2))]
    widths = [max(tensor.bits or 32, draw.pick(CARRIED_BITS)) for tensor in carried]
    scope = [draw.value() for _ in range(draw.integer(0, 2))]
    concat = [_small(draw) for _ in range(draw.pick([0, 1, 1, 2, 4]))]
    final = [_small(draw) for _ in range(draw.integer(0, 2))]
    turning = [(tensor.shape, bits) for tensor, bits in zip(carried, widths, strict=True)]
    pieces = [((block, *t.shape[1:]), t.bits or 32) for t, block in zip(sliced, blocks, strict=True)]
    body, inner = draw.body([*turning, *pieces, *map(_wanted, scope)], [*turning, *concat, *final])
    inputs = {f"x_sliced_{index}": tensor for index, tensor in enumerate(sliced)}
    inputs |= {f"x_recurse_{index}": tensor for index, tensor in enumerate(carried)}
    inputs |= {f"x_scope_{index}": tensor for index, tensor in enumerate(scope)}
    constants = {
        "n_iter": times,
        "n_recurse": len(carried),
        "n_sliced": len(sliced),
        "n_scope": len(scope),
        "n_concat": len(concat),
        "n_final": len(final),
        "block_size_sliced": tuple(blocks),
        "reverse_sliced": tuple(draw.chance(0.4) for _ in sliced),
        "reverse_concat": tuple(draw.chance(0.4) for _ in concat),
    }
    draw.left_behind(inner, sure=True)
    results = body.outputs[len(carried) :]
    shapes = [(times * t.shape[0], *t.shape[1:]) for t in results[: len(concat)]]
    shapes += [t.shape for t in results[len(concat) :]]
    draw.node("loop", inputs, [tensor.bits or 32 for tensor in results], constants, {"body": body}, shapes)


def _small(draw: Draw) -> Wanted:
    return (draw.pick([1, 1, 2, 3, 8, 10]),), draw.pick(CARRIED_BITS)


def _slices(draw: Draw, times: int) -> tuple[list[Tensor], list[int]]:
    """Values to cut, and the block sizes; blocks need not cover a value."""
    sliced, blocks = [], []
    for _ in range(draw.pick([0, 1, 1, 2, 3, 5])):
        tensor = draw.value(lambda tensor: len(tensor.shape) > 0 and tensor.shape[0] >= times, (times,))
        most = tensor.shape[0] // times
        sliced.append(tensor)
        blocks.append(most if draw.chance(0.7) else draw.integer(1, most))
    return sliced, blocks


def conditional(draw: Draw) -> None:
    """One of two bodies. Sometimes both are the same graph, or name their results alike."""
    condition = draw.holding_something()
    given = [draw.value() for _ in range(draw.integer(0, 3))]
    wanted = [_free(draw) for _ in range(draw.integer(0, 2))]
    true, inner = draw.body(list(map(_wanted, given)), wanted)
    draw.left_behind(inner, sure=False)
    false = true
    if draw.chance(0.9):
        false, inner = draw.body(list(map(_wanted, given)), wanted)
        draw.left_behind(inner, sure=False)
    inputs = {"condition": condition, **{f"input_{index}": tensor for index, tensor in enumerate(given)}}
    constants = {"num_inputs": len(given), "num_outputs": len(wanted)}
    shapes = [shape for shape, _ in wanted]
    bits = [bits for _, bits in wanted]
    if true is false or not wanted or draw.chance(0.7):
        draw.node("conditional", inputs, bits, constants, {"true": true, "false": false}, shapes)
        return
    true, false, shared = _alike(draw, true, false)
    draw.node("conditional", inputs, bits, constants, {"true": true, "false": false}, shapes)
    draw.values[shared.name] = shared


def _alike(draw: Draw, true: Graph, false: Graph) -> tuple[Graph, Graph, Tensor]:
    """Both bodies with their first results copied to one name, which can be read after either has run."""
    results = true.outputs[0], false.outputs[0]
    shared = Tensor(draw.store.name(), results[0].dtype, results[0].shape)
    graphs = []
    for graph, result in zip((true, false), results, strict=True):
        node = Node("", "copy", {"x": result}, (shared,))
        outputs = (shared, *graph.outputs[1:])
        graphs.append(Graph(graph.name, graph.inputs, outputs, graph.parameters, (*graph.nodes, node)))
    return graphs[0], graphs[1], shared


def strided(draw: Draw) -> None:
    """A body that runs in every n-th frame. The counter is usually its own, and starts at zero or inside its range."""
    n = draw.integer(1, 5)
    given = [draw.value() for _ in range(draw.integer(0, 2))]
    defaults = [draw.value() for _ in range(draw.integer(0, 2))]
    body, inner = draw.body(list(map(_wanted, given)), list(map(_wanted, defaults)))
    inputs = {"counter": _counter(draw, n)}
    inputs |= {f"input_{index}": tensor for index, tensor in enumerate(given)}
    inputs |= {f"default_output_{index}": tensor for index, tensor in enumerate(defaults)}
    constants = {"n": n, "k": draw.integer(0, n - 1), "num_inputs": len(given), "num_outputs": len(defaults)}
    draw.left_behind(inner, sure=False)
    shapes = [tensor.shape for tensor in defaults]
    draw.node("strided_subgraph", inputs, [t.bits or 32 for t in defaults], constants, {"body": body}, shapes)
    draw.update(inputs["counter"], 24)


def _counter(draw: Draw, n: int) -> Tensor:
    taken = [state for state in draw.store.states.values() if state.shape == (1,)]
    if taken and draw.chance(0.1):
        return draw.pick(taken)
    first = draw.pick([0, 0, n - 1, draw.integer(0, n - 1)]) if draw.chance(0.9) else draw.integer(-300, 300)
    return draw.state((1,), np.array([first], np.int64))


def call(draw: Draw) -> None:
    """A graph that is simply run. It may leave out arguments of names that hold values, and results."""
    given = [draw.value() for _ in range(draw.integer(0, 3))]
    wanted = [_free(draw) for _ in range(draw.integer(0, 2))]
    body, inner = draw.body(list(map(_wanted, given)), wanted)
    outer = [tensor for tensor in draw.values.values() if tensor.value is None]
    if outer and draw.chance(0.3):  # an input that gets no argument keeps the value that its name has
        unbound = draw.pick(outer)
        if unbound.name not in {tensor.name for tensor in body.inputs}:
            body = replace(body, inputs=(*body.inputs, unbound))
    shown = wanted[: draw.integer(0, len(wanted))]
    draw.left_behind(inner, sure=True)
    inputs = {f"{index}": tensor for index, tensor in enumerate(given)}
    draw.node(None, inputs, [bits for _, bits in shown], {}, {"body": body}, [shape for shape, _ in shown])


BODIES: Mapping[str, Sampler] = {
    "loop": loop,
    "conditional": conditional,
    "strided_subgraph": strided,
    "call": call,
}
