"""How often a network is lowered: a constant number of times, however many states hang on each other."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from femtodriver.compiler.fmir.ir import Fmir, Role
from femtodriver.compiler.frontend.lower_graph import Lowering
from femtodriver.compiler.frontend.lower_network import lower_network
from femtodriver.fqir.graph import Network
from femtodriver.part import load_part
from tests.compiler.compiler_nets import ADD, Net, agree

SPU = load_part()


def state_chain(count: int, *, through: str = "") -> Network:
    """Each state takes the value of the one before, which starts with 8 bits and needs 16; ``through`` an operator."""
    net = Net()
    x = net.input("x", 8)
    states = [net.state(f"s{index}", np.zeros(8)) for index in range(count)]
    net.output(net.op("vvadd", {"x": states[-1], "y": x}, 8, **ADD))
    for index in reversed(range(1, count)):
        value = states[index - 1]
        net.assign(states[index], net.op(through, {"x": value}, 8) if through else value)
    net.assign(states[0], x)
    return net.network()


def lowerings(network: Network) -> tuple[int, Fmir]:
    """How many times a network is lowered, and what it becomes."""
    with mock.patch.object(Lowering, "finish", autospec=True, side_effect=Lowering.finish) as finish:
        fmir = lower_network(network, SPU)
    return finish.call_count, fmir


@pytest.mark.parametrize("through", ["", "relu"])
@pytest.mark.parametrize("count", [2, 12, 40])
def test_a_chain_of_states_is_lowered_twice(count: int, through: str) -> None:
    times, fmir = lowerings(state_chain(count, through=through))
    assert times == 2
    assert {buffer.bits for buffer in fmir.buffers.values() if buffer.role is Role.STATE} == {16}
    agree(state_chain(count, through=through))


def test_states_that_fit_are_lowered_once() -> None:
    net = Net()
    x, state = net.input("x", 8), net.state("s", np.full(8, 1000))
    net.assign(state, x)
    net.output(net.op("vvadd", {"x": state, "y": x}, 8, **ADD))
    assert lowerings(net.network())[0] == 1


def test_only_what_needs_more_gets_more() -> None:
    net = Net()
    x, small = net.input("x", 8), net.input("small", 8, bits=8)
    wide, narrow = net.state("wide", np.zeros(8)), net.state("narrow", np.zeros(8))
    net.assign(wide, x)
    net.assign(narrow, small)
    net.output(net.op("vvadd", {"x": wide, "y": narrow}, 8, **ADD))
    _, fmir = lowerings(net.network())
    assert {name: buffer.bits for name, buffer in fmir.buffers.items() if buffer.role is Role.STATE} == {
        "state:wide": 16,
        "state:narrow": 8,
    }
