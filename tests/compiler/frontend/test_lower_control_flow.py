"""Loops, conditions and states through the whole compiler: what bodies do to names, in the specified order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import If, Loop, walk
from femtodriver.compiler.frontend.lower_network import lower_network
from femtodriver.fqir.graph import Tensor
from femtodriver.part import load_part
from tests.compiler.compiler_nets import ADD, ADD_IMMEDIATE, Net, agree, dense, random_frames

S16 = Tensor("s", "int16", (16,))


def loop(
    net: Net,
    count: int,
    body: Net,
    carried: Sequence[Tensor] = (),
    slices: Sequence[tuple[Tensor, int, bool]] = (),
    scope: Sequence[Tensor] = (),
    concat: Sequence[bool] = (),
    final: int = 0,
) -> tuple[Tensor, ...]:
    """A loop node; its results are shaped like the body's."""
    inputs = {f"x_recurse_{k}": tensor for k, tensor in enumerate(carried)}
    inputs |= {f"x_sliced_{k}": tensor for k, (tensor, _, _) in enumerate(slices)}
    inputs |= {f"x_scope_{k}": tensor for k, tensor in enumerate(scope)}
    results = body.outputs[len(carried) :]
    shapes = [(count * t.shape[0],) for t in results[: len(concat)]] + [t.shape for t in results[len(concat) :]]
    constants: Mapping[str, Any] = {
        "n_iter": count,
        "n_recurse": len(carried),
        "n_sliced": len(slices),
        "n_scope": len(scope),
        "n_concat": len(concat),
        "n_final": final,
        "block_size_sliced": tuple(block for _, block, _ in slices),
        "reverse_sliced": tuple(back for _, _, back in slices),
        "reverse_concat": tuple(concat),
    }
    return net.ops("loop", inputs, shapes, bodies={"body": body.graph()}, **constants)


@pytest.mark.parametrize("backwards", [False, True])
def test_slices_of_a_state_that_the_body_assigns(backwards: bool) -> None:
    net, body = Net(), Net("body")
    x, state = net.input("x", 8), net.state("s", np.arange(16))
    piece = body.input("piece", 8)
    total = body.op("vvadd", {"x": piece, "y": x}, **ADD)
    both = body.op("cat", {"x0": total, "x1": x}, 16, dim=0)
    body.assign(S16, body.op("viadd", {"x": both}, 16, **ADD_IMMEDIATE))
    body.output(total)
    net.output(*loop(net, 2, body, slices=[(state, 8, backwards)], concat=[False]), S16)
    agree(net.network())


def test_an_invariant_argument_that_the_body_assigns() -> None:
    net, body = Net(), Net("body")
    x, state = net.input("x", 16), net.state("s", np.arange(16))
    given = body.input("given", 16)
    total = body.op("vvadd", {"x": given, "y": x}, 16, **ADD)
    body.assign(S16, total)
    body.output(total)
    net.output(*loop(net, 3, body, scope=[state], concat=[True]))
    agree(net.network())


def test_a_state_read_before_and_after_it_is_assigned_in_a_loop() -> None:
    net, body = Net(), Net("body")
    x, state = net.input("x", 16), net.state("s", np.arange(16))
    before = net.op("copy", {"x": state}, 16)
    given = body.input("given", 16)
    total = body.op("vvadd", {"x": S16, "y": given}, 16, **ADD)
    body.assign(S16, total)
    after = body.op("vvsub", {"x": S16, "y": given}, 16, **ADD)
    body.output(after)
    results = loop(net, 4, body, scope=[x], concat=[False])
    net.output(before, *results, S16)
    agree(net.network())


def test_carried_values_change_places_at_once() -> None:
    net, body = Net(), Net("body")
    x, y = net.input("x", 4), net.input("y", 4)
    first, second = body.input("first", 4), body.input("second", 4)
    body.output(second, body.op("viadd", {"x": first}, 4, **ADD_IMMEDIATE), first)
    net.output(*loop(net, 5, body, carried=[x, y], final=1))
    agree(net.network())


@pytest.mark.parametrize(("reverse_in", "reverse_out"), [(False, True), (True, False), (True, True)])
def test_backwards(reverse_in: bool, reverse_out: bool) -> None:
    net, body = Net(), Net("body")
    x = net.input("x", 15)
    piece, carried = body.input("piece", 3), body.input("carried", 3)
    total = body.op("vvadd", {"x": piece, "y": carried}, 3, **ADD)
    body.output(total, total)
    start = net.param(np.zeros(3))
    # The carried argument stands first in the body.
    body.inputs.reverse()
    net.output(*loop(net, 5, body, carried=[start], slices=[(x, 3, reverse_in)], concat=[reverse_out]))
    agree(net.network())


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_loops_in_loops(depth: int) -> None:
    """Three loops with slices and concatenations fill the registers; deeper ones are unrolled."""

    def body(level: int) -> Net:
        inner = Net(f"body{level}")
        piece = inner.input(f"piece{level}", 2**level)
        if level:
            (result,) = loop(inner, 2, body(level - 1), slices=[(piece, 2 ** (level - 1), False)], concat=[True])
        else:
            result = inner.op("viadd", {"x": piece}, 1, **ADD_IMMEDIATE)
        inner.output(result)
        return inner

    net = Net()
    x = net.input("x", 2**depth)
    net.output(*loop(net, 2, body(depth - 1), slices=[(x, 2 ** (depth - 1), True)], concat=[False]))
    agree(net.network())


def test_an_unrolled_loop_around_a_condition_and_a_product() -> None:
    net = Net()
    x = net.input("x", 32)
    parts: list[Tensor] = [
        net.op("viadd", {"x": x}, 32, **{**ADD_IMMEDIATE, "y": k, "bw": bw})
        for k, bw in enumerate((8, 16, 24, 8, 16, 24, 8))
    ]
    body, true, false = Net("body"), Net("true"), Net("false")
    slices = [body.input(f"s{k}", 8) for k in range(7)]
    true.output(dense(true, true.input("t", 8), 8))
    false.output(false.op("vneg", {"x": false.input("f", 8)}, 8, bw=16))
    chosen = body.op(
        "conditional",
        {"condition": slices[0], "input_0": slices[1]},
        8,
        bodies={"true": true.graph(), "false": false.graph()},
        num_inputs=1,
        num_outputs=1,
    )
    total = chosen
    for piece in slices:
        total = body.op("vvadd", {"x": total, "y": piece}, 8, **ADD)
    seldom = body.input("seldom", 4)
    both = body.op("cat", {"x0": seldom, "x1": seldom}, 8, dim=0)
    body.output(body.op("vvadd", {"x": total, "y": both}, 8, **ADD))
    cut = [(part, 8, k % 2 == 1) for k, part in enumerate(parts)]
    net.output(*loop(net, 4, body, slices=[*cut, (x, 4, False)], concat=[True]))
    compiled = agree(net.network())
    names = [
        line.instruction.spec.name
        for code in compiled.fasmir.cores
        for thread in code.threads
        for line in thread.lines
        if hasattr(line, "instruction")
    ]
    assert "loop" not in names
    assert names.count("bez") == 4


def test_long_loops_stay_loops() -> None:
    net, body = Net(), Net("body")
    x = net.input("x", 3000)
    piece = body.input("piece", 1)
    body.output(body.op("viadd", {"x": piece}, 1, **ADD_IMMEDIATE))
    net.output(*loop(net, 3000, body, slices=[(x, 1, True)], concat=[False]))
    compiled = agree(net.network(), frames=random_frames(net.network(), 1))
    assert len(compiled.data.mems_per_core[0]["IM"][0]) < 100


# ---- conditions ----------------------------------------------------------------------------------------------------


def branch(name: str, op: str, **constants: Any) -> Net:
    """A branch that computes one thing of its input, and assigns the state."""
    net = Net(name)
    given = net.input(f"{name} in", 8)
    result = net.op(op, {"x": given}, 8, **constants)
    net.assign(Tensor("s", "int16", (8,)), result)
    net.output(result)
    return net


def test_branches_assign_states() -> None:
    net = Net()
    x, state = net.input("x", 8), net.state("s", np.arange(8))
    condition = net.op("gt0", {"x": net.op("copy", {"x": x})})
    bodies = {"true": branch("true", "viadd", **ADD_IMMEDIATE).graph(), "false": branch("false", "relu").graph()}
    old = net.op("copy", {"x": state})
    result = net.op(
        "conditional", {"condition": condition, "input_0": state}, bodies=bodies, num_inputs=1, num_outputs=1
    )
    net.output(result, old, Tensor("s", "int16", (8,)))
    compiled = agree(net.network(), frames=random_frames(net.network(), 12))
    assert any(isinstance(op, If) for op in walk(compiled.fmir.ops))


@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_condition_is_decided_at_once(value: int) -> None:
    net = Net()
    x = net.input("x", 8)
    net.state("s", np.arange(8))
    condition = net.param([value])
    bodies = {"true": branch("true", "viadd", **ADD_IMMEDIATE).graph(), "false": branch("false", "relu").graph()}
    net.output(
        net.op("conditional", {"condition": condition, "input_0": x}, bodies=bodies, num_inputs=1, num_outputs=1)
    )
    compiled = agree(net.network())
    assert not any(isinstance(op, If) for op in walk(compiled.fmir.ops))


@pytest.mark.parametrize(("n", "k"), [(1, 0), (2, 1), (3, 0), (4, 3)])
def test_strided_graphs_count_frames(n: int, k: int) -> None:
    net, body = Net(), Net("body")
    x, counter, kept = net.input("x", 8), net.state("n", [0]), net.state("kept", np.arange(8))
    body.output(body.op("viadd", {"x": body.input("given", 8)}, 8, **ADD_IMMEDIATE))
    inputs = {"counter": counter, "input_0": x, "default_output_0": kept}
    result = net.op("strided_subgraph", inputs, 8, bodies={"body": body.graph()}, n=n, k=k, num_inputs=1, num_outputs=1)
    net.assign(kept, result)
    net.output(result)
    agree(net.network(), frames=random_frames(net.network(), 10))


# ---- states --------------------------------------------------------------------------------------------------------


def test_a_shift_register_of_states() -> None:
    net = Net()
    x = net.input("x", 8)
    states = [net.state(f"s{k}", np.full(8, k)) for k in range(5)]
    net.output(states[-1])
    for state, value in zip(reversed(states), reversed([x, *states[:-1]]), strict=True):
        net.assign(state, value)
    agree(net.network(), frames=random_frames(net.network(), 9))


def test_states_that_change_places() -> None:
    net = Net()
    x, first, second = net.input("x", 8), net.state("a", np.arange(8)), net.state("b", -np.arange(8))
    kept = net.op("copy", {"x": first})
    net.assign(first, second)
    net.assign(second, kept)
    net.output(net.op("vvadd", {"x": first, "y": x}, **ADD), second)
    agree(net.network(), frames=random_frames(net.network(), 5))


def test_a_state_grows_wider_than_its_first_value() -> None:
    net = Net()
    x, state = net.input("x", 8), net.state("s", np.zeros(8))
    wide = net.op("vvadd", {"x": state, "y": x}, 8, 24, **{**ADD, "bw": 24})
    net.assign(state, wide)
    net.output(wide)
    agree(net.network(), frames=random_frames(net.network(), 40))
    fmir = lower_network(net.network(), load_part())
    assert fmir.buffers["state:s"].bits == 32


def test_a_delay_line_shifted_in_place() -> None:
    net = Net()
    x, line = net.input("x", 5), net.state("line", np.arange(35))
    (out,) = net.ops("temporal_unfold", {"x": x, "buffer": line}, [40], kernel_size=8, dilation=1, buffer_length=7)
    net.output(out)
    agree(net.network(), frames=random_frames(net.network(), 12))


def test_outputs_that_are_inputs_states_and_constants() -> None:
    net = Net()
    x, state = net.input("x", 8), net.state("s", np.arange(8))
    net.output(x, state, net.param(np.arange(3)), x)
    net.assign(state, x)
    agree(net.network())


def test_an_output_declared_narrower_than_its_value_keeps_all_bits() -> None:
    net = Net()
    x = net.input("x", 8)
    net.output(net.op("vvadd", {"x": x, "y": x}, 8, 8, **ADD))
    agree(net.network())


def test_empty_inputs_values_and_outputs() -> None:
    net = Net()
    x, nothing = net.input("x", 8), net.input("nothing", 0)
    empty, rest = net.ops("split", {"x": x}, [0, 8], lengths=(0, 8), dim=0)
    net.output(
        empty, net.op("cat", {"x0": rest, "x1": nothing, "x2": empty}, 8, dim=0), net.op("relu", {"x": empty}, 0)
    )
    agree(net.network())


def test_loops_are_loops_in_fmir() -> None:
    net, body = Net(), Net("body")
    x = net.input("x", 16)
    body.output(body.op("relu", {"x": body.input("piece", 4)}, 4))
    net.output(*loop(net, 4, body, slices=[(x, 4, False)], concat=[False]))
    (found,) = (op for op in lower_network(net.network(), load_part()).ops if isinstance(op, Loop))
    assert found.count == 4
    assert {cursor.stride for cursor in found.cursors} == {4}
