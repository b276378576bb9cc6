"""Random legal networks, and the check that every executor gives the same numbers for them.

In the suite ``test_random.py`` runs some hundred. For a night::

    PYTHONPATH=tools python -m tests.agree.random_graphs --count 5000 --seed 1

prints a table of outcomes, and for each counterexample its seed and the smallest network that still shows it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from femtodriver.compiler.compiler_options import SWITCHES, Objective, Options
from femtodriver.compiler.placement.sharing_plan import Order, SharingPlan
from femtodriver.fqir.graph import Graph, Network, Tensor
from femtodriver.fqir.graph_text import network_text
from femtodriver.fqir.validate import validate
from femtodriver.part import load_part
from tests.agree.agreement import EXACT, SHARED, Outcome, Target, checked
from tests.agree.graph_draw import Draw, Store
from tests.agree.random_nodes import CHOICES
from tests.agree.random_numbers import Numbers
from tests.agree.shrink import shrunk

Frame = dict[str, npt.NDArray[np.int64]]
MOST_NODES = 40


def random_network(seed: int) -> Network:
    """A legal network of 1 to 40 nodes (those in bodies included), the same for the same seed."""
    numbers = Numbers(np.random.default_rng(seed))
    nodes = numbers.integer(1, numbers.pick([3, 8, 20, MOST_NODES]))
    store = Store(numbers, CHOICES, nodes)
    frame = Draw(store)
    inputs = [_input(frame) for _ in range(numbers.pick([1, 1, 2, 4]))]
    for _ in range(numbers.integer(0, 3)):
        state = frame.state(frame.shape())
        frame.values[state.name] = state
        if numbers.chance(0.1):  # hand-made graphs list their states among the inputs
            inputs.append(state)
    frame.grow(nodes)
    graph = Graph("ARITH", tuple(inputs), tuple(_outputs(frame)), tuple(frame.parameters), tuple(frame.nodes))
    init = Graph("INIT", (), (), tuple(store.init_parameters), tuple(store.init_nodes))
    network = Network(f"random {seed}", graph, graph, init if store.states or numbers.chance(0.2) else None)
    validate(network)
    return network


def _input(frame: Draw) -> Tensor:
    shape = frame.shape()
    tensor = Tensor(frame.store.name(), frame.dtype(frame.pick([8, 16, 16, 24, 4, 32])), shape)
    frame.values[tensor.name] = tensor
    return tensor


def _outputs(frame: Draw) -> list[Tensor]:
    """Some of what can be read: mostly results, but also inputs, states, parameters; seldom twice."""
    values = list(frame.values.values())
    made = [tensor for node in frame.nodes for tensor in node.outputs] or values
    outputs = [frame.values.get(tensor.name, tensor) for tensor in made if frame.chance(0.4)]
    outputs += [frame.values[name] for name in frame.store.states if name in frame.values and frame.chance(0.3)]
    outputs += [frame.pick(values) for _ in range(frame.pick([0, 0, 1, 2]))]
    outputs = outputs or [frame.values.get(made[-1].name, made[-1])]
    if not frame.chance(0.1):
        outputs = list({tensor.name: tensor for tensor in outputs}.values())
    listed = {tensor.name: _declared(frame, tensor) for tensor in outputs}
    return [listed[tensor.name] for tensor in outputs]


def _declared(frame: Draw, tensor: Tensor) -> Tensor:
    """The output as the graph lists it: another object, whose declared type need not be true."""
    dtype = frame.pick(["", "int8", "int16"]) if frame.chance(0.05) else tensor.dtype
    return Tensor(tensor.name, dtype, tensor.shape)


def random_frames(network: Network, seed: int, count: int) -> list[Frame]:
    """Inputs inside their declared ranges: full range, small, sparse, extreme, all zero."""
    numbers = Numbers(np.random.default_rng([seed, 1]))
    return [{t.name: numbers.array(t.shape, t.bits or 16) for t in network.inputs} for _ in range(count)]


def random_target(seed: int) -> Target:
    """Mostly the ordinary part and options; else two to four cores, little memory, few rows, passes switched off.

    Networks of the suite are small, so sharing out is often made attractive for the smallest product.
    """
    numbers = Numbers(np.random.default_rng([seed, 2]))
    part, options = load_part("spu001x4"), Options()
    if numbers.chance(0.3):
        return Target(load_part(), options)
    if numbers.chance(0.7):
        options = replace(options, cores=numbers.pick([1, 2, 2, 3, 4]))
    if numbers.chance(0.2):
        part = replace(part, dm_bank_words=numbers.pick([16, 40, 100]), cores=numbers.integer(1, 4))
        options = replace(options, cores=None)
    for switch in SWITCHES:
        if numbers.chance(0.15):
            options = options.without(switch.name)
    if numbers.chance(0.3):
        options = replace(options, objective=numbers.pick(list(Objective)), deadline=numbers.pick([None, 1, 300, 9999]))
    target = Target(part, options, eager=numbers.chance(0.8), keep=numbers.chance(0.1))
    if numbers.chance(0.15):
        target = replace(target, part=replace(part, acc_rows=numbers.pick([5, 6, 8, 16, 32, 63, 100])))
    return _laid_out(numbers, target) if numbers.chance(0.4) else target


def _laid_out(numbers: Numbers, target: Target) -> Target:
    """A part of an odd size, or a layout that the compiler would not choose for so small a network."""
    if numbers.chance(0.4):
        words, threads = numbers.pick([70, 150, 401]), numbers.pick([3, 9, 64])
        part = replace(target.part, im_words=words, threads=threads, cores=numbers.integer(1, 4))
        return replace(target, part=part, options=replace(target.options, cores=None))
    cores = numbers.integer(1, target.part.cores)
    least_groups = numbers.pick([1, 4, float("inf")])
    order, fill = numbers.pick(list(Order)), numbers.pick([0.5, 0.93, 1.05])
    plan = SharingPlan(cores, least_groups, order, numbers.chance(0.5), fill, blocks=numbers.chance(0.5))
    return replace(target, plan=plan)


def main(arguments: list[str]) -> int:
    """Check many networks; 1 if some network is not computed alike by all."""
    parser = argparse.ArgumentParser(description="Random networks through all executors.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first network")
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--no-shrink", action="store_true")
    options = parser.parse_args(arguments)
    table: Counter[str] = Counter()
    start = time.monotonic()
    for seed in range(options.seed, options.seed + options.count):
        outcome = one(seed, options.frames)
        table[outcome.kind] += 1
        if outcome.kind not in (EXACT, SHARED):
            print(f"seed {seed}: {outcome.kind}: {outcome.detail}"[:300], flush=True)
        if outcome.wrong and not options.no_shrink:
            _explain(seed, options.frames, outcome)
    print(f"{options.count} networks in {time.monotonic() - start:.0f} s")
    for kind, count in table.most_common():
        print(f"{count:8} {kind}")
    return int(any(kind.startswith("WRONG") for kind in table))


def one(seed: int, frames: int) -> Outcome:
    """Make and check the network of a seed."""
    network = random_network(seed)
    return checked(network, random_frames(network, seed, frames), random_target(seed))


def _explain(seed: int, frames: int, outcome: Outcome) -> None:
    network = random_network(seed)
    target, given = random_target(seed), random_frames(network, seed, frames)
    print(target)
    print(network_text(shrunk(network, lambda smaller: checked(smaller, given, target).kind == outcome.kind)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
